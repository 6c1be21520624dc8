package captures

import (
	"fmt"
	"net/netip"
	"strings"
)

// TCP flags (RFC 9293, section 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
	flagURG
	flagECE
	flagCWR
)

var flagNames = []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"}

// TCP option kinds.
const (
	optionTCPEnd        = 0
	optionTCPNop        = 1
	optionTCPMSS        = 2
	optionTCPScale      = 3
	optionTCPPermitSACK = 4
	optionTCPSACK       = 5
	optionTCPTimestamps = 8
)

// segment is a TCP header.
type segment struct {
	seq, ack uint32
	flags    uint8
	window   uint16
	length   int // of the data in bytes
	options  []string
	sack     []sackBlock
}

// sackBlock is what a selective acknowledgement covers: from is the first byte, to the one after the last.
type sackBlock struct{ from, to uint32 }

// parseSegment reads a TCP header. problem says why that can't be done.
func parseSegment(v *view) (t segment, problem string) {
	b := v.payload
	if len(b) < 20 {
		return t, "header cut short"
	}
	header := int(b[12]>>4) * 4
	if header < 20 || header > v.length {
		return t, "length in the header is impossible"
	}
	t = segment{seq: be.Uint32(b[4:]), ack: be.Uint32(b[8:]), flags: b[13], window: be.Uint16(b[14:]), length: v.length - header}
	t.parseOptions(b[20:min(header, len(b))])
	return t, ""
}

// parseOptions reads options up to the first that is malformed.
func (t *segment) parseOptions(b []byte) {
	for {
		kind, value, rest, ok := nextOption(b)
		if !ok {
			if kind != optionTCPEnd {
				t.options = append(t.options, "malformed option")
			}
			return
		}
		t.parseOption(kind, value)
		b = rest
	}
}

func (t *segment) parseOption(kind byte, value []byte) {
	switch {
	case kind == optionTCPMSS && len(value) == 2:
		t.options = append(t.options, fmt.Sprintf("mss %d", be.Uint16(value)))
	case kind == optionTCPScale && len(value) == 1:
		t.options = append(t.options, fmt.Sprintf("wscale %d", value[0]))
	case kind == optionTCPPermitSACK:
		t.options = append(t.options, "sack")
	case kind == optionTCPTimestamps && len(value) == 8:
		if t.flags&flagSYN != 0 {
			t.options = append(t.options, "timestamps")
		}
	case kind == optionTCPSACK:
		for ; len(value) >= 8; value = value[8:] {
			t.sack = append(t.sack, sackBlock{be.Uint32(value), be.Uint32(value[4:])})
		}
	default:
		t.options = append(t.options, fmt.Sprintf("option %d", kind))
	}
}

// tcp describes a segment.
func (d *Describer) tcp(v *view, l *line) {
	t, problem := parseSegment(v)
	if problem != "" {
		l.text = "malformed: " + problem
		return
	}
	var seqBase, ackBase uint32
	var c *connection
	from := 0
	if !d.absolute {
		c, from = d.connection(v, &t)
		seqBase, ackBase = c.base[from], c.base[1-from]
	}
	var s strings.Builder
	fmt.Fprintf(&s, "[%s] seq %d", t.flagText(), t.seq-seqBase)
	if t.flags&flagACK != 0 {
		fmt.Fprintf(&s, " ack %d", t.ack-ackBase)
	}
	if d.absolute || t.flags&flagSYN != 0 || t.window == 0 && t.flags&flagRST == 0 {
		fmt.Fprintf(&s, " win %d", t.window)
	}
	if t.length > 0 {
		fmt.Fprintf(&s, " len %d", t.length)
	}
	s.WriteString(t.sackText(ackBase))
	if len(t.options) > 0 {
		fmt.Fprintf(&s, " <%s>", strings.Join(t.options, ", "))
	}
	l.text = s.String()
	if header := v.length - t.length; len(v.payload) > header {
		l.app = d.application(c, from, v, &t, v.payload[header:])
	}
}

func (t *segment) flagText() string {
	var names []string
	for i, name := range flagNames {
		if t.flags&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "no flags"
	}
	return strings.Join(names, ", ")
}

// sackText lists the blocks. The first is a duplicate's if it lies below the ACK or within the second (RFC 2883).
func (t *segment) sackText(base uint32) string {
	var s strings.Builder
	word := " sack "
	for i, b := range t.sack {
		if i == 0 && t.duplicate() {
			fmt.Fprintf(&s, " dsack %d-%d", b.from-base, b.to-base)
			continue
		}
		fmt.Fprintf(&s, "%s%d-%d", word, b.from-base, b.to-base)
		word = ", "
	}
	return s.String()
}

func (t *segment) duplicate() bool {
	b := t.sack[0]
	if notAfter(b.to, t.ack) {
		return true
	}
	return len(t.sack) > 1 && notAfter(t.sack[1].from, b.from) && notAfter(b.to, t.sack[1].to)
}

// notAfter compares sequence numbers, which wrap around.
func notAfter(a, b uint32) bool { return int32(a-b) <= 0 }

// flow names a connection: its ends, the lesser first.
type flow struct{ a, b netip.AddrPort }

// connection remembers where the sequence numbers of both directions begin: base has to be subtracted from them.
type connection struct {
	base  [2]uint32
	known [2]bool
	// frames reads what the connection has changed to, if it has; edge are the numbers where the next frames begin.
	frames frameReader
	edge   [2]uint32
}

// connection finds the connection of a segment and from which of its ends the segment comes.
func (d *Describer) connection(v *view, t *segment) (c *connection, from int) {
	key, from := flow{netip.AddrPortFrom(v.src, v.srcPort), netip.AddrPortFrom(v.dst, v.dstPort)}, 0
	if key.b.Compare(key.a) < 0 {
		key.a, key.b, from = key.b, key.a, 1
	}
	to := 1 - from
	c = d.connections[key]
	opens := t.flags&(flagSYN|flagACK) == flagSYN
	if c == nil || opens && c.known[from] && c.base[from] != t.seq {
		c = &connection{} // a first or a new connection between these ends
		if d.connections == nil {
			d.connections = map[flow]*connection{}
		}
		d.connections[key] = c
	}
	if t.flags&flagSYN != 0 {
		c.base[from], c.known[from] = t.seq, true
	} else if !c.known[from] {
		c.base[from], c.known[from] = t.seq-1, true
	}
	if t.flags&flagACK != 0 && !c.known[to] {
		c.base[to], c.known[to] = t.ack-1, true
	}
	return c, from
}
