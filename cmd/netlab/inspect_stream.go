package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"netlab/captures/analysis"
)

// streamDetail is one TCP connection with all that is known of it.
type streamDetail struct {
	TCP *analysis.TCPStream `json:"tcp"`
	// Frames are the frames with each mark, the first few of them, by side.
	Frames [2]map[string][]int `json:"frames_by_mark"`
	// HTTP are the exchanges over it.
	HTTP []*analysis.HTTPExchange `json:"http,omitempty"`
}

// maxMarkedFrames is how many frames with a mark are named.
const maxMarkedFrames = 10

func newStreamDetail() *streamDetail {
	return &streamDetail{Frames: [2]map[string][]int{{}, {}}}
}

// frame takes a frame down if it belongs to the stream.
func (d *streamDetail) frame(f *analysis.Frame, stream int) {
	if f.Stream == nil || f.Stream.Index != stream || f.Marks == 0 {
		return
	}
	for _, word := range f.Marks.Words() {
		if list := d.Frames[f.Side][word]; len(list) < maxMarkedFrames {
			d.Frames[f.Side][word] = append(list, f.Number)
		}
	}
}

// finish picks the stream from the analysis and says whether it is there.
func (d *streamDetail) finish(a *analysis.Analysis, stream int) bool {
	i := slices.IndexFunc(a.TCP, func(s *analysis.TCPStream) bool { return s.Index == stream })
	if i < 0 {
		return false
	}
	d.TCP = a.TCP[i]
	for _, x := range a.HTTP.Exchanges {
		if x.Stream == stream {
			d.HTTP = append(d.HTTP, x)
		}
	}
	return true
}

// detail prints a stream in full.
func (f *inspectFlags) detail(p *page, found *inspected) {
	d := found.Stream
	s := d.TCP
	p.heading(fmt.Sprintf("TCP stream %d: %s > %s", s.Index, s.Ends[analysis.Client], s.Ends[analysis.Server]))
	what := s.Protocol
	if what == "" {
		what = "not known"
	}
	if !f.narrowed() { // else streams may have other numbers there
		f.facts(p, "in Wireshark", fmt.Sprintf("tcp.stream == %d", s.Index))
	}
	f.facts(p, "application", what)
	f.facts(p, "frames", fmt.Sprintf("%s, frame %d at %s to frame %d at %s, %s", printCount(uint64(s.Frames)), s.FirstFrame, printDuration(s.First),
		s.LastFrame, printDuration(s.Last), printDuration(s.Last-s.First)))
	f.facts(p, "handshake", handshake(&s.Handshake))
	f.facts(p, "close", ending(s))
	f.sides(p, d)
	f.repeats(p, s)
	if t := s.TLS; t != nil {
		f.session(p, t)
	}
	if len(d.HTTP) > 0 {
		p.heading("exchanges")
		f.exchanges(p, d.HTTP)
	}
}

// handshake says how a connection was opened.
func handshake(h *analysis.Handshake) string {
	if h.SYNs+h.SYNACKs == 0 {
		return "not captured"
	}
	part := func(name string, frame int) string {
		if frame == 0 {
			return name + " not captured"
		}
		return fmt.Sprintf("%s in frame %d", name, frame)
	}
	text := part("SYN", h.SYN) + ", " + part("SYN-ACK", h.SYNACK)
	if h.SYNACK != 0 && h.SYN != 0 {
		text += " after " + printDuration(h.SYNACKAt-h.SYNAt)
	}
	text += ", " + part("ACK", h.ACK)
	if h.Complete {
		text += ", took " + printDuration(h.Took)
	}
	if h.SYNs > 1 || h.SYNACKs > 1 {
		text += fmt.Sprintf(", %d SYN, %d SYN-ACK", h.SYNs, h.SYNACKs)
	}
	if h.Refused {
		text += ", refused by a RST"
	}
	return text
}

// ending says how a connection ended.
func ending(s *analysis.TCPStream) string {
	if s.Close.How == analysis.CloseOpen || s.Close.How == "" {
		return "not closed while it was captured"
	}
	how := map[string]string{analysis.CloseFIN: "both sides closed (FIN)", analysis.CloseHalf: "one side closed (FIN)", analysis.CloseReset: "reset (RST)"}[s.Close.How]
	return fmt.Sprintf("%s, %s began in frame %d at %s", how, s.Ends[s.Close.Side], s.Close.Frame, printDuration(s.Close.At))
}

// sides prints the statistics of both sides next to each other.
func (f *inspectFlags) sides(p *page, d *streamDetail) {
	s := d.TCP
	p.linef("")
	t := &table{columns: []column{{}, {title: s.Ends[0].String(), right: true}, {title: s.Ends[1].String(), right: true}}}
	row := func(name string, cell func(*analysis.Side) string) {
		t.add(name, cell(&s.Sides[0]), cell(&s.Sides[1]))
	}
	number := func(name string, n func(*analysis.Side) int) {
		row(name, func(x *analysis.Side) string { return printCount(uint64(n(x))) })
	}
	size := func(name string, n func(*analysis.Side) uint64) {
		row(name, func(x *analysis.Side) string { return printBytes(n(x)) })
	}
	yes := func(on bool) string { return map[bool]string{true: "yes", false: "no"}[on] }
	number("segments", func(x *analysis.Side) int { return x.Frames })
	size("payload", func(x *analysis.Side) uint64 { return x.Bytes })
	size("unique payload", func(x *analysis.Side) uint64 { return x.Unique })
	size("on the wire", func(x *analysis.Side) uint64 { return x.Wire })
	row("MSS", func(x *analysis.Side) string {
		if x.MSS == 0 {
			return "–"
		}
		return printBytes(uint64(x.MSS))
	})
	row("window scale", func(x *analysis.Side) string {
		if x.Scale < 0 {
			return "–"
		}
		return fmt.Sprintf("%d (× %d)", x.Scale, 1<<x.Scale)
	})
	row("SACK offered", func(x *analysis.Side) string { return yes(x.SACK) })
	row("timestamps", func(x *analysis.Side) string { return yes(x.Timestamps) })
	size("window, min", func(x *analysis.Side) uint64 { return x.MinWindow })
	size("window, max", func(x *analysis.Side) uint64 { return x.MaxWindow })
	for _, kind := range []analysis.Kind{analysis.Fast, analysis.Timeout, analysis.TailLossProbe, analysis.Spurious, analysis.Handshakes, analysis.Probe, analysis.Copy} {
		if s.Sides[0].Retransmitted[kind]+s.Sides[1].Retransmitted[kind] > 0 {
			number("sent again: "+string(kind), func(x *analysis.Side) int { return x.Retransmitted[kind] })
		}
	}
	size("payload sent again", func(x *analysis.Side) uint64 { return x.RetransmittedBytes })
	number("timeouts", func(x *analysis.Side) int { return x.Timeouts })
	number("out of order", func(x *analysis.Side) int { return x.OutOfOrder })
	number("gaps in the capture", func(x *analysis.Side) int { return x.LostSegments })
	number("duplicate ACKs", func(x *analysis.Side) int { return x.DuplicateACKs })
	number("SACK blocks", func(x *analysis.Side) int { return x.SACKBlocks })
	number("DSACKs", func(x *analysis.Side) int { return x.DSACKs })
	number("zero windows", func(x *analysis.Side) int { return x.ZeroWindows })
	number("window updates", func(x *analysis.Side) int { return x.WindowUpdates })
	number("window full", func(x *analysis.Side) int { return x.WindowFulls })
	number("keep-alives", func(x *analysis.Side) int { return x.KeepAlives })
	number("ECN marks", func(x *analysis.Side) int { return x.ECNMarks })
	number("FIN", func(x *analysis.Side) int { return x.FINs })
	number("RST", func(x *analysis.Side) int { return x.Resets })
	rtt := func(name string, cell func(analysis.RTT) string) {
		row(name, func(x *analysis.Side) string {
			if x.RTT.Count == 0 {
				return "–"
			}
			return cell(x.RTT)
		})
	}
	rtt("RTT samples", func(r analysis.RTT) string { return printCount(uint64(r.Count)) })
	rtt("RTT min", func(r analysis.RTT) string { return printDuration(r.Min) })
	rtt("RTT avg", func(r analysis.RTT) string { return printDuration(r.Avg) })
	rtt("RTT max", func(r analysis.RTT) string { return printDuration(r.Max) })
	rtt("RTT std deviation", func(r analysis.RTT) string { return printDuration(r.StdDev) })
	size("most in flight", func(x *analysis.Side) uint64 { return x.MaxInFlight })
	payload := func(name string, cell func(*analysis.Side) string) {
		row(name, func(x *analysis.Side) string {
			if x.Bytes == 0 {
				return "–"
			}
			return cell(x)
		})
	}
	payload("first payload at", func(x *analysis.Side) string { return printDuration(x.FirstByte) })
	payload("last payload at", func(x *analysis.Side) string { return printDuration(x.LastByte) })
	row("throughput", throughput)
	row("longest idle", func(x *analysis.Side) string { return printDuration(x.LongestIdle) })
	t.print(p, "  ", f.width)
	f.marked(p, d)
}

// marked names frames with special marks.
func (f *inspectFlags) marked(p *page, d *streamDetail) {
	t := &table{columns: []column{{title: "sender", cut: true}, {title: "what"}, {title: "frames", cut: true}}}
	for side, marks := range d.Frames {
		for m := analysis.Mark(1); m.String() != "unknown"; m <<= 1 {
			list := marks[m.String()]
			if len(list) == 0 || m == analysis.MarkRetransmission {
				continue
			}
			text := printFrames(list)
			if len(list) == maxMarkedFrames {
				text += ", …"
			}
			t.add(d.TCP.Ends[side].String(), strings.ReplaceAll(m.String(), "_", " "), text)
		}
	}
	if len(t.rows) > 0 {
		p.heading("frames of note")
		t.print(p, "  ", f.width)
	}
}

// repeats lists the segments that were sent again.
func (f *inspectFlags) repeats(p *page, s *analysis.TCPStream) {
	if len(s.Retransmissions) == 0 {
		return
	}
	p.heading("sent again")
	t := &table{columns: []column{{title: "frame", right: true}, {title: "at", right: true}, {title: "sender", cut: true, spare: 2}, {title: "kind"}, {title: "seq", right: true, spare: 1},
		{title: "bytes", right: true}, {title: "original", right: true}, {title: "later by", right: true}, {title: "dup ACKs", right: true, spare: 3}, {title: "why the original was lost", cut: true}}}
	for _, r := range s.Retransmissions[:f.rows(len(s.Retransmissions))] {
		original, later := "–", "–"
		if r.Original != 0 {
			original, later = strconv.Itoa(r.Original), printDuration(r.At-r.OriginalAt)
		}
		t.add(strconv.Itoa(r.Frame), printDuration(r.At), s.Ends[r.Side].String(), string(r.Kind), strconv.FormatUint(r.Seq, 10), strconv.Itoa(r.Length),
			original, later, strconv.Itoa(r.DuplicateACKs), r.Why)
	}
	t.print(p, "  ", f.width)
	p.more(len(s.Retransmissions) - len(t.rows))
}

// session prints what is known of TLS.
func (f *inspectFlags) session(p *page, t *analysis.TLS) {
	p.heading("TLS")
	put := func(name, text string) {
		if text != "" {
			f.facts(p, name, text)
		}
	}
	put("version", t.Version)
	put("cipher suite", t.CipherSuite)
	put("server name", t.ServerName)
	put("ALPN", t.ALPN)
	if t.Resumed {
		put("resumed", "yes")
	}
	if t.Retry {
		put("hello retry", "yes")
	}
	if t.ClientHello != 0 {
		text := fmt.Sprintf("ClientHello in frame %d", t.ClientHello)
		if t.ServerHello != 0 {
			text += fmt.Sprintf(", ServerHello in frame %d", t.ServerHello)
		}
		if t.Finished != 0 {
			text += fmt.Sprintf(", finished in frame %d, took %s", t.Finished, printDuration(t.Took))
		}
		put("handshake", text)
	}
	if t.Decrypted {
		put("decrypted", "yes")
	} else {
		put("decrypted", "no: "+t.Reason)
	}
	for _, a := range t.Alerts {
		put("alert", a)
	}
}
