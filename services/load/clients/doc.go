// Package clients holds the workloads that load servers: "http-load", "tcp-load", "udp-load" and "dns-load". When requests are
// made, and what is counted, is the same for all of them and in package load; here is what a request is.
//
// A client that polls an HTTP server is an http-load with users and a think time.
package clients
