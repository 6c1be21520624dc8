package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"netlab/captures/analysis"
	"netlab/units"
)

// print prints a capture, or one stream of it.
func (f *inspectFlags) print(p *page, found *inspected) error {
	if f.stream >= 0 {
		if found.Stream == nil {
			return f.noStream(found)
		}
		f.head(p, found, false)
		f.detail(p, found)
		return nil
	}
	a := found.Analysis
	f.head(p, found, true)
	for _, section := range []struct {
		name  string
		empty bool
		print func(*page, *analysis.Analysis)
	}{
		{"hierarchy", len(a.Protocols) == 0, f.hierarchy},
		{"endpoints", len(a.Endpoints) == 0, f.endpoints},
		{"conversations", len(a.Conversations) == 0, f.conversations},
		{"streams", len(a.TCP) == 0, f.streams},
		{"tcp", a.TCPTotal.Streams == 0, f.tcp},
		{"udp", len(a.UDP) == 0, f.udp},
		{"dns", a.DNS.Queries+a.DNS.Responses == 0, f.dns},
		{"http", a.HTTP.Requests+a.HTTP.Responses+a.HTTP.Requests2+a.HTTP.Responses2 == 0, f.http},
		{"tls", a.TLS.Sessions == 0, f.tls},
		{"websocket", a.WebSocket.Connections == 0, f.webSocket},
		{"notes", len(a.NoteCounts) == 0, f.notes},
	} {
		switch {
		case !f.shows(section.name):
		case !section.empty:
			section.print(p, a)
		case slices.Contains(f.sections, section.name):
			p.heading(section.name)
			if f.headersOnly && slices.Contains([]string{"http", "tls", "websocket"}, section.name) {
				p.linef("  not looked for: --headers-only")
			} else {
				p.linef("  none")
			}
		}
	}
	return nil
}

// head prints what is known of the file as a whole.
func (f *inspectFlags) head(p *page, found *inspected, whole bool) {
	a := found.Analysis
	p.linef("%s", p.bold(found.File))
	if found.Error != "" {
		p.linef("  %s: what follows is what precedes that", p.paint(yellow, "the file is damaged or cut short"))
	}
	if !whole {
		return
	}
	fact := func(name, text string) { p.linef("  %s  %s", pad(name, 10), text) }
	if a.Application != "" {
		fact("written by", shorten(a.Application, f.width-14))
	}
	for _, c := range a.Comments {
		fact("", shorten(c, f.width-14))
	}
	bytes := printBytes(a.Bytes)
	if a.Captured != a.Bytes {
		bytes += " on the wire, " + printBytes(a.Captured) + " of them captured"
	}
	fact("frames", printCount(uint64(a.Frames))+", "+bytes)
	if a.Frames > 0 {
		fact("time", fmt.Sprintf("%s to %s, which is %s", printDuration(a.First), printDuration(a.Last), printDuration(a.Last-a.First)))
		fact("time 0", a.Start.Format(time.RFC3339Nano))
	}
	if a.Dropped > 0 {
		fact("dropped", many(a.Dropped, "frame")+" by the emulated network")
	}
	title := "interfaces"
	for i, on := range a.Interfaces {
		if i == f.rows(len(a.Interfaces)) {
			p.more(len(a.Interfaces) - i)
			break
		}
		text := many(on.Frames, "frame") + ", " + printBytes(on.Bytes)
		for _, words := range []string{on.Name, linkName(on.LinkType), on.Description} {
			if words != "" {
				text += ", " + words
			}
		}
		fact(title, shorten(text, f.width-14))
		title = ""
	}
}

// linkName says what a link type is, "" for Ethernet.
func linkName(t uint16) string {
	switch t {
	case 1:
		return ""
	case 113, 276:
		return "Linux cooked"
	case 0, 108:
		return "loopback"
	case 101, 228, 229, 12, 14:
		return "raw IP"
	}
	return fmt.Sprintf("link type %d, which is not known", t)
}

// printBytes prints a size with four significant digits.
func printBytes(n uint64) string { return units.ShortBytes(float64(n)) }

// printBitRate prints bytes per second as bits per second.
func printBitRate(bytesPerSecond float64) string {
	return units.ShortBitRate(8 * bytesPerSecond)
}

// many returns "1 frame" or "43,120 frames".
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return printCount(uint64(n)) + " " + what
}

// printShare prints a part of a whole.
func printShare(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

func (f *inspectFlags) hierarchy(p *page, a *analysis.Analysis) {
	p.heading("protocol hierarchy")
	t := &table{columns: []column{{title: "protocol", cut: true}, {title: "frames", right: true}, {title: "share", right: true},
		{title: "bytes", right: true}, {title: "share", right: true}}}
	var walk func(list []*analysis.Protocol, depth int)
	walk = func(list []*analysis.Protocol, depth int) {
		for _, n := range list {
			t.add(strings.Repeat("  ", depth)+n.Name, printCount(uint64(n.Frames)), printShare(uint64(n.Frames), uint64(a.Frames)),
				printBytes(n.Bytes), printShare(n.Bytes, a.Bytes))
			walk(n.Children, depth+1)
		}
	}
	walk(a.Protocols, 0)
	t.print(p, "  ", f.width)
}

// named returns a name with its address, or the address.
func named(name, addr string) string {
	if name == "" {
		return addr
	}
	return name + " " + addr
}

func (f *inspectFlags) endpoints(p *page, a *analysis.Analysis) {
	p.heading("endpoints")
	t := &table{columns: []column{{title: "address", cut: true}, {title: "frames sent", right: true}, {title: "bytes", right: true},
		{title: "received", right: true}, {title: "bytes", right: true}}}
	for _, e := range a.Endpoints[:f.rows(len(a.Endpoints))] {
		t.add(named(e.Name, e.Addr.String()), printCount(uint64(e.Sent.Frames)), printBytes(e.Sent.Bytes),
			printCount(uint64(e.Received.Frames)), printBytes(e.Received.Bytes))
	}
	t.print(p, "  ", f.width)
	p.more(len(a.Endpoints) - len(t.rows))
}

func (f *inspectFlags) conversations(p *page, a *analysis.Analysis) {
	p.heading("conversations")
	t := &table{columns: []column{{title: "between", cut: true}, {title: "frames >", right: true}, {title: "bytes >", right: true},
		{title: "< frames", right: true}, {title: "< bytes", right: true}, {title: "from", right: true, spare: 1}, {title: "lasted", right: true, spare: 2}}}
	for _, c := range a.Conversations[:f.rows(len(a.Conversations))] {
		first, second := c.AName, c.BName
		if first == "" {
			first = c.A.String()
		}
		if second == "" {
			second = c.B.String()
		}
		t.add(first+" > "+second, printCount(uint64(c.AToB.Frames)), printBytes(c.AToB.Bytes), printCount(uint64(c.BToA.Frames)),
			printBytes(c.BToA.Bytes), printDuration(c.First), printDuration(c.Last-c.First))
	}
	t.print(p, "  ", f.width)
	p.more(len(a.Conversations) - len(t.rows))
}

func (f *inspectFlags) streams(p *page, a *analysis.Analysis) {
	p.heading("TCP streams")
	t := &table{columns: []column{{title: "#", right: true}, {title: "client > server", cut: true}, {title: "what", spare: 2},
		{title: "from", right: true, spare: 3}, {title: "lasted", right: true, spare: 1}, {title: "sent", right: true}, {title: "received", right: true},
		{title: "again", right: true}, {title: "RTT", right: true}, {title: "closed"}}}
	for _, s := range a.TCP[:f.rows(len(a.TCP))] {
		again := 0
		for _, side := range s.Sides {
			for _, n := range side.Retransmitted {
				again += n
			}
		}
		t.add(strconv.Itoa(s.Index), s.Ends[analysis.Client].String()+" > "+s.Ends[analysis.Server].String(), s.Protocol, printDuration(s.First),
			printDuration(s.Last-s.First), printBytes(s.Sides[analysis.Client].Unique), printBytes(s.Sides[analysis.Server].Unique),
			printCount(uint64(again)), roundTrip(s), closed(s))
	}
	t.print(p, "  ", f.width)
	p.more(a.TCPTotal.Streams - len(t.rows))
}

// roundTrip returns the shortest round-trip time of the side that is further away: near the other one, ACKs come at once.
func roundTrip(s *analysis.TCPStream) string {
	longest := time.Duration(-1)
	for _, side := range s.Sides {
		if side.RTT.Count > 0 {
			longest = max(longest, side.RTT.Min)
		}
	}
	if longest < 0 {
		return "–"
	}
	return printDuration(longest)
}

// closed says in a word how a stream ended.
func closed(s *analysis.TCPStream) string {
	if s.Handshake.Refused {
		return "refused"
	}
	switch s.Close.How {
	case analysis.CloseFIN:
		return "FIN"
	case analysis.CloseReset:
		return "RST"
	case analysis.CloseHalf:
		return "half"
	}
	return "open"
}

func (f *inspectFlags) udp(p *page, a *analysis.Analysis) {
	p.heading("UDP streams")
	t := &table{columns: []column{{title: "#", right: true}, {title: "client > server", cut: true}, {title: "from", right: true, spare: 1},
		{title: "lasted", right: true}, {title: "frames >", right: true}, {title: "bytes >", right: true}, {title: "< frames", right: true}, {title: "< bytes", right: true}}}
	for _, s := range a.UDP[:f.rows(len(a.UDP))] {
		t.add(strconv.Itoa(s.Index), s.Ends[0].String()+" > "+s.Ends[1].String(), printDuration(s.First), printDuration(s.Last-s.First),
			printCount(uint64(s.Sent[0].Frames)), printBytes(s.Sent[0].Bytes), printCount(uint64(s.Sent[1].Frames)), printBytes(s.Sent[1].Bytes))
	}
	t.print(p, "  ", f.width)
	p.more(a.UDPStreams - len(t.rows))
}

// counts prints how often each of some things was there: "200 12, 404 1".
func counts[K ~string](m map[K]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] > 0 {
			words = append(words, fmt.Sprintf("%s %s", name, printCount(uint64(m[name]))))
		}
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, ", ")
}

// facts prints words behind a name, in lines that fit.
func (f *inspectFlags) facts(p *page, name, text string) {
	const names = 16
	line := "  " + pad(name, names)
	used := width(line)
	for i, word := range strings.Split(text, ", ") {
		switch {
		case i == 0:
			line += word
		case used+2+width(word) > f.width:
			p.linef("%s,", line)
			line, used = strings.Repeat(" ", 2+names)+word, 2+names
		default:
			line += ", " + word
			used += 2
		}
		used += width(word)
	}
	p.linef("%s", line)
}
