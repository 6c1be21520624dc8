package story

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/captures/telemetry"
	"netlab/report"
)

// scene is a run made by hand: a client and a server behind a router, with one connection that both of them captured.
type scene struct {
	folder *report.Folder
	run    *analysis.Run
	stream *analysis.Stream
}

const ms = time.Millisecond

func address(name, addr string, port uint16) analysis.Address {
	return analysis.Address{Name: name, Addr: netip.MustParseAddr(addr), Port: port}
}

// newScene returns the run with a connection that was opened at 0 s in 20 ms, and is open still.
func newScene() *scene {
	view := func(capture int) analysis.View {
		v := &analysis.TCPStream{Ends: [2]analysis.Address{address("client", "10.0.0.1", 49152), address("server", "10.0.0.2", 80)}, LastFrame: 9, Last: 90 * ms}
		v.First = time.Duration(capture) * 10 * ms
		v.Handshake = analysis.Handshake{Complete: true, SYN: 1, SYNACK: 2, ACK: 3, Took: 20 * ms, SYNs: 1, SYNACKs: 1}
		v.Close.How = analysis.CloseOpen
		return analysis.View{Capture: capture, TCPStream: v}
	}
	s := &scene{
		folder: &report.Folder{},
		stream: &analysis.Stream{Client: "client:49152", Server: "server:80", Views: []analysis.View{view(0), view(1)}},
	}
	for _, n := range []string{"client", "r1", "server"} {
		kind := map[string]string{"r1": "router"}[n]
		s.folder.Topology.Nodes = append(s.folder.Topology.Nodes, report.Member[report.Node]{Name: n, Value: report.Node{Kind: kind}})
	}
	s.folder.Topology.Name = "scene"
	s.folder.Topology.Links = []report.Link{{Name: "client--r1", Between: "client - r1"}, {Name: "r1--server", Between: "r1 - server"}}
	s.run = &analysis.Run{Streams: []*analysis.Stream{s.stream}}
	for _, n := range []string{"client", "server"} {
		s.run.Captures = append(s.run.Captures, &analysis.Capture{Node: n, Path: "captures/" + n + ".pcapng", Analysis: &analysis.Analysis{}})
	}
	return s
}

// views changes both views of the connection.
func (s *scene) views(change func(v *analysis.TCPStream)) {
	for _, v := range s.stream.Views {
		change(v.TCPStream)
	}
}

// segment adds a packet of the connection that was seen where it was sent.
func (s *scene) segment(at time.Duration, side, frame int, flags uint8) *analysis.Journey {
	ends := [2]string{"client", "server"}
	j := &analysis.Journey{Index: len(s.run.Journeys), At: at, From: ends[side], To: ends[1-side], Protocol: "tcp", Stream: s.stream, Side: side, Flags: flags,
		Hops: []analysis.Hop{{Capture: side, Frame: frame, At: at}}}
	s.run.Journeys = append(s.run.Journeys, j)
	return j
}

// data adds a segment with 1,000 bytes from the client.
func (s *scene) data(at time.Duration, frame int, seq uint64) *analysis.Journey {
	j := s.segment(at, analysis.Client, frame, captures.ACK|captures.PSH)
	j.Seq, j.Length = seq, 1000
	return j
}

// datagram adds a packet of no connection.
func (s *scene) datagram(at time.Duration, frame int, protocol, from, to, text string) *analysis.Journey {
	j := s.segment(at, 0, frame, 0)
	j.Stream, j.Protocol, j.From, j.To, j.Text = nil, protocol, from, to, text
	return j
}

// lose drops a packet on the way to the router.
func lose(j *analysis.Journey, reason string) *analysis.Journey {
	j.Lost = &analysis.Loss{At: j.At, Node: "client", Link: "client--r1", Reason: reason, Frame: j.Hops[0].Frame}
	return j
}

// again adds the repetition of a segment.
func (s *scene) again(original *analysis.Journey, at time.Duration, frame int, kind analysis.Kind, why analysis.Cause, text string) *analysis.Repeat {
	j := s.data(at, frame, original.Seq)
	j.Side, j.Length, j.Flags = original.Side, original.Length, original.Flags
	j.Hops[0].Capture = original.Hops[0].Capture
	r := &analysis.Repeat{
		Retransmission: &analysis.Retransmission{Kind: kind, Frame: frame, At: at, Original: original.Hops[0].Frame, OriginalAt: original.At,
			Seq: original.Seq, Length: original.Length, Side: original.Side},
		Stream: s.stream, From: original.Side, Capture: original.Hops[0].Capture, Journey: j, Original: original, Why: why, Text: text,
	}
	j.Repeat = r
	s.stream.Repeats = append(s.stream.Repeats, r)
	s.run.Repeats = append(s.run.Repeats, r)
	return r
}

// Each kind of thing that happens is told in its own words.
func TestSentences(t *testing.T) {
	for _, c := range []struct {
		name  string
		kind  Kind
		scene func(s *scene)
		want  []string
	}{
		{"opened", Handshake, func(*scene) {}, []string{
			"At 0.000 s client opened a connection to server:80 (stream 0): SYN, SYN-ACK and ACK took 20 ms (frames 1, 2 and 3 in client.pcapng)."}},
		{"unanswered", Handshake, func(s *scene) {
			s.views(func(v *analysis.TCPStream) { v.Handshake = analysis.Handshake{SYN: 1, SYNs: 1} })
		}, []string{"At 0.000 s client wanted to open a connection to server:80 (stream 0), and no answer came (frame 1 in client.pcapng)."}},
		{"refused", Handshake, func(s *scene) {
			s.views(func(v *analysis.TCPStream) {
				v.Handshake, v.Close.Frame = analysis.Handshake{SYN: 1, Refused: true}, 2
			})
		}, []string{"At 0.000 s client wanted to open a connection to server:80 (stream 0), and was refused: a RST answered the SYN (frames 1 and 2 in client.pcapng)."}},
		{"half open", Handshake, func(s *scene) {
			s.views(func(v *analysis.TCPStream) { v.Handshake = analysis.Handshake{SYN: 1, SYNACK: 2} })
		}, []string{"At 0.000 s client sent a SYN to server:80 (stream 0), which was answered, but the connection was not completed (frames 1 and 2 in client.pcapng)."}},
		{"open before", Handshake, func(s *scene) {
			s.views(func(v *analysis.TCPStream) { v.Handshake, v.FirstFrame = analysis.Handshake{}, 1 })
		}, []string{"At 0.000 s the first packet of a connection between client:49152 and server:80 is seen, which was open already (stream 0) (frame 1 in client.pcapng)."}},
		{"one write", Transfer, func(s *scene) {
			s.views(func(v *analysis.TCPStream) {
				v.Sides[0].Unique, v.Sides[0].FirstByte, v.Sides[0].LastByte = 56, 30*ms, 30*ms
			})
		}, []string{"At 0.030 s client sent 56 bytes to server over stream 0."}},
		{"transfer", Transfer, func(s *scene) {
			s.views(func(v *analysis.TCPStream) {
				d := &v.Sides[0]
				d.Unique, d.FirstByte, d.LastByte, d.Throughput, d.RetransmittedBytes = 200_000, 30*ms, time.Second, 1e5, 1000
			})
		}, []string{"From 0.030 s on client sent 200,000 bytes to server over stream 0, the last of them at 1.000 s: 800 kbit/s. " +
			"The 1,000 bytes that it sent again are not counted in that."}},
		{"closed", Close, func(s *scene) {
			s.views(func(v *analysis.TCPStream) { v.Close.How, v.Close.At, v.Close.Frame = analysis.CloseFIN, 90*ms, 8 })
		}, []string{"At 0.090 s client began to close stream 0 with a FIN (frame 8 in client.pcapng), and server closed its side, too."}},
		{"half closed", Close, func(s *scene) {
			s.views(func(v *analysis.TCPStream) { v.Close.How, v.Close.At, v.Close.Frame = analysis.CloseHalf, 90*ms, 8 })
		}, []string{"At 0.090 s client closed its side of stream 0 with a FIN (frame 8 in client.pcapng); server never closed its own."}},
		{"left open", Close, func(*scene) {}, []string{"Stream 0, from client:49152 to server:80, was not closed; its last packet is seen at 0.090 s (frame 9 in client.pcapng)."}},
		{"reset", Reset, func(s *scene) {
			s.views(func(v *analysis.TCPStream) {
				v.Close.How, v.Close.At, v.Close.Frame, v.Close.Side = analysis.CloseReset, 90*ms, 8, analysis.Server
			})
		}, []string{"At 0.090 s the connection of stream 0 was reset by server (frame 8 in client.pcapng)."}},
		{"fast retransmit", Loss, func(s *scene) {
			s.again(lose(s.data(30*ms, 4, 1), "queue full"), 60*ms, 7, analysis.Fast, analysis.OriginalLost, "").DuplicateACKs = 3
			s.folder.Telemetry = &telemetry.File{Connections: []*telemetry.Connection{{Node: "client", Local: "10.0.0.1:49152", Remote: "10.0.0.2:80",
				Points: telemetry.Points{{T: 50 * ms, Cwnd: 81}, {T: 60 * ms, Cwnd: 57}}}}}
		}, []string{"At 0.030 s the segment with seq 1 (1,000 bytes) of stream 0 (frame 4 in client.pcapng) was dropped on client -> r1: queue full. " +
			"Three duplicate ACKs later, at 0.060 s, client sent it again (frame 7 in client.pcapng) by fast retransmit, 30 ms after the original. " +
			"The congestion window of client fell from 81 segments to 57."}},
		{"dropped by a rule", Loss, func(s *scene) {
			s.again(lose(s.data(30*ms, 4, 1), `rule "once"`), 240*ms, 7, analysis.TailLossProbe, analysis.OriginalLost, "")
		}, []string{"At 0.030 s the segment with seq 1 (1,000 bytes) of stream 0 (frame 4 in client.pcapng) was dropped on client -> r1 by the packet rule \"once\". " +
			"No ACK came, and nothing followed that could have shown the gap: at 0.240 s, after 210 ms, client sent it again (frame 7 in client.pcapng) " +
			"as a tail loss probe."}},
		{"timeouts", Loss, func(s *scene) {
			first := lose(s.data(30*ms, 4, 1), "partition")
			second := lose(s.again(first, 230*ms, 5, analysis.Timeout, analysis.OriginalLost, "").Journey, "partition")
			s.again(second, 630*ms, 6, analysis.Timeout, analysis.OriginalLost, "")
		}, []string{"At 0.030 s the segment with seq 1 (1,000 bytes) of stream 0 (frame 4 in client.pcapng) was dropped on client -> r1: partition. " +
			"No ACK for it came to client, which sent it again twice, at 0.230 s and 0.630 s (frames 5 and 6 in client.pcapng), after waits of 200 ms " +
			"and 400 ms: each time its retransmission timer ran out, it doubled the timer. The second got through."}},
		{"spurious", Loss, func(s *scene) {
			s.again(s.data(30*ms, 4, 1), 60*ms, 7, analysis.Spurious, analysis.Late, "the original (frame 4 in client.pcapng) was still on its way")
		}, []string{"At 0.030 s client sent the segment with seq 1 (1,000 bytes) of stream 0 (frame 4 in client.pcapng); it was still on its way. " +
			"At 0.060 s, after 30 ms, client sent it again (frame 7 in client.pcapng), which was not needed: a spurious retransmission."}},
		{"lost ACKs", Loss, func(s *scene) {
			for i := range 2 {
				j := s.segment(time.Duration(40+10*i)*ms, analysis.Server, 4+i, captures.ACK)
				j.Lost = &analysis.Loss{At: j.At, Node: "server", Link: "r1--server", Reason: "random loss"}
			}
		}, []string{"From 0.040 s to 0.050 s two ACKs from server to client over stream 0 were dropped on server -> r1: random loss (the first is frame 4 in " +
			"server.pcapng). ACKs are not sent again: a later one says the same and more."}},
		{"closed window", Window, func(s *scene) {
			s.segment(40*ms, analysis.Server, 5, captures.ACK).Marks = analysis.Marks(analysis.MarkZeroWindow)
			s.segment(70*ms, analysis.Server, 6, captures.ACK)
		}, []string{"At 0.040 s server had no more room for what client sent over stream 0: it announced a window of 0 (frame 5 in server.pcapng). " +
			"After 30 ms, at 0.070 s, server opened the window again (frame 6 in server.pcapng)."}},
		{"pings", Datagram, func(s *scene) {
			for i := range 3 {
				at := time.Duration(i) * 100 * ms
				request := s.datagram(at, 2*i+1, "icmp", "client", "server", "ICMP echo request")
				if i == 2 {
					lose(request, "random loss")
					continue
				}
				reply := s.datagram(at+20*ms, 2*i+2, "icmp", "server", "client", "ICMP echo reply")
				if i == 1 {
					lose(reply, "random loss")
				}
			}
		}, []string{"From 0.000 s to 0.200 s client pinged server three times (frame 1 in client.pcapng); one reply came back. The network lost one request and one reply."}},
		{"faults", Fault, func(s *scene) {
			s.folder.Events = []report.Event{{TimeNS: 1e9, Kind: "crash", Node: "server"}, {TimeNS: 2e9, Kind: "link-down", Link: "client--r1", Dir: "forward"},
				{TimeNS: 2e9, Kind: "link-down", Link: "client--r1", Dir: "backward"}}
		}, []string{"At 1.000 s server crashed: all its connections and what its programs held in memory were gone, without a word to anybody.",
			"At 2.000 s the link client--r1 went down."}},
		{"names", Name, func(s *scene) {
			s.run.Captures[0].DNS.Exchanges = []*analysis.DNSExchange{{Client: "client:5353", Server: "server:53", Name: "www.lab", Type: "A", Code: "NXDOMAIN",
				Query: 1, Response: 2, Took: 20 * ms}}
		}, []string{"At 0.000 s client asked server for the A record of www.lab; after 20 ms the answer was NXDOMAIN (frames 1 and 2 in client.pcapng)."}},
		{"requests", Request, func(s *scene) {
			s.run.Captures[0].HTTP.Exchanges = []*analysis.HTTPExchange{{Method: "GET", Target: "/\x1b]0;owned\a", Host: "server", Version: "HTTP/1.1", Request: 4,
				RequestAt: 30 * ms, Response: 5, End: 5, Status: 200, FirstByte: 20 * ms, Took: 20 * ms}}
		}, []string{`At 0.030 s client requested GET /\x1b]0;owned\a of server over stream 0 (HTTP/1.1); the answer, 200 with 0 bytes, came after 20 ms ` +
			"(frames 4 and 5 in client.pcapng)."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			c.scene(s)
			told, err := Make(s.folder, s.run, Options{Limit: -1})
			require.NoError(t, err)
			var got []string
			for _, e := range told.Sentences {
				if e.Kind == c.kind {
					got = append(got, e.Text)
				}
			}
			require.Equal(t, c.want, got)
		})
	}
}

// What is told again counts what came later, and names the last of it: first of the same nodes, then elsewhere.
func TestFold(t *testing.T) {
	s := &Story{Sentences: []Sentence{
		{At: 1 * ms, Kind: Close, Text: "a.", pattern: "x1"}, {At: 2 * ms, Kind: Close, Text: "b.", pattern: "y1"},
		{At: 3 * ms, Kind: Close, Text: "c.", pattern: "y1"}, {At: 9 * ms, Kind: Close, Text: "d.", pattern: "x1", Frames: []Frame{{"n", 7}}},
		{At: 10 * ms, Kind: Close, Text: "e."}, {At: 11 * ms, Kind: Close, Text: "f."},
	}}
	s.fold(func(e *Sentence) string { return e.pattern }, "")
	require.Len(t, s.Sentences, 4)
	s.fold(func(e *Sentence) string { return strings.Trim(e.pattern, "xy") }, " elsewhere")
	require.Equal(t, "a. The same happened once more, at 0.009 s (frame 7 in n's capture). The like happened two more times elsewhere, the last time at 0.003 s.",
		s.Sentences[0].Text)
	require.Equal(t, 3, s.Sentences[0].Times)
	require.Equal(t, 9*ms, s.Sentences[0].Until)
	require.Equal(t, "e.", s.Sentences[1].Text)
}

// Nothing of a capture reaches a terminal that could steer it, whatever a node or a note is called.
func TestPrintable(t *testing.T) {
	require.Equal(t, "größe 東京 µ", printable("größe 東京 µ"))
	require.Equal(t, `a\x1b[31m\u202eb c\u009b \u00a0�`, printable("a\x1b[31m\u202eb\nc\u009b \u00a0\xff"))
	s := newScene()
	s.folder.Topology.Name = "evil\x1b[2J"
	s.stream.Client, s.run.Notes = "cl\x9b31mient:1", []string{"note\a"}
	var b bytes.Buffer
	require.NoError(t, Tell(&b, s.folder, s.run, Options{}))
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\a")
	require.NotContains(t, b.String(), "\x9b")
	require.Contains(t, b.String(), `evil\x1b[2J`)
}
