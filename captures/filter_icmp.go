package captures

// icmpKind is a kind of ICMP message that both versions have.
type icmpKind uint8

const (
	icmpEcho icmpKind = iota
	icmpEchoReply
	icmpUnreachable
	icmpTimeExceeded
	icmpTooBig
)

// icmpKinds are their words, in the same order.
var icmpKinds = []string{"echo", "echo-reply", "unreachable", "time-exceeded", "too-big"}

var (
	icmp4Node = node{op: opProto, value: protoICMPv4, version: 4}
	icmp6Node = node{op: opProto, value: protoICMPv6, version: 6}
)

// icmp returns the kind of an ICMP message (RFC 792, RFC 4443), and false if the frame is none of these kinds.
func (v *view) icmp() (icmpKind, bool) {
	b := v.payload
	if !v.isICMP() || v.fragment.offset > 0 || len(b) < 2 {
		return 0, false
	}
	kind, code := b[0], b[1]
	if v.version == 4 {
		switch {
		case kind == 0:
			return icmpEchoReply, true
		case kind == 3 && code == 4: // fragmentation needed (RFC 1191)
			return icmpTooBig, true
		case kind == 3:
			return icmpUnreachable, true
		case kind == 8:
			return icmpEcho, true
		case kind == 11:
			return icmpTimeExceeded, true
		}
		return 0, false
	}
	switch kind {
	case 1:
		return icmpUnreachable, true
	case 2:
		return icmpTooBig, true
	case 3:
		return icmpTimeExceeded, true
	case 128:
		return icmpEcho, true
	case 129:
		return icmpEchoReply, true
	}
	return 0, false
}

// readICMP reads "icmp" and the type that may come after it.
func readICMP(p *filterParser, t token) (node, error) {
	proto := node{op: opOr, kids: []node{icmp4Node, icmp6Node}}
	switch t.text {
	case "icmp4":
		proto = icmp4Node
	case "icmp6":
		proto = icmp6Node
	}
	i, err := p.kind(t, icmpKinds)
	if err != nil || i < 0 {
		return proto, err
	}
	return node{op: opAnd, kids: []node{proto, {op: opICMP, value: uint16(i)}}}, nil
}
