package netlab_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"netlab"
	"netlab/captures"
	"netlab/tcp"
)

// patience bounds waits for the machine's network. Nothing that works needs it.
const patience = 30 * time.Second

const forwarded = `{
	"nodes": {
		"client": {}, "r": {"kind": "router"}, "six": {"ip": "ipv6"}, "lone": {},
		"web": {"services": {"http": {"type": "http-server"}, "echo": {"type": "tcp-echo"}, "ping": {"type": "udp-echo"}}},
		"free": {}
	},
	"links": [{"between": "client - r", "latency": "1ms"}, "r - web", "r - free", "r - six"]
}`

func TestParseForward(t *testing.T) {
	for text, want := range map[string]netlab.Forward{
		"8443=web:443":                     {Network: "tcp", Listen: "127.0.0.1:8443", To: "web:443"},
		"127.0.0.1:8443=web:443":           {Network: "tcp", Listen: "127.0.0.1:8443", To: "web:443"},
		"tcp:[::1]:8443=client@web:443":    {Network: "tcp", Listen: "[::1]:8443", From: "client", To: "web:443"},
		"udp:127.0.0.1:5353=ns:53":         {Network: "udp", Listen: "127.0.0.1:5353", To: "ns:53"},
		"udp:0=ns:53":                      {Network: "udp", Listen: "127.0.0.1:0", To: "ns:53"},
		"tcp:localhost:8080=web:80":        {Network: "tcp", Listen: "localhost:8080", To: "web:80"},
		"udp:127.99.0.1:65535=a@b-1:65535": {Network: "udp", Listen: "127.99.0.1:65535", From: "a", To: "b-1:65535"},
	} {
		f, err := netlab.ParseForward(text)
		require.NoError(t, err, text)
		require.Equal(t, want, f, text)
		again, err := netlab.ParseForward(f.String())
		require.NoError(t, err, f.String())
		require.Equal(t, f, again)
	}
	for text, want := range map[string]string{
		"":                   `"" is not a forward: want [ADDRESS:]PORT=HOST:PORT, such as "8443=web:443"`,
		"8443":               `want [ADDRESS:]PORT=HOST:PORT`,
		"=web:443":           `want [ADDRESS:]PORT=HOST:PORT`,
		"8443=":              `want [ADDRESS:]PORT=HOST:PORT`,
		"8443=web":           `"web" is no target: want the name of a host and a port, such as "web:443"`,
		"8443=:443":          `":443" is no target`,
		"8443=web:0":         `port "0" of the target: want a number from 1 to 65535`,
		"8443=web:65536":     `port "65536" of the target`,
		"8443=web:https":     `port "https" of the target`,
		"8443=@web:443":      `want the name of a host before the @`,
		"65536=web:443":      `"127.0.0.1:65536" is no place to listen: want an address of the loopback and a port from 0 to 65535`,
		"icmp:1=web:443":     `"icmp:1" is no place to listen`,
		"::1:8443=web:443":   `"::1:8443" is no place to listen`,
		"0.0.0.0:1=web:443":  `0.0.0.0 is not an address of the loopback, and other machines might reach the lab there: want 127.0.0.1 or [::1]`,
		"[::]:1=web:443":     `:: is not an address of the loopback`,
		"192.0.2.1:1=web:80": `192.0.2.1 is not an address of the loopback`,
	} {
		_, err := netlab.ParseForward(text)
		require.ErrorContains(t, err, want, text)
	}
}

// What is read is written so that it reads the same.
func FuzzParseForward(f *testing.F) {
	for _, text := range []string{"8443=web:443", "udp:[::1]:53=a@b:53", "tcp:localhost:1=a:b:c", "=", "127.0.0.1:1==@:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		forward, err := netlab.ParseForward(text)
		if err != nil {
			return
		}
		again, err := netlab.ParseForward(forward.String())
		require.NoError(t, err)
		require.Equal(t, forward, again)
	})
}

func TestForwardErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, test := range []struct{ text, want string }{
		{"0=wbe:80", `forward 127.0.0.1:0=wbe:80: no host is called "wbe"; did you mean "web"?`},
		{"0=nothing-like-it:80", `no host is called "nothing-like-it"`},
		{"0=r:80", `r is a router, wanted a host`},
		{"0=clint@web:80", `no host is called "clint"; did you mean "client"?`},
		{"0=web:81", `nothing listens on TCP port 81 of web; its services listen on TCP port 80 (http), TCP port 7 (echo), UDP port 7 (ping)`},
		{"0=free:80", `nothing listens on TCP port 80 of free; it has no services that do`},
		{"udp:0=web:80", `nothing listens on UDP port 80 of web`},
		{"0=lone@web:80", `lone doesn't reach web: there is no way in the lab for an IP version that both speak`},
		{"0=lone:80", `no other host of the lab reaches lone: say which one is to connect to it, such as "127.0.0.1:0=lone@lone:80" for itself`},
		{taken.Addr().String() + "=web:80", `address already in use`},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		f, err := netlab.ParseForward(test.text)
		require.NoError(t, err)
		results, err := parse(t, forwarded).Run(context.Background(),
			&netlab.RunOptions{RealTime: true, Dir: dir, Forward: []netlab.Forward{f}}, nil)
		require.Nil(t, results)
		var failed *netlab.ForwardError
		require.ErrorAs(t, err, &failed, test.text)
		require.ErrorContains(t, err, test.want)
		require.NoDirExists(t, dir, "nothing starts")
	}
	forward := []netlab.Forward{{Listen: "127.0.0.1:1", To: "web:80"}, {Network: "tcp", Listen: "127.0.0.1:1", To: "web:7"}}
	_, err = parse(t, forwarded).Run(context.Background(), &netlab.RunOptions{RealTime: true, Forward: forward}, nil)
	require.EqualError(t, err, "forward 127.0.0.1:1=web:7: 127.0.0.1:1 is forwarded twice")
	_, err = parse(t, forwarded).Run(context.Background(), &netlab.RunOptions{Forward: forward}, nil)
	require.EqualError(t, err, "forward 127.0.0.1:1=web:80: only in real time: virtual time can't wait for programs outside the lab")
	_, err = parse(t, forwarded).Run(context.Background(),
		&netlab.RunOptions{RealTime: true, Forward: []netlab.Forward{{Network: "sctp", Listen: "127.0.0.1:0", To: "web:80"}}}, nil)
	require.ErrorContains(t, err, `network "sctp": want tcp or udp`)
}

// through plays a lab in real time with forwards, runs fn in it and requires that nothing is left behind.
func through(t *testing.T, text string, o *netlab.RunOptions, fn func(*netlab.Run) error, forwards ...string) *netlab.Results {
	t.Helper()
	before := goleak.IgnoreCurrent()
	defer func() { goleak.VerifyNone(t, before) }()
	o.RealTime = true
	for _, text := range forwards {
		f, err := netlab.ParseForward(text)
		require.NoError(t, err)
		o.Forward = append(o.Forward, f)
	}
	return play(t, parse(t, text), o, fn)
}

// outside connects to a forward from outside the lab.
func outside(t *testing.T, f netlab.Forward) net.Conn {
	c, err := net.Dial(f.Network, f.Listen)
	require.NoError(t, err)
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return c
}

// A run with forwards and nothing to do goes on until it is ended, and serves from its first moment on.
func TestForwardGoesOn(t *testing.T) {
	for name, family := range map[string]string{"IPv4": "127.0.0.1", "IPv6": "[::1]", "by name": "localhost"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			before := goleak.IgnoreCurrent()
			open := make(chan netlab.Forward, 1)
			dir := t.TempDir()
			got := make(chan error, 1)
			go func() {
				defer cancel()
				f := <-open
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				response, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://" + f.Listen + "/bytes/100000")
				if err == nil {
					var n int64
					n, err = io.Copy(io.Discard, response.Body)
					response.Body.Close()
					if err == nil && (n != 100_000 || f.From != "client" || f.Network != "tcp") {
						err = fmt.Errorf("%d bytes through %+v", n, f)
					}
				}
				got <- err
			}()
			results, err := parse(t, forwarded).Run(ctx, &netlab.RunOptions{RealTime: true, Dir: dir,
				Forward:    []netlab.Forward{{Listen: family + ":0", To: "web:80"}},
				Forwarding: func(f netlab.Forward) { open <- f }}, nil)
			require.NoError(t, err)
			require.NoError(t, <-got)
			goleak.VerifyNone(t, before)
			require.Equal(t, netlab.EndedInterrupted, results.Run.Ended)

			// All of it crossed the lab as packets of the client.
			c, err := captures.ReadFile(filepath.Join(dir, "captures", "client.pcapng"))
			require.NoError(t, err)
			size := 0
			for _, p := range c.Packets {
				size += len(p.Data)
			}
			require.Greater(t, size, 100_000)
		})
	}
}

func TestForwardDuration(t *testing.T) {
	const text = `{"duration": "20ms", "nodes": {"a": {}, "b": {"services": {"t": {"type": "tcp-echo"}, "u": {"type": "udp-echo"}}}},
		"links": ["a - b"]}`
	results := through(t, text, &netlab.RunOptions{}, nil, "0=b:7", "udp:0=b:7")
	require.Equal(t, netlab.EndedDuration, results.Run.Ended)
}

// The authority's certificate is written in real time only, and an old one doesn't stay.
func TestAuthorityFile(t *testing.T) {
	dir := t.TempDir()
	play(t, parse(t, chat), &netlab.RunOptions{RealTime: true, Dir: dir}, nil)
	data, err := os.ReadFile(filepath.Join(dir, netlab.AuthorityFile))
	require.NoError(t, err)
	block, rest := pem.Decode(data)
	require.Empty(t, rest)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.True(t, certificate.IsCA)
	play(t, parse(t, chat), &netlab.RunOptions{Dir: dir}, nil)
	require.NoFileExists(t, filepath.Join(dir, netlab.AuthorityFile))
}

// accepted connects from outside to a host that the test's own code serves. It returns both ends.
func accepted(t *testing.T, run *netlab.Run, l net.Listener) (out *net.TCPConn, in *tcp.Conn) {
	out = outside(t, run.Forwards()[0]).(*net.TCPConn)
	c, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	return out, c.(*tcp.Conn)
}

// served plays a lab whose host free the test's own code serves.
func served(t *testing.T, fn func(run *netlab.Run, l net.Listener)) {
	through(t, forwarded, &netlab.RunOptions{}, func(run *netlab.Run) error {
		l, err := run.Host("free").Listen("tcp", ":9000")
		require.NoError(t, err)
		defer l.Close()
		fn(run, l)
		return nil
	}, "0=free:9000")
}

func TestForwardHalfClose(t *testing.T) {
	for name, outsideFirst := range map[string]bool{"outside first": true, "inside first": false} {
		t.Run(name, func(t *testing.T) {
			served(t, func(run *netlab.Run, l net.Listener) {
				out, in := accepted(t, run, l)
				type end interface {
					io.ReadWriteCloser
					CloseWrite() error
				}
				first, second := end(in), end(out)
				if outsideFirst {
					first, second = out, in
				}
				for _, pair := range [][2]end{{first, second}, {second, first}} {
					_, err := io.WriteString(pair[0], "that is all")
					require.NoError(t, err)
					require.NoError(t, pair[0].CloseWrite())
					text, err := io.ReadAll(pair[1])
					require.NoError(t, err)
					require.Equal(t, "that is all", string(text))
				}
				require.NoError(t, out.Close())
				require.NoError(t, in.Close())
			})
		})
	}
}

func TestForwardReset(t *testing.T) {
	served(t, func(run *netlab.Run, l net.Listener) {
		out, in := accepted(t, run, l)
		require.NoError(t, out.SetLinger(0))
		require.NoError(t, out.Close())
		_, err := in.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, in.Close())

		out, in = accepted(t, run, l)
		require.NoError(t, in.Abort())
		_, err = out.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, out.Close())

		// One that nobody accepts any more is refused in the lab, which outside is a reset as soon as services had time to start.
		require.NoError(t, l.Close())
		out = outside(t, run.Forwards()[0]).(*net.TCPConn)
		_, err = out.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, out.Close())
	})
}

// The end of the run resets what is open, wherever it stands.
func TestForwardEndOfRun(t *testing.T) {
	var idle, busy net.Conn
	served(t, func(run *netlab.Run, l net.Listener) {
		idle, _ = accepted(t, run, l)
		busy, _ = accepted(t, run, l)
		go io.Copy(busy, bytes.NewReader(make([]byte, 64<<20))) // nobody reads
		_, err := io.WriteString(idle, "x")
		require.NoError(t, err)
	})
	_, err := idle.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
	require.NoError(t, idle.Close())
	require.NoError(t, busy.Close())
}

// Who writes is held up when nobody reads at the other side, and nothing is lost.
func TestForwardBackpressure(t *testing.T) {
	for name, fromOutside := range map[string]bool{"into the lab": true, "out of the lab": false} {
		t.Run(name, func(t *testing.T) {
			served(t, func(run *netlab.Run, l net.Listener) {
				out, in := accepted(t, run, l)
				defer out.Close()
				defer in.Close()
				writer, reader := net.Conn(in), net.Conn(out)
				if fromOutside {
					writer, reader = out, in
				}
				require.NoError(t, writer.SetWriteDeadline(time.Now().Add(time.Second)))
				const much = 256 << 20
				n, err := writer.Write(make([]byte, much))
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				require.Less(t, n, 64<<20)
				end := make(chan error, 1)
				go func() { end <- writer.(interface{ CloseWrite() error }).CloseWrite() }()
				read, err := io.Copy(io.Discard, reader)
				require.NoError(t, err)
				require.EqualValues(t, n, read)
				require.NoError(t, <-end)
			})
		})
	}
}

// awaitEcho returns when the service behind a forward echoes: what comes before it listens is lost, and nobody sends it again.
func awaitEcho(t *testing.T, f netlab.Forward) {
	t.Helper()
	c := outside(t, f)
	defer c.Close()
	for range 300 {
		_, err := c.Write([]byte("ready?"))
		require.NoError(t, err)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
		if _, err := c.Read(make([]byte, 64)); err == nil {
			return
		}
	}
	t.Fatal("nobody echoes")
}

func TestForwardDatagrams(t *testing.T) {
	through(t, forwarded, &netlab.RunOptions{}, func(run *netlab.Run) error {
		echo, lost := run.Forwards()[0], run.Forwards()[1]
		require.Equal(t, "six", lost.From)
		awaitEcho(t, echo)
		a, b := outside(t, echo), outside(t, echo)
		defer a.Close()
		defer b.Close()
		buffer := make([]byte, 1<<16)
		for _, size := range []int{1, 1400, 8000} { // the last in fragments
			for i, c := range []net.Conn{a, b, a} {
				sent := bytes.Repeat([]byte{byte(i + 1)}, size)
				_, err := c.Write(sent)
				require.NoError(t, err)
				n, err := c.Read(buffer)
				require.NoError(t, err)
				require.Equal(t, sent, buffer[:n])
			}
		}
		// Where nobody listens datagrams are lost, and the forward stays.
		l, err := run.Host("free").ListenPacket("udp6", ":9001")
		require.NoError(t, err)
		c := outside(t, lost)
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		require.NoError(t, err)
		n, from, err := l.ReadFrom(buffer)
		require.NoError(t, err)
		require.Equal(t, "hello", string(buffer[:n]))
		require.NoError(t, l.Close())
		_, err = c.Write([]byte("nobody"))
		require.NoError(t, err)
		l, err = run.Host("free").ListenPacket("udp6", ":9001")
		require.NoError(t, err)
		_, err = l.WriteTo([]byte("late"), from) // to the port that the program outside still has
		require.NoError(t, err)
		n, err = c.Read(buffer)
		require.NoError(t, err)
		require.Equal(t, "late", string(buffer[:n]))
		return l.Close()
	}, "udp:0=web:7", "udp:0=six@free:9001")
}
