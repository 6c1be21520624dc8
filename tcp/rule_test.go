package tcp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tcp"
	"netlab/udp"
)

// matching makes a packet rule's matcher out of what a TCP segment must be like.
func matching(fits func(s *layers.TCP) bool) func([]byte) bool {
	return func(frame []byte) bool {
		s, ok := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
		return ok && fits(s)
	}
}

// withRules runs body in labs of either IP version, with and without a router between the hosts.
func withRules(t *testing.T, body func(t *testing.T, l *testlab.Lab)) {
	for _, v6 := range []bool{false, true} {
		for routers := range 2 {
			t.Run(fmt.Sprintf("IPv6 %v, %d routers", v6, routers), func(t *testing.T) {
				config := testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 100e6), PreferIPv6: v6, Routers: routers}
				testlab.Run(t, config, body)
			})
		}
	}
}

// A rule that resets a segment ends the connection at both ends, whoever sent it.
func TestRuleResetsBothEnds(t *testing.T) {
	for _, fromServer := range []bool{false, true} {
		withRules(t, func(t *testing.T, l *testlab.Lab) {
			r, err := l.Net.AddRule(netem.RuleConfig{Name: "cut", Action: netem.ActReset, Nth: 2,
				Match: matching(func(s *layers.TCP) bool { return len(s.Payload) > 0 })})
			require.NoError(t, err)
			c1, c2, err := pipe(l.A, l.B)
			require.NoError(t, err)
			if fromServer {
				c1, c2 = c2, c1
			}
			for range 2 {
				_, err = c1.Write([]byte("hello"))
				require.NoError(t, err)
				l.Sleep(time.Second)
			}
			require.EqualValues(t, 1, r.Hits())
			got := make([]byte, 100)
			n, err := c2.Read(got)
			require.NoError(t, err)
			require.Equal(t, "hello", string(got[:n]))
			for _, c := range []net.Conn{c1, c2} {
				_, err = c.Read(got)
				require.ErrorIs(t, err, syscall.ECONNRESET)
				require.ErrorContains(t, err, "connection reset by peer")
			}
			require.Zero(t, l.A.Stats().TCP.Retransmits+l.B.Stats().TCP.Retransmits)
		})
	}
}

// A rule that resets a SYN, or the answer to it, refuses the connection.
func TestRuleResetsHandshake(t *testing.T) {
	for _, answer := range []bool{false, true} {
		withRules(t, func(t *testing.T, l *testlab.Lab) {
			_, err := l.Net.AddRule(netem.RuleConfig{Name: "refuse", Action: netem.ActReset,
				Match: matching(func(s *layers.TCP) bool { return s.SYN && s.ACK == answer })})
			require.NoError(t, err)
			started := l.Elapsed()
			_, _, err = pipe(l.A, l.B)
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			if answer {
				require.Greater(t, l.Elapsed()-started, 20*time.Millisecond)
			} else {
				require.Less(t, l.Elapsed()-started, time.Millisecond)
			}
		})
	}
}

// A rejected SYN makes a dial fail as the error says.
func TestRuleRejectsDial(t *testing.T) {
	for rejection, want := range map[netem.Rejection]error{
		netem.RejectPort: syscall.ECONNREFUSED, netem.RejectHost: syscall.EHOSTUNREACH, netem.RejectNet: syscall.ENETUNREACH,
	} {
		withRules(t, func(t *testing.T, l *testlab.Lab) {
			_, err := l.Net.AddRule(netem.RuleConfig{Name: "refuse", Action: netem.ActReject, Rejection: rejection,
				Match: matching(func(s *layers.TCP) bool { return s.SYN })})
			require.NoError(t, err)
			started := l.Elapsed()
			_, err = tcp.Dial(context.Background(), l.A, "b:5001")
			require.ErrorIs(t, err, want, "%s", rejection)
			require.Less(t, l.Elapsed()-started, time.Millisecond)
		})
	}
}

// A rejected datagram is an error of the socket that has sent it.
func TestRuleRejectsDatagram(t *testing.T) {
	withRules(t, func(t *testing.T, l *testlab.Lab) {
		_, err := l.Net.AddRule(netem.RuleConfig{Name: "refuse", Action: netem.ActReject, Rejection: netem.RejectPort, Limit: 1,
			Match: func(frame []byte) bool {
				return gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeUDP) != nil
			}})
		require.NoError(t, err)
		c, err := udp.Dial(context.Background(), l.A, "b:53")
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 10))
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

// A packet that is said to be too big makes the sender's segments smaller.
func TestRuleTooBig(t *testing.T) {
	withRules(t, func(t *testing.T, l *testlab.Lab) {
		const mtu = 1300
		r, err := l.Net.AddRule(netem.RuleConfig{Name: "tunnel", Action: netem.ActReject, Rejection: netem.RejectSize, MTU: mtu,
			Match: func(frame []byte) bool { return len(frame) > 14+mtu }})
		require.NoError(t, err)
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		data := make([]byte, 100_000)
		_, err = c1.Write(data)
		require.NoError(t, err)
		_, err = io.ReadFull(c2, data)
		require.NoError(t, err)
		require.NotZero(t, r.Hits())
		c1.Close()
		c2.Close()
	})
}

// The handshake whose SYN-ACK is the third takes a second longer, which is the initial RTO (RFC 6298, section 2).
func TestRuleDropsThirdSYNACK(t *testing.T) {
	withRules(t, func(t *testing.T, l *testlab.Lab) {
		r, err := l.Net.AddRule(netem.RuleConfig{Name: "third", Action: netem.ActDrop, Nth: 3, Match: matching(isSYNACK)})
		require.NoError(t, err)
		var took []time.Duration
		for range 4 {
			started := l.Elapsed()
			c1, c2, err := pipe(l.A, l.B)
			require.NoError(t, err)
			took = append(took, (l.Elapsed() - started).Truncate(time.Second))
			c1.Abort()
			c2.Abort()
		}
		require.Equal(t, []time.Duration{0, 0, time.Second, 0}, took)
		require.Equal(t, []uint64{5, 1}, []uint64{r.Matches(), r.Hits()})
	})
}

// A server sends a SYN-ACK that is lost again, without being asked: after 1 s, and then after twice the time (RFC 6298, section 5.5).
func TestRuleDropsFirstSYNACKs(t *testing.T) {
	withRules(t, func(t *testing.T, l *testlab.Lab) {
		syns := 0
		var sent []time.Duration
		for _, r := range []netem.RuleConfig{
			{Name: "one SYN", Action: netem.ActDrop, Match: matching(func(s *layers.TCP) bool {
				if s.SYN && !s.ACK {
					syns++
				}
				return s.SYN && !s.ACK && syns > 1
			})},
			{Name: "seen", Action: netem.ActPass, Match: matching(func(s *layers.TCP) bool {
				if isSYNACK(s) {
					sent = append(sent, l.Elapsed())
				}
				return isSYNACK(s)
			})},
			{Name: "three", Action: netem.ActDrop, First: 3, Match: matching(isSYNACK)},
		} {
			_, err := l.Net.AddRule(r)
			require.NoError(t, err)
		}
		c1, c2, err := pipe(l.A, l.B)
		require.NoError(t, err)
		var since []time.Duration
		for _, at := range sent {
			since = append(since, (at - sent[0]).Round(time.Microsecond))
		}
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}, since)
		c1.Close()
		c2.Close()
	})
}

func isSYNACK(s *layers.TCP) bool { return s.SYN && s.ACK }
