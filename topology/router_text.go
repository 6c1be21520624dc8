package topology

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/units"
)

// The words that a rule is made of, beside names and numbers.
var (
	ruleActions   = []string{string(AcceptPackets), string(DropPackets), string(RejectPackets)}
	ruleProtocols = []string{string(RuleTCP), string(RuleUDP), string(RuleICMP)}
	ruleKeywords  = []string{"from", "source-port", "to", "port", "in", "out", "as"}
)

// setText reads a rule as a text, see [FirewallRule].
func (r *FirewallRule) setText(text string) error {
	wrong := func(suggestion, format string, args ...any) error {
		return &units.ParseError{Found: text, Problem: "is not a rule: " + fmt.Sprintf(format, args...), Suggestion: suggestion}
	}
	words := ruleWords(text)
	if len(words) == 0 {
		return wrong("", `it is empty; want one such as "accept tcp from 10.0.0.0/8 to server port 443"`)
	}
	if !slices.Contains(ruleActions, words[0]) {
		return wrong(units.Suggest(words[0], ruleActions), "it begins with %s, wanted accept, drop or reject", quote(words[0]))
	}
	out := FirewallRule{Action: RuleAction(words[0])}
	words = words[1:]
	if len(words) > 0 && slices.Contains(ruleProtocols, words[0]) {
		out.Protocol, words = RuleProtocol(words[0]), words[1:]
	}
	seen := map[string]bool{}
	for len(words) > 0 {
		keyword := words[0]
		switch {
		case !slices.Contains(ruleKeywords, keyword):
			known := ruleKeywords
			if len(seen) == 0 && out.Protocol == "" {
				known = append(slices.Clone(ruleProtocols), ruleKeywords...)
			}
			return wrong(units.Suggest(keyword, known), "found %s, wanted one of %s", quote(keyword), strings.Join(known, ", "))
		case seen[keyword]:
			return wrong("", "%s is there twice; several values are parted by commas", quote(keyword))
		case len(words) == 1:
			return wrong("", "nothing comes after %s", quote(keyword))
		}
		seen[keyword] = true
		if err := out.set(keyword, words[1]); err != nil {
			return wrong("", "%s", err)
		}
		words = words[2:]
	}
	*r = out
	return nil
}

// ruleWords cuts a text at its spaces, but not beside commas.
func ruleWords(text string) []string {
	var words []string
	for _, word := range strings.Fields(text) {
		last := len(words) - 1
		if last >= 0 && (strings.HasSuffix(words[last], ",") || strings.HasPrefix(word, ",")) {
			words[last] += word
		} else {
			words = append(words, word)
		}
	}
	return words
}

// set reads what follows a keyword.
func (r *FirewallRule) set(keyword, value string) error {
	list := strings.Split(value, ",")
	if slices.Contains(list, "") {
		return fmt.Errorf("%s has a comma too many", quote(value))
	}
	var err error
	switch keyword {
	case "from":
		r.From = list
	case "to":
		r.To = list
	case "in":
		r.In = list
	case "out":
		r.Out = list
	case "source-port":
		r.SourcePorts, err = parsePorts(list)
	case "port":
		r.Ports, err = parsePorts(list)
	case "as":
		r.Name = value
	}
	return err
}

func parsePorts(list []string) ([]PortRange, error) {
	ranges := make([]PortRange, len(list))
	for i, text := range list {
		if err := ranges[i].UnmarshalText([]byte(text)); err != nil {
			return nil, err
		}
	}
	return ranges, nil
}

// asText writes a rule as a text. One that couldn't be read again, because a program put spaces into its names, isn't.
func (r FirewallRule) asText() (encoding.TextMarshaler, bool) {
	words := []string{string(r.Action)}
	if r.Protocol != "" {
		words = append(words, string(r.Protocol))
	}
	add := func(keyword string, values []string) {
		if values != nil {
			words = append(words, keyword, strings.Join(values, ","))
		}
	}
	add("from", r.From)
	add("source-port", portTexts(r.SourcePorts))
	add("to", r.To)
	add("port", portTexts(r.Ports))
	add("in", r.In)
	add("out", r.Out)
	if r.Name != "" {
		add("as", []string{r.Name})
	}
	text := plainText(strings.Join(words, " "))
	var again FirewallRule
	return text, again.setText(string(text)) == nil && reflect.DeepEqual(again, r)
}

func portTexts(ranges []PortRange) []string {
	if ranges == nil {
		return nil
	}
	texts := make([]string, len(ranges))
	for i, r := range ranges {
		texts[i] = r.String()
	}
	return texts
}

// plainText is a text that writes itself.
type plainText string

// MarshalText returns the text.
func (t plainText) MarshalText() ([]byte, error) { return []byte(t), nil }

// MarshalJSON writes a rule as a text.
func (r FirewallRule) MarshalJSON() ([]byte, error) {
	type object FirewallRule
	return shortest(r, object(r))
}

// setText reads a port map such as "tcp 8080 to web:80".
func (f *PortForward) setText(text string) error {
	const form = `want one such as "tcp 8080 to web:80"`
	words := strings.Fields(text)
	if len(words) != 4 || words[2] != "to" {
		return &units.ParseError{Found: text, Problem: "is not a port map", Want: form}
	}
	if words[0] != string(RuleTCP) && words[0] != string(RuleUDP) {
		return &units.ParseError{Found: text, Problem: fmt.Sprintf("is not a port map: %s is neither tcp nor udp", quote(words[0])), Want: form}
	}
	if message := checkPort(words[1]); message != "" {
		return &units.ParseError{Found: text, Problem: "is not a port map: " + message}
	}
	port, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil {
		return err
	}
	*f = PortForward{Protocol: RuleProtocol(words[0]), Port: uint16(port), To: services.Target(words[3])}
	return nil
}

func (f PortForward) asText() (encoding.TextMarshaler, bool) {
	text := plainText(fmt.Sprintf("%s %d to %s", f.Protocol, f.Port, f.To))
	var again PortForward
	return text, again.setText(string(text)) == nil && again == f
}

// MarshalJSON writes a port map as a text.
func (f PortForward) MarshalJSON() ([]byte, error) {
	type object PortForward
	return shortest(f, object(f))
}

var portRangeType = reflect.TypeFor[PortRange]()

// UnmarshalText reads a port such as "80" or a range such as "8000-8100".
func (r *PortRange) UnmarshalText(text []byte) error {
	found := string(text)
	first, last, isRange := strings.Cut(found, "-")
	if !isRange {
		last = first
	}
	first, last = strings.TrimSpace(first), strings.TrimSpace(last)
	if checkPort(first) != "" || checkPort(last) != "" {
		return &units.ParseError{Found: found, Problem: "is not a port or a range of ports", Want: `want 1 to 65535, or two of them such as "8000-8100"`}
	}
	a, _ := strconv.ParseUint(first, 10, 16)
	b, _ := strconv.ParseUint(last, 10, 16)
	if a > b {
		return &units.ParseError{Found: found, Problem: "counts down", Suggestion: fmt.Sprintf("%q", last+"-"+first)}
	}
	*r = PortRange{uint16(a), uint16(b)}
	return nil
}

// String writes one port as a number, and a range with a hyphen.
func (r PortRange) String() string {
	if r.First == r.Last {
		return strconv.Itoa(int(r.First))
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// MarshalJSON writes one port as a number.
func (r PortRange) MarshalJSON() ([]byte, error) {
	if r.First == r.Last {
		return json.Marshal(r.First)
	}
	return json.Marshal(r.String())
}
