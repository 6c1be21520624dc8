package page

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/report"
)

// figure is a name and a printed value.
type figure struct{ Name, Value string }

// flatten calls add for each value below a JSON value, in the order of the file, under a name whose parts are joined by dots, with the
// value printed as expectations name and print it. Null and what is in arrays are left out, but for arrays of single values.
func flatten(name string, raw json.RawMessage, add func(name, value string)) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return
	}
	switch raw[0] {
	case '{':
		var members report.Members[json.RawMessage]
		if json.Unmarshal(raw, &members) != nil {
			return
		}
		for _, m := range members {
			below := m.Name
			if name != "" {
				below = name + "." + m.Name
			}
			flatten(below, m.Value, add)
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return
		}
		var texts []string
		for _, e := range list {
			if e = bytes.TrimSpace(e); e[0] == '{' || e[0] == '[' {
				return
			}
			texts = append(texts, printScalar(name, e))
		}
		add(name, strings.Join(texts, ", "))
	case 'n':
	default:
		add(trimUnit(name), printScalar(name, raw))
	}
}

// trimUnit takes the unit off the end of a name, as expectations do.
func trimUnit(name string) string {
	for _, unit := range []string{"_ns", "_bps"} {
		name = strings.TrimSuffix(name, unit)
	}
	return name
}

// shares are figures that are printed as percentages, rates those that are so many a second.
var (
	shares = map[string]bool{"success_rate": true, "share": true, "loss": true, "fairness": true}
	rates  = map[string]bool{"rate": true, "offered": true}
	// levels are shares of which the last digits matter.
	levels = map[string]bool{"availability": true, "uptime": true, "objective": true, "credit": true}
)

// printScalar prints a single value in the unit that its name tells.
func printScalar(name string, raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	switch string(raw) {
	case "true":
		return "yes"
	case "false":
		return "no"
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	whole, err := strconv.ParseInt(string(raw), 10, 64)
	switch number, _ := strconv.ParseFloat(string(raw), 64); {
	case shares[last]:
		return printNumber(number*100) + "%"
	case levels[last]:
		return strconv.FormatFloat(math.Round(number*1e8)/1e6, 'f', -1, 64) + "%"
	case rates[last]:
		return printNumber(number) + "/s"
	case err != nil:
		return printNumber(number)
	case strings.HasSuffix(last, "_ns"):
		return printDuration(time.Duration(whole))
	case strings.HasSuffix(last, "_bps"):
		return scaled(whole, "bit/s")
	case last == "bytes" || strings.HasSuffix(last, "_bytes"):
		return printBytes(whole)
	default:
		return printCount(whole)
	}
}

// printNumber prints a number with four significant digits.
func printNumber(f float64) string {
	if f >= 1000 || f <= -1000 {
		return printCount(int64(f))
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}
