package captures

import "fmt"

// ICMP returns what kind of ICMP message the frame has, in the words of [Describe] without what varies from message to message, such as
// "echo request" or "port unreachable". It is "" if the frame has none, and "malformed" if its header was cut short.
func (h *Headers) ICMP() string {
	v := &h.v
	switch {
	case !v.isICMP() || v.fragment.offset > 0:
		return ""
	case len(v.payload) < 8:
		return "malformed"
	case v.version == 4:
		return icmp4Kind(v.payload[0], v.payload[1])
	}
	return icmp6Kind(v.payload[0], v.payload[1])
}

func icmp4Kind(kind, code byte) string {
	switch kind {
	case 0:
		return "echo reply"
	case 8:
		return "echo request"
	case 3:
		if code == 4 {
			return "fragmentation needed"
		}
		return word(unreachable4, code, "unreachable")
	case 5:
		return "redirect"
	case 11:
		return exceeded(code, "time to live")
	case 12:
		return "parameter problem"
	}
	return fmt.Sprintf("type %d", kind)
}

func icmp6Kind(kind, code byte) string {
	switch kind {
	case 1:
		return word(unreachable6, code, "unreachable")
	case 2:
		return "packet too big"
	case 3:
		return exceeded(code, "hop limit")
	case 4:
		return "parameter problem"
	case 128:
		return "echo request"
	case 129:
		return "echo reply"
	case 130:
		return "multicast listener query"
	case 131, 143:
		return "multicast listener report"
	case 132:
		return "multicast listener done"
	case 133:
		return "router solicitation"
	case 134:
		return "router advertisement"
	case 135:
		return "neighbour solicitation"
	case 136:
		return "neighbour advertisement"
	case 137:
		return "redirect"
	}
	return fmt.Sprintf("type %d", kind)
}
