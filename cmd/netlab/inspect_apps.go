package main

import (
	"fmt"
	"strconv"
	"strings"

	"netlab/captures/analysis"
)

func (f *inspectFlags) tcp(p *page, a *analysis.Analysis) {
	p.heading("TCP")
	total := a.TCPTotal
	f.facts(p, "in all", many(total.Streams, "stream")+", "+many(total.Segments, "segment"))
	f.facts(p, "handshakes", fmt.Sprintf("%s complete, %s SYN, %s SYN-ACK", printCount(uint64(total.Handshakes)), printCount(uint64(total.SYNs)),
		printCount(uint64(total.SYNACKs))))
	f.facts(p, "retransmitted", counts(total.Retransmitted))
	t := &table{columns: []column{{title: "#", right: true}, {title: "sender", cut: true}, {title: "segments", right: true, spare: 3}, {title: "bytes", right: true},
		{title: "again", right: true}, {title: "timeouts", right: true, spare: 2}, {title: "late", right: true, spare: 4}, {title: "dup ACKs", right: true},
		{title: "0 window", right: true, spare: 5}, {title: "in flight", right: true, spare: 1}, {title: "RTT avg", right: true}, {title: "rate", right: true, spare: 6}}}
	list := a.TCP[:f.rows(len(a.TCP))]
	for _, s := range list {
		for i, side := range s.Sides {
			again := 0
			for _, n := range side.Retransmitted {
				again += n
			}
			index := strconv.Itoa(s.Index)
			if i > 0 {
				index = ""
			}
			t.add(index, s.Ends[i].String(), printCount(uint64(side.Frames)), printBytes(side.Unique), printCount(uint64(again)),
				printCount(uint64(side.Timeouts)), printCount(uint64(side.OutOfOrder)), printCount(uint64(side.DuplicateACKs)),
				printCount(uint64(side.ZeroWindows)), printBytes(side.MaxInFlight), averageRTT(side.RTT), throughput(&side))
		}
	}
	t.print(p, "  ", f.width)
	p.more(total.Streams - len(list))
}

func averageRTT(r analysis.RTT) string {
	if r.Count == 0 {
		return "–"
	}
	return printDuration(r.Avg)
}

func throughput(s *analysis.Side) string {
	if s.Throughput == 0 {
		return "–"
	}
	return printBitRate(s.Throughput)
}

func (f *inspectFlags) dns(p *page, a *analysis.Analysis) {
	p.heading("DNS")
	d := &a.DNS
	f.facts(p, "messages", fmt.Sprintf("queries %s, responses %s, repeated %s, unanswered %s", printCount(uint64(d.Queries)),
		printCount(uint64(d.Responses)), printCount(uint64(d.Repeated)), printCount(uint64(d.Unanswered))))
	f.facts(p, "codes", counts(d.Codes))
	t := &table{columns: []column{{title: "frame", right: true}, {title: "at", right: true, spare: 1}, {title: "took", right: true}, {title: "code"},
		{title: "question", cut: true}, {title: "answers", cut: true}, {title: "client > server", cut: true, spare: 2}}}
	for _, x := range d.Exchanges[:f.rows(len(d.Exchanges))] {
		took, code := "–", "no answer"
		if x.Response != 0 {
			took, code = printDuration(x.Took), x.Code
		}
		question := x.Name + " " + x.Type
		if x.Repeats > 0 {
			question += fmt.Sprintf(" (%d×)", 1+x.Repeats)
		}
		t.add(strconv.Itoa(x.Query), printDuration(x.QueryAt), took, code, question, strings.Join(x.Answers, ", "), x.Client+" > "+x.Server)
	}
	t.print(p, "  ", f.width)
	p.more(len(d.Exchanges) - len(t.rows))
}

func (f *inspectFlags) http(p *page, a *analysis.Analysis) {
	p.heading("HTTP")
	h := &a.HTTP
	if h.Requests+h.Responses > 0 {
		f.facts(p, "HTTP/1", many(h.Requests, "request")+", "+many(h.Responses, "response"))
	}
	if h.Requests2+h.Responses2 > 0 {
		f.facts(p, "HTTP/2", many(h.Requests2, "request")+", "+many(h.Responses2, "response"))
		f.facts(p, "HTTP/2 frames", counts(h.Frames2))
	}
	f.facts(p, "status codes", counts(h.Codes))
	f.exchanges(p, h.Exchanges)
}

// exchanges prints requests with their responses.
func (f *inspectFlags) exchanges(p *page, list []*analysis.HTTPExchange) {
	t := &table{columns: []column{{title: "frame", right: true}, {title: "stream", right: true, spare: 3}, {title: "at", right: true, spare: 1},
		{title: "request", cut: true}, {title: "status"}, {title: "first byte", right: true, spare: 2}, {title: "took", right: true}, {title: "bytes", right: true}}}
	for _, x := range list[:f.rows(len(list))] {
		stream, status, first, took := strconv.Itoa(x.Stream), "–", "–", "–"
		if x.StreamID != 0 {
			stream += "/" + strconv.Itoa(int(x.StreamID))
		}
		if x.Response != 0 {
			status, first = strconv.Itoa(x.Status), printDuration(x.FirstByte)
		}
		if x.End != 0 {
			took = printDuration(x.Took)
		}
		if x.Reset {
			status += " reset"
		}
		t.add(strconv.Itoa(x.Request), stream, printDuration(x.RequestAt), x.Method+" "+x.Host+x.Target, status, first, took, printBytes(x.ResponseBytes))
	}
	t.print(p, "  ", f.width)
	p.more(len(list) - len(t.rows))
}

func (f *inspectFlags) tls(p *page, a *analysis.Analysis) {
	p.heading("TLS")
	f.facts(p, "sessions", fmt.Sprintf("%s, %s decrypted", printCount(uint64(a.TLS.Sessions)), printCount(uint64(a.TLS.Decrypted))))
	f.facts(p, "records", counts(a.TLS.Records))
	f.facts(p, "messages", counts(a.TLS.Messages))
	f.facts(p, "alerts", counts(a.TLS.Alerts))
	t := &table{columns: []column{{title: "stream", right: true}, {title: "version"}, {title: "server name", cut: true}, {title: "ALPN"}, {title: "cipher suite", cut: true, spare: 1},
		{title: "took", right: true}, {title: "decrypted", cut: true}}}
	sessions := 0
	for _, s := range a.TCP {
		if s.TLS == nil {
			continue
		}
		sessions++
		if sessions > f.rows(sessions) {
			continue
		}
		took, decrypted := "–", "yes"
		if s.TLS.Finished != 0 {
			took = printDuration(s.TLS.Took)
		}
		if !s.TLS.Decrypted {
			decrypted = "no: " + s.TLS.Reason
		}
		t.add(strconv.Itoa(s.Index), s.TLS.Version, s.TLS.ServerName, s.TLS.ALPN, s.TLS.CipherSuite, took, decrypted)
	}
	t.print(p, "  ", f.width)
	p.more(sessions - len(t.rows))
}

func (f *inspectFlags) webSocket(p *page, a *analysis.Analysis) {
	p.heading("WebSocket")
	f.facts(p, "connections", printCount(uint64(a.WebSocket.Connections)))
	f.facts(p, "from clients", counts(a.WebSocket.FromClient))
	f.facts(p, "from servers", counts(a.WebSocket.FromServer))
}
