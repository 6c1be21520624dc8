package compare

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"netlab/units"
)

// addGroup adds the figures of a part of the results.
func (c *Comparison) addGroup(name string, results []object) {
	prefix := name + "."
	if name == "workloads" {
		prefix = "" // expectations call them by their own names
	}
	g := Group{Name: name}
	parts := make([]any, len(results))
	for i, r := range results {
		parts[i] = r.get(name)
	}
	g.add(strings.TrimSuffix(prefix, "."), "", parts)
	if g.Figures != nil {
		c.Groups = append(c.Groups, g)
	}
}

// add adds what is in values, which go by the key under the one of the parent. Lists are left out: they are series, not figures.
func (g *Group) add(at, parent string, values []any) {
	objects := make([]object, len(values))
	found := false
	for i, v := range values {
		o, ok := v.(object)
		objects[i], found = o, found || ok
	}
	if !found {
		return
	}
	for _, key := range names(objects) {
		below := make([]any, len(objects))
		leaf := false
		for i, o := range objects {
			below[i] = o.get(key)
			switch below[i].(type) {
			case json.Number, bool, string:
				leaf = true
			}
		}
		if at == "run" && slices.Contains([]string{"name", "variant", "version"}, key) {
			continue
		}
		if leaf {
			g.Figures = append(g.Figures, newFigure(join(at, key), parent, key, below))
		} else {
			g.add(join(at, key), key, below)
		}
	}
}

func join(at, key string) string { return strings.TrimPrefix(at+"."+key, ".") }

// shares are the keys of figures that are parts of 1, rates those of how often something happens in a second. Other units are the ends
// of keys.
var (
	shares = []string{"loss", "share", "success_rate", "utilisation", "fairness"}
	rates  = []string{"offered", "rate", "throughput"}
)

// dimensionOf returns what a figure measures, and its key without the unit.
func dimensionOf(parent, key string, values []any) (Dimension, string) {
	integer := true
	for _, v := range values {
		switch v := v.(type) {
		case string:
			return Text, key
		case bool:
			return Flag, key
		case json.Number:
			integer = integer && !strings.ContainsAny(v.String(), ".eE")
		}
	}
	stem, _ := strings.CutSuffix(key, "_ns")
	bits, _ := strings.CutSuffix(key, "_bps")
	switch {
	case parent == "dropped" || parent == "marked": // frames by reason, one of which is called loss
		return Count, key
	case stem != key:
		return Duration, stem
	case bits != key:
		return BitRate, bits
	case key == "bytes" || strings.HasSuffix(key, "_bytes") || key == "mean_size":
		return Size, key
	case slices.Contains(shares, key):
		return Share, key
	case slices.Contains(rates, key):
		return Rate, key
	case integer:
		return Count, key
	}
	return Number, key
}

// Dimension is what a figure measures.
type Dimension uint8

// The dimensions, as those of expectations.
const (
	Number Dimension = iota
	Count
	Share    // 0 to 1, printed as a percentage
	Duration // nanoseconds
	Size     // bytes
	BitRate  // bits per second
	Rate     // events per second
	Flag     // yes or no
	Text
)

// Unit is ns, B, bit/s, /s, or "" for what has none.
func (d Dimension) Unit() string {
	switch d {
	case Duration:
		return "ns"
	case Size:
		return "B"
	case BitRate:
		return "bit/s"
	case Rate:
		return "/s"
	}
	return ""
}

// Print prints a value for people, as expectations do.
func (d Dimension) Print(v float64) string {
	switch d {
	case Count:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case Share:
		return units.ShortNumber(100*v) + "%"
	case Duration:
		return units.ShortDuration(v)
	case Size:
		return units.ShortBytes(v)
	case BitRate:
		return units.ShortBitRate(v)
	case Rate:
		return units.ShortNumber(v) + "/s"
	}
	return units.ShortNumber(v)
}

func newFigure(name, parent, key string, values []any) Figure {
	dimension, stem := dimensionOf(parent, key, values)
	f := Figure{Name: strings.TrimSuffix(name, key) + stem, Dimension: dimension, Unit: dimension.Unit(), Values: make([]Value, len(values))}
	for i, v := range values {
		f.Values[i] = newValue(dimension, v)
	}
	first := f.Values[0]
	for i := range f.Values {
		v := &f.Values[i]
		f.Differs = f.Differs || v.Known != first.Known || v.Number != first.Number || v.Text != first.Text
		if i == 0 || !v.Known || !first.Known || dimension == Text || dimension == Flag {
			continue
		}
		v.Difference = v.Number - first.Number
		if first.Number != 0 {
			v.Ratio, v.HasRatio = v.Number/first.Number, true
		}
	}
	f.Minor = minor(f.Name)
	return f
}

func newValue(dimension Dimension, v any) Value {
	switch v := v.(type) {
	case string:
		return Value{Known: true, Text: v}
	case bool:
		if v {
			return Value{Known: true, Number: 1, Text: "yes"}
		}
		return Value{Known: true, Text: "no"}
	case json.Number:
		n, err := v.Float64()
		if err != nil {
			return Value{}
		}
		return Value{Known: true, Number: n, Text: dimension.Print(n)}
	}
	return Value{}
}

// minor says whether a figure says little that others don't: what nodes counted besides TCP, and frames of links besides those that were
// lost or waited.
func minor(name string) bool {
	parts := strings.Split(name, ".")
	switch parts[0] {
	case "nodes":
		return !slices.Contains(parts, "tcp") || strings.HasPrefix(parts[len(parts)-1], "segments_")
	case "links":
		return !slices.Contains(parts, "dropped") && !slices.Contains(parts, "marked") && !slices.Contains(parts, "queue") ||
			slices.Contains([]string{"count", "start", "width"}, parts[len(parts)-1])
	}
	return false
}

// FiguresOf returns the figures of one run's results, as results.json has them, by the same names and in the same groups as those of a
// comparison; each has one value.
func FiguresOf(results []byte) ([]Group, error) {
	d := json.NewDecoder(bytes.NewReader(results))
	d.UseNumber()
	v, err := readValue(d)
	if err != nil {
		return nil, err
	}
	o, _ := v.(object)
	c := &Comparison{}
	for _, group := range groups {
		c.addGroup(group, []object{o})
	}
	return c.Groups, nil
}

// groups are the parts of the results that have figures.
var groups = []string{"run", "workloads", "links", "nodes", "faults"}
