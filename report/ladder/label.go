package ladder

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netlab/captures"
	"netlab/captures/analysis"
)

// description is the text of a packet in pieces.
type description struct {
	protocol         string // "" for TCP
	from, to         string // addresses or names, "" if the text says it all
	fromPort, toPort string
	text             string
	message          string // what applications said
}

var ends = regexp.MustCompile(`^(?:([A-Za-z0-9/. -]+?) )?(\S+) > (\S+) (.*)$`)

// describe takes a packet's text to pieces.
func describe(j *analysis.Journey) description {
	if j == nil {
		return description{}
	}
	d := description{text: j.Text, message: j.Message}
	if m := ends.FindStringSubmatch(j.Text); m != nil {
		d.protocol, d.from, d.to, d.text = m[1], m[2], m[3], m[4]
		if (d.protocol == "" || d.protocol == "UDP") && !strings.Contains(d.text, "fragment id") {
			d.from, d.fromPort = port(d.from)
			d.to, d.toPort = port(d.to)
		}
	}
	d.message = compact(d.message)
	if d.protocol == "" && d.from == "" {
		return d
	}
	head, app, ok := strings.Cut(d.text, ": ")
	if ok && (d.protocol == "" || d.protocol == "UDP") && !strings.HasPrefix(head, "malformed") {
		d.text = head
		if d.message == "" {
			d.message = app
		}
	}
	return d
}

// compact names the protocol once in a list of messages: "TLS ServerHello, TLS Certificate" has one TLS too many.
func compact(message string) string {
	protocol, _, ok := strings.Cut(message, " ")
	if !ok {
		return message
	}
	return strings.ReplaceAll(message, ", "+protocol+" ", ", ")
}

// port takes the port off "client:49152" or "[fd00::1]:80".
func port(end string) (addr, port string) {
	i := strings.LastIndexByte(end, ':')
	if i < 0 {
		return end, ""
	}
	return end[:i], end[i+1:]
}

// label is the ways to say what a packet is, the longest first.
type label struct {
	// forms are all fit to stand on the arrow.
	forms []string
	// app is the one that may be cut to stand there, "" if none may.
	app string
}

var (
	options = regexp.MustCompile(` <[^>]*>`)
	window  = regexp.MustCompile(` win \d+`)
	pureSeq = regexp.MustCompile(`^(\[ACK\]) seq \d+ (ack \d+(?: sack .*)?)$`)
	dataAck = regexp.MustCompile(`^(\[[A-Z, ]+\] seq \d+) ack \d+( len \d+)$`)
	flags   = regexp.MustCompile(`^\[[A-Z, ]+\] (seq \d+ )?(ack \d+ )?`)
)

// labelOf finds the words for a packet.
func (l *Ladder) labelOf(j *analysis.Journey) label {
	d := describe(j)
	prefix, ports := "", ""
	if d.protocol != "" {
		prefix = d.protocol + " "
	}
	if l.ports && d.fromPort != "" {
		ports = d.fromPort + " > " + d.toPort + " "
	}
	base := prefix + ports
	var forms []string
	add := func(text string) {
		if n := len(forms); n == 0 || len(text) < len(forms[n-1]) {
			forms = append(forms, text)
		}
	}
	if d.message != "" {
		add(base + d.text + ": " + d.message)
		if j.Stream != nil && (j.Flags&^captures.PSH != captures.ACK || strings.Contains(d.text, " sack ")) {
			// There is more to the segment than what it carries.
			add(base + strings.TrimSpace(flags.FindString(d.text)) + ": " + d.message)
			return label{forms: forms}
		}
		if j.Length > 0 {
			add(base + fmt.Sprintf("len %d", j.Length) + ": " + d.message)
		}
		add(base + d.message)
		short := shorterMessages(d.message)
		add(ports + short[0])
		for _, text := range short {
			add(text)
		}
		return label{forms, short[len(short)-1]}
	}
	add(base + d.text)
	text := options.ReplaceAllString(d.text, "")
	add(base + text)
	text = window.ReplaceAllString(text, "")
	add(base + text)
	text = pureSeq.ReplaceAllString(text, "$1 $2")
	text = dataAck.ReplaceAllString(text, "$1$2")
	add(base + text)
	if j.Flags&(captures.SYN|captures.FIN|captures.RST) != 0 {
		text = strings.TrimSpace(flags.FindString(text))
		add(base + text)
	}
	return label{forms: forms}
}

// shorterMessages returns a message as it is and in fewer words: "DNS A www.lab?" for a query, "DNS A www.lab: 10.0.0.1" for an answer,
// the same without "DNS", and requests without their version.
func shorterMessages(text string) []string {
	if what, ok := strings.CutPrefix(text, "DNS query "); ok {
		return []string{text, "DNS " + what + "?", what + "?"}
	}
	if what, ok := strings.CutPrefix(text, "DNS answer "); ok {
		what = strings.TrimPrefix(what, "DNS ")
		return []string{text, "DNS " + what, what}
	}
	return []string{text, strings.TrimSuffix(text, " HTTP/1.1")}
}

// within returns the longest form with at most n characters; ok is false if there is none that says enough.
func (b label) within(n int) (text string, ok bool) {
	for _, text := range b.forms {
		if width(text) <= n {
			return text, true
		}
	}
	if b.app != "" && n >= max(20, width(b.app)/2) {
		return shorten(b.app, n), true
	}
	return "", false
}

// line returns the form for a line of its own with n characters.
func (b label) line(n int) string {
	if text, ok := b.within(n); ok {
		return text
	}
	return shorten(b.forms[len(b.forms)-1], n)
}

// note is what is to be told of a packet beside its label, in several ways, the longest first. It is nil if there is nothing.
type note []string

// kinds are the words for the kinds of retransmissions.
var kinds = map[analysis.Kind]string{
	analysis.TailLossProbe: "tail loss probe",
	analysis.Handshakes:    "handshake timeout",
	analysis.Probe:         "zero window probe",
}

// repeatNote says what a packet repeats.
func repeatNote(j *analysis.Journey) note {
	r := j.Repeat
	if r == nil || r.Retransmission == nil {
		return nil
	}
	kind := kinds[r.Kind]
	if kind == "" {
		kind = string(r.Kind)
	}
	text := "↻ " + kind
	var forms note
	add := func(text string) {
		if n := len(forms); n == 0 || forms[n-1] != text {
			forms = append(forms, text)
		}
	}
	if r.Original != nil {
		text += ", again " + number(r.Original)
		if loss := r.Original.Lost; loss != nil {
			if loss.Link != "" {
				add(text + ", lost on " + loss.Link)
			}
			add(text + ", lost")
		}
	}
	if why := causes[r.Why]; why != "" {
		add(text + ", " + why)
	}
	add(text)
	if r.Original != nil {
		add("↻ " + number(r.Original))
	}
	return forms
}

// causes are the words for why a segment was sent again where its original was not lost.
var causes = map[analysis.Cause]string{
	analysis.ACKLost:  "whose ACK was lost",
	analysis.Late:     "which was not lost",
	analysis.Unread:   "which was not taken",
	analysis.Needless: "needlessly",
}

// lossNote says why a packet was lost.
func lossNote(j *analysis.Journey) note {
	if j.Lost == nil {
		return nil
	}
	reason := j.Lost.Reason
	if reason == "" {
		reason = "lost"
	}
	if strings.HasPrefix(reason, "rule ") {
		reason = "dropped by " + reason
	}
	if link := j.Lost.Link; link != "" && !strings.Contains(reason, link) {
		return note{reason + " on " + link, reason}
	}
	return note{reason}
}

// commentNote says what else happened to a packet. Of several copies it says where one didn't arrive, and if a router did not send it on,
// which one.
func (l *Ladder) commentNote(n *line) note {
	j := n.journey
	var list []string
	for _, s := range n.spans {
		if s.end == lost && j.Lost == nil {
			list = append(list, "one was lost on the way to "+l.columns[s.to])
		}
	}
	for _, c := range j.Comments {
		if c = strings.ReplaceAll(c, "\n", "; "); !strings.HasPrefix(c, "dropped") && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	if l.network != nil {
		if router := l.run.EndedAt(j, l.network.routers); router != "" {
			list = append(list, "not sent on by "+router)
		}
	}
	if list == nil {
		return nil
	}
	return note{"(" + strings.Join(list, "; ") + ")"}
}

// within returns the longest form with at most n characters, or "".
func (t note) within(n int) string {
	for _, text := range t {
		if width(text) <= n {
			return text
		}
	}
	return ""
}
