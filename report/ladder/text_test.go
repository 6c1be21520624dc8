package ladder

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures/analysis"
)

const (
	up   = "client:49152 > server:5001 "
	down = "server:5001 > client:49152 "
)

// upload is a short one: a segment is lost behind the router and sent again, its repetition is lost before the router, and an answer on
// either link.
func upload(t *testing.T) *lab {
	l := uploadLab(t)
	l.send(0, "client r1 server", up+"[SYN] seq 0 win 65535 <mss 1460, sack, wscale 7>")
	l.send(2*hop, "server r1 client", down+"[SYN, ACK] seq 0 ack 1 win 65535 <mss 1460, sack, wscale 7>")
	l.send(4*hop, "client r1 server", up+"[ACK] seq 1 ack 1")
	l.send(4*hop+1000, "client r1 server", up+"[PSH, ACK] seq 1 ack 1 len 1420")
	original := l.send(4*hop+2000, "client r1 x server", up+"[PSH, ACK] seq 1421 ack 1 len 1420")
	l.send(4*hop+3000, "client r1 server", up+"[PSH, ACK] seq 2841 ack 1 len 1420").Comments = []string{"duplicate 1 of 2"}
	l.send(6*hop+1000, "server r1 client", down+"[ACK] seq 1 ack 1421")
	l.send(6*hop+3000, "server r1 client", down+"[ACK] seq 1 ack 1421 sack 2841-4261")
	again := l.send(8*hop+3000, "client x r1 server", up+"[PSH, ACK] seq 1421 ack 1 len 1420")
	l.again(again, original, analysis.Fast, analysis.OriginalLost)
	again.Lost.Reason = "queue full, 64 KiB were waiting in it when the frame came, so it had to go"
	third := l.send(20*hop, "client r1 server", up+"[PSH, ACK] seq 1421 ack 1 len 1420")
	l.again(third, again, analysis.Timeout, analysis.OriginalLost)
	l.send(22*hop, "server r1 x client", down+"[ACK] seq 1 ack 4261")
	l.send(23*hop, "server x r1 client", down+"[FIN, ACK] seq 1 ack 4261")
	last := l.send(43*hop, "client r1 server", up+"[PSH, ACK] seq 1421 ack 1 len 1420")
	l.again(last, third, analysis.Spurious, analysis.ACKLost)
	l.send(45*hop, "server r1 client", down+"[RST] seq 2")
	return l
}

func TestText(t *testing.T) {
	two := []string{"client", "server"}
	for name, c := range map[string]struct {
		o  Options
		to TextOptions
	}{
		"upload.txt":       {},
		"upload-80.txt":    {to: TextOptions{Width: 80}},
		"upload-160.txt":   {to: TextOptions{Width: 160}},
		"upload-ascii.txt": {Options{Nodes: two}, TextOptions{ASCII: true}},
		"upload-two.txt":   {Options{Nodes: two}, TextOptions{}},
		"upload-right.txt": {Options{Nodes: []string{"r1", "server"}}, TextOptions{Width: 80}},
		"upload-small.txt": {Options{Nodes: []string{"server", "client"}}, TextOptions{Width: 50}},
		"upload-odd.txt":   {Options{Nodes: []string{"client", "server", "r1"}}, TextOptions{}},
		"upload-hops.txt":  {Options{Hops: true}, TextOptions{}},
		"upload-color.txt": {Options{}, TextOptions{Color: true}},
		"upload-limit.txt": {Options{Limit: 4, Events: []Event{{3 * hop, "link r1--server goes down"}, {time.Second, "never seen"}}},
			TextOptions{Hint: "--limit 0 shows all"}},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, upload(t).text(c.o, c.to)) })
	}
}

// Colours change nothing but the colours.
func TestColors(t *testing.T) {
	plain, colored := upload(t).text(Options{}, TextOptions{}), upload(t).text(Options{}, TextOptions{Color: true})
	for i, n := range sgr {
		if style(i) != styleNone {
			colored = bytes.ReplaceAll(colored, []byte("\x1b["+n+"m"), nil)
		}
	}
	require.Equal(t, string(plain), string(bytes.ReplaceAll(colored, []byte("\x1b[0m"), nil)))
}

// Broadcasts have a head at each node that received one, whether the sender stands at a side or between the others; a switch has no column
// unless it is asked for. A packet that is lost behind the switch has its mark there.
func TestBroadcast(t *testing.T) {
	make := func() *lab {
		l := newLab(t, []string{"host1 - sw", "host2 - sw", "host3 - sw"})
		flood := func(at time.Duration, from string, to []string, text string) *analysis.Journey {
			j := l.send(at, from+" sw", text)
			for _, node := range to {
				l.walk(j, at+hop, []string{"sw", node})
			}
			j.Protocol = "arp"
			return j
		}
		flood(0, "host1", []string{"host2", "host3"}, "ARP who has host3? tell host1").To = "host3"
		l.send(2*hop, "host3 sw host1", "ARP host3 is at 02:00:00:00:00:03").Protocol = "arp"
		flood(4*hop, "host2", []string{"host1", "host3"}, "ICMPv6 host2 > ff02::1:ff00:3 neighbor solicitation for host3").To = "ff02::1:ff00:3"
		l.send(6*hop, "host1 sw x host3", "UDP host1:5000 > host3:53 len 36: DNS query A www.lab").Protocol = "dns"
		l.send(8*hop, "host1 sw .", "UDP host1:5000 > host3:53 len 36: DNS query A www.lab").To = "host3"
		return l
	}
	golden(t, "broadcast.txt", make().text(Options{}, TextOptions{}))
	golden(t, "broadcast-switch.txt", make().text(Options{Nodes: []string{"host1", "sw", "host2", "host3"}, Hops: true}, TextOptions{Width: 90}))
}

// Behind a NAT the addresses are others, but the packet is the same. What the outside shows alone has its sender outside the picture.
func TestNAT(t *testing.T) {
	l := newLab(t, []string{"phone - home", "home - server"})
	l.send(0, "phone home server", "UDP phone:4000 > server:53 len 20")
	back := l.send(3*hop, "server home phone", "UDP server:53 > home:4000 len 30")
	require.Equal(t, "home", back.To)
	golden(t, "nat.txt", l.text(Options{}, TextOptions{Width: 80}))
	l.send(5*hop, "server home .", "UDP server:53 > home:4001 len 30")
	golden(t, "nat-outside.txt", l.text(Options{Nodes: []string{"home", "server"}}, TextOptions{Width: 80}))
}

// Each router answers a packet that may go no further; with many columns the labels leave the routers' life lines visible.
func TestRouters(t *testing.T) {
	l := newLab(t, []string{"client - r1", "r1 - r2", "r2 - r3", "r3 - server"})
	for i, path := range []string{"client r1 .", "client r1 r2 .", "client r1 r2 r3 .", "client r1 r2 r3 server"} {
		at := time.Duration(i) * time.Second
		j := l.send(at, path, "UDP client:33434 > server:33435 len 32")
		j.Protocol = "udp"
		names := strings.Fields(strings.TrimSuffix(path, " ."))
		for a, b := 0, len(names)-1; a < b; a, b = a+1, b-1 {
			names[a], names[b] = names[b], names[a]
		}
		l.send(at+100*time.Millisecond, strings.Join(names, " "), "ICMP "+names[0]+" > client time exceeded in transit").Protocol = "icmp"
	}
	golden(t, "routers.txt", l.text(Options{}, TextOptions{}))
	golden(t, "routers-80.txt", l.text(Options{}, TextOptions{Width: 80}))
	golden(t, "routers-ends.txt", l.text(Options{Nodes: []string{"client", "server"}}, TextOptions{Width: 80}))
}

// Only r1 has a capture: where a packet came from and where it went is told by its addresses.
func TestOneCapture(t *testing.T) {
	l := newLab(t, []string{"client - r1", "r1 - server"}, "client", "server")
	l.send(0, "client r1 server", up+"[SYN] seq 0")
	l.send(2*hop, "server r1 client", down+"[SYN, ACK] seq 0 ack 1")
	l.send(4*hop, "client r1 x server", up+"[ACK] seq 1 ack 1")
	golden(t, "one-capture.txt", l.text(Options{}, TextOptions{Width: 80}))
}

// In a capture that netlab didn't make, packets go straight between addresses.
func TestForeign(t *testing.T) {
	l := uploadLab(t)
	l.network = nil
	l.run.Captures = []*analysis.Capture{{Node: "dump"}}
	for i, text := range []string{
		"10.0.0.1:49152 > 10.0.0.2:80 [SYN] seq 0", "[fd00::1]:3000 > [fd00::2]:80 [RST, ACK] seq 1 ack 1",
		"ICMPv6 fd00::1 > ff02::1:ff00:2 neighbor solicitation for fd00::2", "ARP who has 10.0.0.2? tell 10.0.0.1",
		"10.0.0.1:49152 > 10.0.0.2:80 [PSH, ACK] seq 1 ack 1 len 20: GET /a\x1b[31mb HTTP/1.1",
	} {
		j := &analysis.Journey{Index: i, At: time.Duration(i) * time.Second, Text: text, Hops: []analysis.Hop{{}}}
		j.From, j.To = "10.0.0.1", "10.0.0.2"
		if strings.Contains(text, "fd00") {
			j.From, j.To = "fd00::1", "fd00::2"
		}
		l.run.Journeys = append(l.run.Journeys, j)
	}
	golden(t, "foreign.txt", l.text(Options{}, TextOptions{}))
}

// What applications say stands on the arrow, shortened where room is short.
func TestMessages(t *testing.T) {
	l := uploadLab(t)
	long := "HTTP/2 HEADERS stream 1: GET /" + strings.Repeat("path/", 30)
	for i, m := range []string{"TLS ServerHello, TLS Certificate, TLS Finished", "HTTP/2 HEADERS stream 1: GET /", long, "GET / HTTP/1.1"} {
		l.send(time.Duration(i)*time.Second, "client r1 server", up+"[PSH, ACK] seq 1 ack 1 len 294: "+m).Message = m
		j := l.send(time.Duration(i)*time.Second+2*hop, "server r1 x client", down+"[PSH, ACK] seq 1 ack 1 len 294: "+m)
		j.Message = m
	}
	golden(t, "messages.txt", l.text(Options{}, TextOptions{}))
	golden(t, "messages-80.txt", l.text(Options{Nodes: []string{"client", "server"}}, TextOptions{Width: 80}))
	golden(t, "messages-ascii.txt", l.text(Options{}, TextOptions{Width: 80, ASCII: true}))
}

// Long stretches of plain segments are one line; what is sent again, or is anything else, stays.
func TestFold(t *testing.T) {
	l := uploadLab(t)
	l.send(0, "client r1 server", up+"[SYN] seq 0")
	var original *analysis.Journey
	for i := range 2000 {
		at := time.Duration(i+10) * time.Millisecond
		if i == 1500 {
			original = l.send(at, "client r1 x server", up+"[ACK] seq 1 ack 1 len 1420")
			continue
		}
		l.send(at, "client r1 server", up+"[ACK] seq 1 ack 1 len 1420")
	}
	l.again(l.send(3*time.Second, "client r1 server", up+"[ACK] seq 1 ack 1 len 1420"), original, analysis.Fast, analysis.OriginalLost)
	for i := range 20 {
		l.send(time.Duration(3100+i)*time.Millisecond, "server r1 client", down+"[ACK] seq 1 ack 1421")
	}
	golden(t, "fold.txt", l.text(Options{Fold: true}, TextOptions{Width: 80}))
	golden(t, "fold-ascii.txt", l.text(Options{Fold: true, Nodes: []string{"client", "server"}}, TextOptions{Width: 80, ASCII: true}))
	golden(t, "fold-limit.txt", l.text(Options{Fold: true, Limit: 5}, TextOptions{Width: 80}))
}

// Columns stand so that links join neighbours.
func TestOrder(t *testing.T) {
	l := newLab(t, []string{"a - r2", "b - r1", "r1 - r2", "r2 - server"})
	l.send(0, "a r2 server", "UDP a:1 > server:2 len 1")
	l.send(hop, "b r1 r2 server", "UDP b:1 > server:2 len 1")
	l.send(2*hop, "b r1 r2 a", "UDP b:1 > a:2 len 1")
	require.Equal(t, []string{"a", "r2", "server", "r1", "b"}, l.ladder(Options{}).Columns())
	chain := newLab(t, []string{"r1 - client", "r2 - r1", "server - r2"})
	chain.send(0, "client r1 .", "UDP client:1 > server:2 len 1")
	chain.send(hop, "server r2 r1 client", "UDP server:1 > client:2 len 1")
	require.Equal(t, []string{"client", "r1", "r2", "server"}, chain.ladder(Options{}).Columns())
}

func TestRefuses(t *testing.T) {
	l := uploadLab(t)
	_, err := New(l.run, l.network, nil, Options{})
	require.ErrorIs(t, err, ErrFewNodes)
	_, err = New(l.run, l.network, nil, Options{Nodes: []string{"client"}})
	require.ErrorIs(t, err, ErrFewNodes)
	_, err = New(l.run, l.network, nil, Options{Nodes: []string{"client", "sever"}})
	require.EqualError(t, err, `there is no node "sever"; did you mean server?`)
	_, err = New(l.run, l.network, nil, Options{Nodes: []string{"client", "client"}})
	require.EqualError(t, err, `node "client" is named twice`)

	var links []string
	names := strings.Fields("a b c d e f g h i j k l")
	for i := range names[1:] {
		links = append(links, names[i]+" - "+names[i+1])
	}
	wide := newLab(t, links)
	wide.send(0, strings.Join(names, " "), "UDP a:1 > l:2 len 1")
	err = wide.ladder(Options{}).Text(&bytes.Buffer{}, TextOptions{})
	var width *WidthError
	require.ErrorAs(t, err, &width)
	require.EqualError(t, err, "12 nodes need a width of 105, and it is 100")
	require.NoError(t, wide.ladder(Options{}).Text(&bytes.Buffer{}, TextOptions{Width: width.Needed}))
	golden(t, "wide.txt", wide.text(Options{}, TextOptions{Width: 160}))

	require.EqualError(t, upload(t).ladder(Options{}).Text(brokenWriter{}, TextOptions{}), "ladder: write: out of paper")
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("out of paper") }

// At links without delay all sightings of a packet have the same time, and come in any order.
func TestNoDelay(t *testing.T) {
	l := uploadLab(t)
	j := l.send(0, "server r1 client", down+"[ACK] seq 1 ack 1")
	for i := range j.Hops {
		j.Hops[i].At = 0
	}
	j.Hops[0], j.Hops[2] = j.Hops[2], j.Hops[0]
	j.Hops[1], j.Hops[3] = j.Hops[3], j.Hops[1]
	require.Contains(t, string(l.text(Options{Nodes: []string{"client", "server"}}, TextOptions{Width: 60})), "│←──")
	require.Contains(t, string(l.text(Options{Nodes: []string{"client", "r1", "server"}}, TextOptions{Width: 60})), "┼")
}
