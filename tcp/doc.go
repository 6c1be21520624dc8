// Package tcp gives programs TCP connections (RFC 9293) on simulated hosts, as net.Conn and net.Listener.
//
// The protocol is gVisor's: CUBIC, SACK, RACK, window scaling and time stamps as the host's settings say. This package adds
// what Go programs expect: deadlines, half-close, errors that errors.Is knows (syscall.ECONNREFUSED, os.ErrDeadlineExceeded,
// net.ErrClosed), any number of readers and writers. [Conn.Info] tells what "ss -ti" would.
//
// A Write of up to 4 MiB returns at once, however small the configured send buffer is and whether or not the peer reads:
// net/http's HTTP/2 client writes under a lock, and a goroutine that holds a lock while it waits for the network would
// stop virtual time. The configured buffer limits the stack; what doesn't fit there waits in the connection.
//
// The stack has no delayed ACKs and no ECN; its Reno grows too fast to be called so, which is why CUBIC is the only
// congestion control.
package tcp
