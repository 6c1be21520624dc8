// Package tls is the lab's public key infrastructure: a certificate authority, certificates that are right or wrong in a way
// one asks for, and configurations for the standard library's crypto/tls, which does the talking (TLS 1.2, RFC 5246, and TLS 1.3,
// RFC 8446).
//
// In virtual time a run's handshakes are the same byte for byte: keys are Ed25519 keys from the run's seed, serial numbers
// and dates follow from the lab, ephemeral keys and nonces come from a stream of each party's name, and the only key exchange is X25519, because
// ML-KEM takes its randomness from nowhere else than the machine. None of this is secret. In real time, when
// programs outside may talk to the lab, an [Authority] takes its keys from crypto/rand and uses ECDSA, which browsers want.
//
// Which cipher suite is chosen is crypto/tls's decision: AES-GCM where the processor has instructions for it, as all
// current ones do, ChaCha20-Poly1305 otherwise. There is no early data (0-RTT), no revocation and no encrypted ClientHello.
package tls
