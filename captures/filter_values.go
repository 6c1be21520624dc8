package captures

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/units"
)

// readSide reads what comes after "src" or "dst".
func readSide(p *filterParser, t token) (node, error) {
	end := p.next()
	if end.text != "host" && end.text != "net" && end.text != "port" {
		return node{}, fault(end, `found %s after %q: want "host", "net" or "port"`, end, t.text)
	}
	n, err := readEnd(p, end)
	n.side = source
	if t.text == "dst" {
		n.side = destination
	}
	return n, err
}

// readEnd reads what comes after "host", "net" or "port".
func readEnd(p *filterParser, t token) (n node, err error) {
	value := p.next()
	switch t.text {
	case "host":
		n.op = opHost
		n.addrs, err = p.host(value)
	case "net":
		n.op = opNet
		n.net, err = network(value)
	default:
		n.op = opPort
		n.value, n.limit, err = ports(value)
	}
	return n, err
}

func (p *filterParser) host(t token) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(t.text); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	if !t.isWord() {
		return nil, fault(t, `found %s after "host": want the name of a node or an address`, t)
	}
	if _, err := netip.ParsePrefix(t.text); err == nil {
		return nil, fault(t, `%s is a network: write "net %s"`, t, t.text)
	}
	if p.resolve == nil {
		return nil, fault(t, "%s is not an address", t)
	}
	found, ok := p.resolve(t.text)
	if !ok {
		return nil, fault(t, "%s is neither a node nor an address", t)
	}
	if len(found) == 0 {
		return nil, fault(t, "node %s has no address", t)
	}
	addrs := make([]netip.Addr, len(found))
	for i, addr := range found {
		addrs[i] = addr.Unmap()
	}
	return addrs, nil
}

// network reads a network. Bits beyond its length are an error, because either they or the length are a mistake.
func network(t token) (netip.Prefix, error) {
	if _, err := netip.ParseAddr(t.text); err == nil {
		return netip.Prefix{}, fault(t, `%s is one address: write "host %s"`, t, t.text)
	}
	n, err := netip.ParsePrefix(t.text)
	if err != nil {
		return netip.Prefix{}, fault(t, "%s is not a network: want an address and a length, such as 10.0.0.0/8 or fd00::/64", t)
	}
	if masked := n.Masked(); n != masked {
		return netip.Prefix{}, fault(t, "%s has an address with more than %d bits; did you mean %s?", t, n.Bits(), masked)
	}
	if addr := n.Addr(); addr.Is4In6() && n.Bits() >= 96 {
		n = netip.PrefixFrom(addr.Unmap(), n.Bits()-96)
	}
	return n, nil
}

// ports reads a port or the first and the last of several.
func ports(t token) (low, high uint16, err error) {
	first, last, several := strings.Cut(t.text, "-")
	if !several {
		last = first
	}
	var n [2]uint16
	for i, text := range []string{first, last} {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			if !several {
				return 0, 0, fault(t, "%s is not a port: want a number from 1 to 65535", t)
			}
			return 0, 0, fault(t, "%s are not ports: want two numbers from 1 to 65535, such as 1000-2000", t)
		}
		n[i] = uint16(port)
	}
	if n[0] > n[1] {
		return 0, 0, fault(t, "%s begins after its end; did you mean %s-%s?", t, last, first)
	}
	return n[0], n[1], nil
}

// longestPacket is the length in bytes of the longest IP packet, that of IPv6 without jumbograms.
const longestPacket = 40 + 65535

// readComparison reads what comes after "size", "payload-size" and "ttl".
func readComparison(p *filterParser, t token) (n node, err error) {
	n.op = opSize
	switch t.text {
	case "payload-size":
		n.op = opPayloadSize
	case "ttl":
		n.op = opHops
	}
	sign := p.next()
	i := slices.Index(comparisons, sign.text)
	if i < 0 {
		return n, fault(sign, "found %s after %q: want %s or >=", sign, t.text, strings.Join(comparisons[:len(comparisons)-1], ", "))
	}
	n.comparison = comparison(i)
	value := p.next()
	if n.op == opHops {
		n.number, err = hops(value)
	} else {
		n.number, err = sizeOf(value)
	}
	return n, err
}

func hops(t token) (int, error) {
	n, err := strconv.ParseUint(t.text, 10, 8)
	if err != nil {
		return 0, fault(t, "%s is not a time to live: want a number from 0 to 255", t)
	}
	return int(n), nil
}

func sizeOf(t token) (int, error) {
	text := t.text
	plain := text != "" && strings.Trim(text, "0123456789") == ""
	if plain {
		text += "B"
	}
	n, err := units.ParseBytes(text)
	switch {
	case t.text == "":
		return 0, fault(t, "found the end: want a size, such as 1000 or 1KiB")
	case err == nil && n > longestPacket, err != nil && plain:
		return 0, fault(t, "%s is more than a packet can have: want at most %d", t, longestPacket)
	case err != nil:
		return 0, fault(t, "%v", err)
	}
	return int(n), nil
}

// ecnWords are the words for the two bits of ECN, in the order of their numbers (RFC 3168, section 5).
var ecnWords = []string{"not-ect", "ect1", "ect0", "ce"}

func readECN(p *filterParser, t token) (node, error) {
	i, err := oneOf(p.next(), "a codepoint of ECN", ecnWords)
	return node{op: opECN, value: uint16(i)}, err
}

func readDSCP(p *filterParser, t token) (node, error) {
	value := p.next()
	if !value.isWord() {
		return node{}, fault(value, `found %s after "dscp": want a name or a number, such as ef or 46`, value)
	}
	dscp, err := units.ParseDSCP(value.text)
	if err != nil {
		return node{}, fault(value, "%v", err)
	}
	return node{op: opDSCP, value: uint16(dscp)}, nil
}

// flagWords are the words for the TCP flags, in the order of their bits.
var flagWords = []string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"}

// readFlags reads "A,B" and "= A,B".
func readFlags(p *filterParser, t token) (node, error) {
	exactly := p.take("=")
	flags := uint8(0)
	for {
		word := p.next()
		// The first letter of a word is seldom wrong: "sin" is "syn" rather than "fin".
		alike := slices.DeleteFunc(slices.Clone(flagWords), func(flag string) bool { return word.text == "" || flag[0] != word.text[0] })
		i, err := oneOf(word, "a TCP flag", flagWords)
		if near := units.Suggest(word.text, alike); err != nil && near != "" {
			return node{}, fault(word, "%s is not a TCP flag; did you mean %s?", word, near)
		}
		if err != nil {
			return node{}, err
		}
		flags |= 1 << i
		if !p.take(",") {
			break
		}
	}
	if next := p.peek(); slices.Contains(flagWords, next.text) {
		return node{}, fault(next, "%s can't stand here: write a comma between flags", next)
	}
	if exactly {
		return flagsNode(0xff, flags), nil
	}
	return flagsNode(flags, flags), nil
}

// oneOf returns the index of a word in words. noun says what they are.
func oneOf(t token, noun string, words []string) (int, error) {
	i := slices.Index(words, t.text)
	if i >= 0 {
		return i, nil
	}
	if near := units.Suggest(t.text, words); near != "" {
		return 0, fault(t, "%s is not %s; did you mean %s?", t, noun, near)
	}
	return 0, fault(t, "%s is not %s: want %s", t, noun, strings.Join(words, ", "))
}

// readPayload reads a quoted text or "hex" and digits.
func readPayload(p *filterParser, t token) (n node, err error) {
	n.op = opPayload
	if t.text == "payload-prefix" {
		n.op = opPrefix
	}
	value := p.next()
	var text string
	switch {
	case value.text == "hex":
		value = p.next()
		if n.text, err = hex.DecodeString(value.text); err != nil || len(n.text) == 0 {
			return n, fault(value, "%s is not hexadecimal: want two digits for each byte, such as 160301", value)
		}
	case value.isQuoted():
		text, err = value.unquote()
		n.text = []byte(text)
		if err == nil && text == "" {
			err = fault(value, `%s is in every payload: write "payload-size >= 0"`, value)
		}
	default:
		err = fault(value, `found %s after %q: want a text in quotes, such as "GET /", or hex and digits`, value, t.text)
	}
	return n, err
}
