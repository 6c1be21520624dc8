package dns_test

import (
	"encoding/binary"
	"io"
	"syscall"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"netlab/dns"
	"netlab/tcp"
	"netlab/udp"
)

// framed is a message as TCP carries it.
func framed(t testing.TB, m *wire.Msg) []byte {
	packet, err := m.Pack()
	require.NoError(t, err)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
}

// receive reads a message from a connection.
func receive(t testing.TB, r io.Reader) *wire.Msg {
	var size [2]byte
	_, err := io.ReadFull(r, size[:])
	require.NoError(t, err)
	packet := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err = io.ReadFull(r, packet)
	require.NoError(t, err)
	m := new(wire.Msg)
	require.NoError(t, m.Unpack(packet))
	return m
}

// A connection takes any number of queries, also several at once, and is closed when it is idle for 10 s.
func TestQueriesOverTCP(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		conn, err := tcp.Dial(l.Context(), l.A, "b:53")
		require.NoError(t, err)
		first, second := query("ns.lab", "A"), query("no.lab", "A")
		both := append(framed(t, first), framed(t, second)...)
		start := l.Elapsed()
		_, err = conn.Write(both)
		require.NoError(t, err)
		for i, q := range []*wire.Msg{first, second} {
			m := receive(t, conn)
			require.Equal(t, q.Id, m.Id)
			require.Equal(t, []int{wire.RcodeSuccess, wire.RcodeNameError}[i], m.Rcode)
		}
		require.Equal(t, rtt, l.Elapsed()-start)
		_, err = conn.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		require.Equal(t, 10*time.Second+rtt, l.Elapsed()-start)
		conn.Close()
		require.EqualValues(t, 2, l.server.Stats().TCP)
	})
}

// What is no message gets an error or nothing, and a client that sends it over TCP is let go.
func TestNonsense(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		c, err := udp.Dial(l.Context(), l.A, "b:53")
		require.NoError(t, err)
		defer c.Close()
		for _, nonsense := range []string{"", "x", "\x12\x34\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05www"} {
			_, err = c.Write([]byte(nonsense))
			require.NoError(t, err)
		}
		// Only the last is answered.
		buffer := make([]byte, 512)
		n, err := c.Read(buffer)
		require.NoError(t, err)
		require.Equal(t, "\x12\x34\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00", string(buffer[:n]))

		conn, err := tcp.Dial(l.Context(), l.A, "b:53")
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("\x00\x01x"))
		require.NoError(t, err)
		_, err = conn.Read(buffer)
		require.Equal(t, io.EOF, err)
		require.EqualValues(t, 5, l.server.Stats().Malformed)
		require.Empty(t, l.server.Stats().Queries)
	})
}

// A client that does not read its answers is given up like one that is idle; others are served meanwhile.
func TestClientThatDoesNotRead(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		conn, err := tcp.Dial(l.Context(), l.A, "b:53")
		require.NoError(t, err)
		defer conn.Close()
		one := framed(t, query("text.lab", "TXT"))
		var many []byte
		for range 20_000 {
			many = append(many, one...)
		}
		_, err = conn.Write(many)
		require.NoError(t, err)
		l.Sleep(5 * time.Second)
		require.Equal(t, rtt, l.lookup(t, l.resolver(t, nil), "ns", a1))
		l.Sleep(time.Minute)
	})
}

func TestPortThatIsTaken(t *testing.T) {
	lab(t, link, zone(t, nil), func(t *testing.T, l *bench) {
		again := &dns.Server{Zone: zone(t, nil)}
		require.ErrorIs(t, again.Serve(l.Context(), l.B, ":53"), syscall.EADDRINUSE)
		// The UDP port is free and the TCP port is not: it takes neither.
		listener, err := tcp.Listen(l.B, ":54")
		require.NoError(t, err)
		defer listener.Close()
		require.ErrorIs(t, again.Serve(l.Context(), l.B, ":54"), syscall.EADDRINUSE)
		c, err := udp.Listen(l.B, ":54")
		require.NoError(t, err)
		c.Close()
	})
}
