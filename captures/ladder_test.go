package captures

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// ladderPackets are a short upload as the client sees it: the third segment is lost and resent.
func ladderPackets(t testing.TB) []*Packet {
	const rtt = 100 * time.Millisecond
	var packets []*Packet
	add := func(at time.Duration, frame []byte, comment string) {
		packets = append(packets, &Packet{Time: epoch.Add(at), Data: frame, Length: len(frame), Comment: comment})
	}
	up := func(seq uint32, n int) []byte {
		s := &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1000 + seq, Ack: 501, PSH: true, ACK: true, Window: 512}
		return tcpFrame(t, client4, server4, s, strings.Repeat("x", n))
	}
	down := func(ack uint32, options []layers.TCPOption) []byte {
		return tcpFrame(t, server4, client4, &layers.TCP{SrcPort: 5001, DstPort: 49152, Seq: 501, Ack: 1000 + ack, ACK: true, Window: 512, Options: options}, "")
	}
	add(0, tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1000, SYN: true, Window: 65535, Options: synOptions()}, ""), "")
	add(rtt, tcpFrame(t, server4, client4, &layers.TCP{SrcPort: 5001, DstPort: 49152, Seq: 500, Ack: 1001, SYN: true, ACK: true, Window: 65535, Options: synOptions()}, ""), "")
	add(rtt+1000, tcpFrame(t, client4, server4, &layers.TCP{SrcPort: 49152, DstPort: 5001, Seq: 1001, Ack: 501, ACK: true, Window: 512}, ""), "")
	add(rtt+2000, up(1, 1420), "")
	add(rtt+3000, up(1421, 1420), "dropped: random loss on client--server")
	add(rtt+4000, up(2841, 1420), "duplicate 1 of 2")
	add(2*rtt+2000, down(1421, nil), "")
	add(2*rtt+4000, down(1421, sackOption(3841, 5261)), "")
	add(2*rtt+5000, up(1421, 1420), "dropped: the queue of client--server is full, 64 KiB were waiting in it when the frame came, so it had to go")
	add(2*rtt+6000, icmp4Frame(t, router4, client4, 3, 4, 0, 1400, up(1421, 1420)[14:42]), "")
	add(2*rtt+7000, []byte("nonsense"), "")
	return packets
}

func TestLadder(t *testing.T) {
	two := []string{"client", "server"}
	for name, o := range map[string]LadderOptions{
		"ladder.txt":       {Nodes: two, Name: nameOf},
		"ladder-ascii.txt": {Nodes: two, Name: nameOf, ASCII: true},
		"ladder-all.txt":   {Name: nameOf, Start: epoch.Add(-time.Second)},
		"ladder-small.txt": {Nodes: two, Width: 48},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "ladder-small.txt" {
				o.Nodes = []string{"10.0.0.2", "10.0.0.1"}
			}
			var out strings.Builder
			require.NoError(t, Ladder(&out, ladderPackets(t), o))
			golden(t, name, []byte(out.String()))
			for _, line := range strings.Split(out.String(), "\n") {
				require.LessOrEqual(t, width(line), max(o.Width, 100))
				require.Equal(t, strings.TrimRight(line, " "), line)
			}
		})
	}
}

// Ports tell connections apart where there are several, and neighbours are found by whom they look for.
func TestLadderPortsAndNeighbours(t *testing.T) {
	frames := [][]byte{
		icmp6Frame(t, client6, netip.MustParseAddr("ff02::1:ff00:2"), 135, 0, append(make([]byte, 4), server6.AsSlice()...)),
		arpFrame(t, 1, client4, server4),
		udpFrame(t, client4, server4, 1000, 53, "x"),
		udpFrame(t, server6, client6, 2000, 53, "x"),
		tcpFrame(t, server4, client4, &layers.TCP{SrcPort: 80, DstPort: 3000, RST: true}, ""),
	}
	var packets []*Packet
	for i, f := range frames {
		packets = append(packets, &Packet{Time: epoch.Add(time.Duration(i) * time.Second), Data: f})
	}
	packets[4].Comment = "dropped: the link\x1b[31m is\ndown"
	var out strings.Builder
	require.NoError(t, Ladder(&out, packets, LadderOptions{Name: nameOf}))
	golden(t, "ladder-ports.txt", []byte(out.String()))
}

func TestLadderRefuses(t *testing.T) {
	require.EqualError(t, Ladder(os.Stdout, nil, LadderOptions{}), "captures: a ladder needs at least two nodes")
	err := Ladder(os.Stdout, nil, LadderOptions{Nodes: strings.Fields("a b c d e f g h i j k l m n o p")})
	require.EqualError(t, err, "captures: 16 nodes do not fit into 100 columns")
	err = Ladder(brokenWriter{}, ladderPackets(t), LadderOptions{Name: nameOf})
	require.EqualError(t, err, "captures: write: out of paper")
}
