package story

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/captures/analysis"
)

// names tells which names were looked up, as those who asked saw it.
func (t *teller) names() {
	told := map[string]int{} // by client the capture that tells of it, + 1
	for i, c := range t.run.Captures {
		for _, x := range c.DNS.Exchanges {
			client := hostOf(x.Client)
			if client == c.Node || told[client] == 0 {
				told[client] = i + 1
			}
		}
	}
	for i, c := range t.run.Captures {
		for _, x := range c.DNS.Exchanges {
			if told[hostOf(x.Client)] == i+1 {
				t.name(i, x)
			}
		}
	}
}

func (t *teller) name(capture int, x *analysis.DNSExchange) {
	client, server := hostOf(x.Client), hostOf(x.Server)
	e := Sentence{At: x.QueryAt, Kind: Name, Node: client, Stream: -1, nodes: []string{client, server}}
	e.pattern = fmt.Sprintf("%s %s %s %s %s %v", client, server, x.Name, x.Type, x.Code, x.Response > 0)
	e.Frames = []Frame{t.frame(capture, x.Query)}
	if x.Response > 0 {
		e.Frames = append(e.Frames, t.frame(capture, x.Response))
	}
	text := fmt.Sprintf("At %s %s asked %s for the %s record of %s", at(x.QueryAt), client, server, x.Type, x.Name)
	if x.TCP {
		text += " over TCP"
	}
	if x.Repeats > 0 {
		text += fmt.Sprintf(", %s in all", times(x.Repeats+1))
	}
	switch {
	case x.Response == 0:
		text += "; no answer came"
	case x.Code == "NOERROR" && len(x.Answers) > 0:
		text += fmt.Sprintf("; after %s the answer was %s", lasting(x.Took), few(x.Answers, 6))
	case x.Code == "NOERROR":
		text += fmt.Sprintf("; after %s the answer was that there is none", lasting(x.Took))
	default:
		text += fmt.Sprintf("; after %s the answer was %s", lasting(x.Took), x.Code)
	}
	t.say(e, "%s%s.", text, t.in(e.Frames...))
}

// requests tells what was asked by HTTP, as the clients saw it.
func (t *teller) requests() {
	for i, c := range t.run.Captures {
		for _, x := range c.HTTP.Exchanges {
			s := t.byView[[2]int{i, x.Stream}]
			if s == nil {
				continue
			}
			if v := &s.Views[s.End(t.run, analysis.Client)]; v.Capture != i || v.Index != x.Stream {
				continue
			}
			t.request(i, s, x)
		}
	}
}

func (t *teller) request(capture int, s *analysis.Stream, x *analysis.HTTPExchange) {
	client := host(s, analysis.Client)
	e := t.about(s, Request, x.RequestAt, client, fmt.Sprintf("%s %s %d %v", x.Method, withoutDigits(x.Host+x.Target), x.Status, x.Reset))
	e.Frames = []Frame{t.frame(capture, x.Request)}
	asked := x.Method + " " + x.Target
	if x.Host != "" {
		asked += " of " + x.Host
	}
	text := fmt.Sprintf("At %s%s %s requested %s over stream %d (%s)", at(x.RequestAt), t.seen(capture, client), client, asked, s.Index, x.Version)
	if x.RequestBytes > 0 {
		text += " with a body of " + volume(x.RequestBytes)
	}
	switch {
	case x.Response == 0 && x.Reset:
		text += ", and the connection was reset before an answer came"
	case x.Response == 0:
		text += ", and no answer came"
	case x.Reset:
		text += fmt.Sprintf("; after %s %d began to come and was cut off", lasting(x.FirstByte), x.Status)
	case x.ResponseBytes == 0 || x.Took == x.FirstByte:
		text += fmt.Sprintf("; the answer, %d with %s, came after %s", x.Status, volume(x.ResponseBytes), lasting(x.FirstByte))
	default:
		text += fmt.Sprintf("; the answer, %d with %s, began after %s and was complete after %s", x.Status, volume(x.ResponseBytes),
			lasting(x.FirstByte), lasting(x.Took))
	}
	for _, n := range []int{x.Response, x.End} {
		if f := t.frame(capture, n); n > 0 && !slices.Contains(e.Frames, f) {
			e.Frames = append(e.Frames, f)
		}
	}
	t.say(e, "%s%s.", text, t.in(e.Frames...))
}

// withoutDigits makes texts alike that differ in numbers only.
func withoutDigits(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		digit := text[i] >= '0' && text[i] <= '9'
		switch {
		case !digit:
			b.WriteByte(text[i])
		case i == 0 || text[i-1] < '0' || text[i-1] > '9':
			b.WriteByte('#')
		}
	}
	return b.String()
}

// flowKey is what datagrams of one exchange have in common.
type flowKey struct{ protocol, from, to, what string }

// datagrams tells of ICMP, UDP and ARP, each kind of packet between two nodes once.
func (t *teller) datagrams() {
	var order []flowKey
	flows := map[flowKey][]*analysis.Journey{}
	for _, j := range t.run.Journeys {
		if j.Stream != nil || j.Protocol == "dns" {
			continue
		}
		k := flowKey{j.Protocol, j.From, j.To, what(j)}
		if flows[k] == nil {
			order = append(order, k)
		}
		flows[k] = append(flows[k], j)
	}
	for _, k := range order {
		if k.what == "echo reply" {
			continue // told with the requests
		}
		packets := flows[k]
		first, last := packets[0], packets[len(packets)-1]
		e := Sentence{At: first.At, Kind: Datagram, Node: k.from, Stream: -1, nodes: []string{k.from, k.to}, Frames: []Frame{t.sighted(first)}}
		lost := 0
		for _, p := range packets {
			if p.Lost != nil {
				lost++
			}
		}
		when := span(first.At, last.At)
		tail := ""
		if lost > 0 {
			tail = fmt.Sprintf(" The network lost %s.", ofThem(lost, len(packets)))
		}
		tail += t.unsent(packets)
		if k.what == "echo request" {
			replies, got := flows[flowKey{k.protocol, k.to, k.from, "echo reply"}], 0
			for _, p := range replies {
				if p.Lost == nil {
					got++
				}
			}
			if gone := len(replies) - got; lost+gone > 0 {
				tail = fmt.Sprintf(" The network lost %s.", pingsLost(lost, gone)) + t.unsent(packets) + t.unsent(replies)
			}
			t.say(e, "%s %s pinged %s %s%s; %s came back.%s", when, k.from, k.to, times(len(packets)), t.in(e.Frames...), replyWords(got, len(packets)), tail)
			continue
		}
		means := ": "
		if len(packets) > 1 {
			means = ", the first of them "
		}
		t.say(e, "%s %s sent %s to %s%s%s%s.%s", when, k.from, packetsOf(k, len(packets)), k.to, means, first.Text, t.in(e.Frames...), tail)
	}
}

func replyWords(got, sent int) string {
	switch {
	case got == sent && got > 1:
		return "all replies"
	case got == sent:
		return "the reply"
	}
	return count(got, "reply")
}

// pingsLost counts requests and replies that were lost: "50 requests", "two requests and a reply".
func pingsLost(requests, replies int) string {
	var parts []string
	if requests > 0 {
		parts = append(parts, count(requests, "request"))
	}
	if replies > 0 {
		parts = append(parts, count(replies, "reply"))
	}
	return list(parts)
}

// unsent tells of packets that routers did not send on.
func (t *teller) unsent(packets []*analysis.Journey) string {
	var routers []string
	counts := map[string]int{}
	for _, p := range packets {
		if r := t.run.EndedAt(p, t.routers); r != "" {
			if counts[r]++; counts[r] == 1 {
				routers = append(routers, r)
			}
		}
	}
	if len(routers) == 0 {
		return ""
	}
	n := counts[routers[0]]
	if len(routers) > 1 && !slices.ContainsFunc(routers, func(r string) bool { return counts[r] != n }) {
		return fmt.Sprintf(" %s ended at each of %s, which did not send %s on.", capital(ofThem(n, len(packets))), list(ranges(routers)),
			pronoun(n))
	}
	text := ""
	for _, r := range routers {
		text += fmt.Sprintf(" %s ended at %s, which did not send %s on.", capital(ofThem(counts[r], len(packets))), r, pronoun(counts[r]))
	}
	return text
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// ofThem counts a part of a number of things.
func ofThem(part, all int) string {
	switch {
	case part == all && all == 1:
		return "it"
	case part == all:
		return "all of them"
	}
	return fmt.Sprintf("%s of them", number(part))
}

// packetsOf counts packets of a kind.
func packetsOf(k flowKey, n int) string {
	name := map[string]string{"arp": "ARP packet", "icmp": "ICMP message", "icmpv6": "ICMPv6 message", "udp": "UDP datagram"}[k.protocol]
	if name == "" {
		name = "packet of " + k.protocol
		if n != 1 {
			return number(n) + " packets of " + k.protocol
		}
	}
	if n == 1 {
		if strings.HasPrefix(name, "A") || strings.HasPrefix(name, "I") {
			return "an " + name
		}
		return "a " + name
	}
	return count(n, name)
}

// what tells kinds of messages apart.
func what(j *analysis.Journey) string {
	for _, kind := range []string{"echo request", "echo reply", "time exceeded", "unreachable", "neighbour", "who has", "is at"} {
		if strings.Contains(j.Text, kind) {
			return kind
		}
	}
	return ""
}

// span is when the first and the last of several things happened.
func span(from, to time.Duration) string {
	if at(from) == at(to) {
		return "At " + at(from)
	}
	return fmt.Sprintf("From %s to %s", at(from), at(to))
}
