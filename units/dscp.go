package units

import (
	"slices"
	"strconv"
	"strings"
)

// DSCP is the differentiated services code point of an IP packet: 0 to 63, the
// upper six bits of what was the type of service (RFC 2474, section 3). It is
// written as a number, or by one of the names
//
//	cs0 … cs7                                   class selectors: 0, 8, …, 56 (RFC 2474, section 4.2.2)
//	af11 af12 af13, af21 … af43                 assured forwarding: class and drop precedence (RFC 2597, section 6)
//	ef                                          expedited forwarding: 46 (RFC 3246)
//	va                                          voice that was admitted: 44 (RFC 5865)
//	le                                          lower effort: 1 (RFC 8622)
//
// RFC 4594 says what each of them is for. The zero value is cs0, the default.
type DSCP uint8

const maxDSCP DSCP = 63

// dscpNames holds the names in the order of their values.
var dscpNames = []struct {
	value DSCP
	name  string
}{
	{0, "cs0"}, {1, "le"}, {8, "cs1"}, {10, "af11"}, {12, "af12"}, {14, "af13"}, {16, "cs2"}, {18, "af21"}, {20, "af22"}, {22, "af23"},
	{24, "cs3"}, {26, "af31"}, {28, "af32"}, {30, "af33"}, {32, "cs4"}, {34, "af41"}, {36, "af42"}, {38, "af43"},
	{40, "cs5"}, {44, "va"}, {46, "ef"}, {48, "cs6"}, {56, "cs7"},
}

// dscpAliases are names that are refused with a suggestion.
var dscpAliases = map[string]string{
	"be": "cs0", "df": "cs0", "default": "cs0", "best-effort": "cs0", "lbe": "le", "lower-effort": "le",
	"voice-admit": "va", "expedited": "ef", "af": "af11", "cs": "cs1",
}

// ParseDSCP reads a code point such as "ef" or "46". An error is a *ParseError:
// neither a name nor a whole number from 0 to 63.
func ParseDSCP(s string) (DSCP, error) {
	wrong := &ParseError{Found: s, Problem: "is not a DSCP", Want: `want a name such as "ef", "af41" or "cs1", or a number from 0 to 63`}
	names := make([]string, len(dscpNames))
	for i, n := range dscpNames {
		if n.name == s {
			return n.value, nil
		}
		names[i] = n.name
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n <= uint64(maxDSCP) && digits(s) == len(s) {
		return DSCP(n), nil
	}
	word := strings.ToLower(strings.TrimSpace(s))
	switch {
	case dscpAliases[word] != "":
		wrong.Suggestion = dscpAliases[word]
	case slices.Contains(names, word):
		wrong.Suggestion = word
	case len(word) >= 3 && !isDigit(word[0]):
		// Names of two letters are too near to any other word.
		wrong.Suggestion = Suggest(word, names)
	}
	return 0, wrong
}

// Bits returns the six bits as a number from 0 to 63, without the two bits of
// ECN that follow them in the packet.
func (d DSCP) Bits() uint8 { return uint8(d) }

// String writes the name of d, and its number where it has none: "ef", "5".
func (d DSCP) String() string {
	for _, n := range dscpNames {
		if n.value == d {
			return n.name
		}
	}
	return strconv.Itoa(int(d))
}

// MarshalText writes what String writes. A value above 63 is an error.
func (d DSCP) MarshalText() ([]byte, error) {
	if d > maxDSCP {
		return nil, invalid("DSCP", d, "0 to 63")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what ParseDSCP reads. A JSON number is read when its digits
// are handed over as the text.
func (d *DSCP) UnmarshalText(text []byte) error {
	v, err := ParseDSCP(string(text))
	return parsed(d, v, err)
}
