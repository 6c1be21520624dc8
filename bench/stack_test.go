//go:build unix

package bench

import (
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/pipe"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"netlab/ip"
)

// BenchmarkStack sends 200 MB between two stacks that are joined directly, in real time and on one processor: scenario c without an
// engine, links and virtual time. It is what netlab could cost at the least.
func BenchmarkStack(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const size = 200e6
	segments, cpu := uint64(0), time.Duration(0)
	for b.Loop() {
		sender, receiver := pipe.New("\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", 1500)
		client, server := newStack(b, sender, tcpip.AddrFrom4([4]byte{10, 0, 0, 1})), newStack(b, receiver, tcpip.AddrFrom4([4]byte{10, 0, 0, 2}))
		to := tcpip.FullAddress{Addr: tcpip.AddrFrom4([4]byte{10, 0, 0, 2}), Port: 5001}
		l, err := gonet.ListenTCP(server, to, ipv4.ProtocolNumber)
		if err != nil {
			b.Fatal(err)
		}
		began := processorTime(b)
		go func() {
			conn, err := gonet.DialTCP(client, to, ipv4.ProtocolNumber)
			if err != nil {
				b.Error(err)
				l.Close()
				return
			}
			defer conn.Close()
			block := make([]byte, 100_000)
			for range int(size) / len(block) {
				if _, err := conn.Write(block); err != nil {
					b.Error(err)
					return
				}
			}
		}()
		conn, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, conn); err != nil || n != size {
			b.Fatal(n, err)
		}
		cpu += processorTime(b) - began
		segments += client.Stats().TCP.SegmentsSent.Value() + server.Stats().TCP.SegmentsSent.Value()
		conn.Close()
		l.Close()
		client.Destroy()
		server.Destroy()
	}
	b.ReportMetric(float64(segments)/cpu.Seconds(), "packets/s")
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// newStack returns a host's stack with the buffers and options of netlab's hosts.
func newStack(b *testing.B, nic stack.LinkEndpoint, address tcpip.Address) *stack.Stack {
	b.Helper()
	s := stack.New(stack.Options{NetworkProtocols: []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocolCUBIC}})
	sack := tcpip.TCPSACKEnabled(true)
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4 << 10, Default: int(ip.DefaultSendBuffer), Max: int(ip.MaxSendBuffer)}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 8 << 10, Default: 2 * int(ip.DefaultReceiveBuffer), Max: 2 * int(ip.MaxReceiveBuffer)}
	for _, option := range []tcpip.SettableTransportProtocolOption{&sack, &send, &receive} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, option); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.CreateNIC(1, nic); err != nil {
		b.Fatal(err)
	}
	if err := s.AddProtocolAddress(1, tcpip.ProtocolAddress{Protocol: ipv4.ProtocolNumber, AddressWithPrefix: address.WithPrefix()}, stack.AddressProperties{}); err != nil {
		b.Fatal(err)
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: 1}})
	return s
}

// processorTime is what the process has used of the processor.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
