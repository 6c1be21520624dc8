// Package udp gives programs UDP sockets (RFC 768) on simulated hosts, as net.PacketConn and net.Conn.
package udp
