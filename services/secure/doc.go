// Package secure is the part of configurations that says how TLS is used: "tls": true, or an object with versions, certificates
// and resumption. Package netlab/tls turns it into what crypto/tls takes.
package secure
