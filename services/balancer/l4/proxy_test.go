package l4_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"

	"netlab"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balancer/l4"
	"netlab/services/proxyprotocol"
	"netlab/tcp"
	"netlab/units"
)

const echo = `{"type": "tcp-echo", "listen": ":8080"}`

// to is a pool of one backend.
func to(target string) backend.Config {
	c := pool(0, 0)
	c.Backends = backend.Backends{{To: services.TargetPattern(target)}}
	return c
}

// In the mode proxy there are two connections, and backends see the balancer's address.
func TestProxyTwoConnections(t *testing.T) {
	p := play(t, segment("1", echo, `"duration": "2s", "workloads": {"get": {"type": "tcp-load", "from": "client", "to": "10.1.0.10:80",
		"users": 30, "requests": 90}}, "expect": ["get.succeeded == 90"]`), l4.Options{Listen: ":80"}, pool(3, 8080), nil)
	require.True(t, p.Expect[0].Holds, "%v", p.Expect)
	require.Equal(t, uint64(30), p.l4.Connections)
	require.Zero(t, p.l4.Active)
	require.Equal(t, 30, p.l4.MostActive)
	syns := 0
	p.tcp(t, "web1", func(from, to netip.AddrPort, h header.TCP) {
		require.True(t, from.Addr().String() == "10.1.0.10" || to.Addr().String() == "10.1.0.10")
		if h.Flags() == header.TCPFlagSyn {
			syns++
		}
	})
	require.Equal(t, 10, syns)
}

// exchange connects the client to the balancer, and gives the connection and that of the backend on web1, port 9000, to body.
func exchange(t *testing.T, o l4.Options, c backend.Config, body func(run *netlab.Run, client, server *tcp.Conn)) played {
	return exchangeIn(t, segment("10", echo, `"duration": "30m", "captures": {"nodes": ["client", "web1"]}`), o, c, body)
}

func exchangeIn(t *testing.T, file string, o l4.Options, c backend.Config, body func(run *netlab.Run, client, server *tcp.Conn)) played {
	t.Helper()
	o.Listen = ":80"
	return play(t, file, o, c, func(run *netlab.Run) error {
		listener, err := tcp.Listen(run.Host("web1").Host, ":9000")
		if err != nil {
			return err
		}
		defer listener.Close()
		if err := run.Sleep(time.Millisecond); err != nil {
			return err
		}
		client, err := tcp.Dial(run.Context(), run.Host("client").Host, "10.1.0.10:80")
		if err != nil {
			return err
		}
		defer client.Close()
		server, err := listener.AcceptTCP()
		if err != nil {
			return err
		}
		defer server.Close()
		body(run, client, server)
		return nil
	})
}

// A stream that ends is ended at the other side, and the other direction goes on.
func TestProxyHalfClose(t *testing.T) {
	p := exchange(t, l4.Options{}, to("web1:9000"), func(_ *netlab.Run, client, server *tcp.Conn) {
		_, err := client.Write([]byte("question"))
		require.NoError(t, err)
		require.NoError(t, client.CloseWrite())
		b, err := io.ReadAll(server)
		require.NoError(t, err)
		require.Equal(t, "question", string(b))
		_, err = server.Write([]byte("answer"))
		require.NoError(t, err)
		require.NoError(t, server.Close())
		b, err = io.ReadAll(client)
		require.NoError(t, err)
		require.Equal(t, "answer", string(b))
	})
	require.EqualValues(t, 8, p.l4.Forward.Bytes)
	require.EqualValues(t, 6, p.l4.Backward.Bytes)
}

// A proxy doesn't read on when the other side doesn't take what it sends: what it holds stays far below what the sender has.
func TestProxyBackPressure(t *testing.T) {
	const all = 64 << 20
	exchange(t, l4.Options{}, to("web1:9000"), func(run *netlab.Run, client, server *tcp.Conn) {
		written := make(chan int, 1)
		run.Go(func() error {
			client.SetWriteDeadline(run.Host("client").Now().Add(20 * time.Second))
			client.SetUnsentLimit(1 << 16)
			n, _ := client.Write(make([]byte, all))
			written <- n
			return nil
		})
		// Nobody reads at the server.
		require.Less(t, <-written, 40<<20, "the stacks' buffers on the way take up to 8 MiB of receive and 16 MiB of send buffer each")
	})
}

// A connection over which nothing comes is closed exactly when its idle timeout is over.
func TestProxyIdleTimeout(t *testing.T) {
	var last, end time.Duration
	p := exchange(t, l4.Options{Config: l4.Config{IdleTimeout: units.Duration(30 * time.Second)}}, to("web1:9000"), func(run *netlab.Run, client, server *tcp.Conn) {
		require.NoError(t, run.Sleep(20*time.Second))
		_, err := client.Write([]byte("still there"))
		require.NoError(t, err)
		last = run.Elapsed()
		_, err = io.ReadAll(client)
		require.NoError(t, err)
		end = run.Elapsed()
	})
	// 12 ms to the balancer, where the time begins, and 12 ms back.
	require.Equal(t, 30*time.Second+24*time.Millisecond, (end - last).Round(time.Microsecond))
	require.Equal(t, uint64(1), p.l4.Expired)
}

// A reset goes through.
func TestProxyReset(t *testing.T) {
	exchange(t, l4.Options{}, to("web1:9000"), func(_ *netlab.Run, client, server *tcp.Conn) {
		require.NoError(t, server.Abort())
		_, err := client.Read(make([]byte, 1))
		require.ErrorContains(t, err, "reset")
	})
}

// The PROXY protocol tells the backend of the client's address, before anything else.
func TestProxyProtocol(t *testing.T) {
	for _, version := range []string{proxyprotocol.V1, proxyprotocol.V2} {
		exchange(t, l4.Options{ProxyProtocol: version}, to("web1:9000"), func(_ *netlab.Run, client, server *tcp.Conn) {
			_, err := client.Write([]byte("hello"))
			require.NoError(t, err)
			require.NoError(t, client.CloseWrite())
			r := bufio.NewReader(server)
			source, destination, err := proxyprotocol.Read(r)
			require.NoError(t, err)
			require.Equal(t, client.LocalAddr().(*net.TCPAddr).AddrPort(), source)
			require.Equal(t, "10.1.0.10:80", destination.String())
			rest, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "hello", string(rest))
		})
	}
}

// link is what a lab file says of the client's link.
const link = `"between": "client - r1", "latency": "10ms"`

// Every mode carries a megabyte in each direction over a link that loses one packet in a hundred.
func TestTransfersWithLoss(t *testing.T) {
	data := bytes.Repeat([]byte("balance!"), 1<<17)
	file := strings.Replace(segment("10", echo, `"duration": "30m", "captures": {"nodes": ["client", "web1"]}`), link, link+`, "loss": "1%"`, 1)
	for _, mode := range []string{l4.Proxy, l4.NAT} {
		exchangeIn(t, file, l4.Options{Config: l4.Config{Mode: mode}}, to("web1:9000"), func(run *netlab.Run, client, server *tcp.Conn) {
			carry := func(from, to *tcp.Conn) {
				run.Go(func() error {
					if _, err := from.Write(data); err != nil {
						return err
					}
					return from.CloseWrite()
				})
				got, err := io.ReadAll(to)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			}
			carry(client, server)
			carry(server, client)
		})
	}
}
