package page

import (
	"encoding/json"
	"html/template"
	"strings"
	"time"

	"netlab/report"
	"netlab/units"
)

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"duration": func(d any) string {
		switch d := d.(type) {
		case units.Duration:
			return printDuration(d.Std())
		case time.Duration:
			return printDuration(d)
		default:
			return "–"
		}
	},
	"count": func(n any) string {
		switch n := n.(type) {
		case int:
			return printCount(n)
		case uint64:
			return printCount(n)
		default:
			return "–"
		}
	},
	"size": func(b any) string {
		switch b := b.(type) {
		case units.Bytes:
			return printBytes(int64(b))
		case uint64:
			return printBytes(int64(b))
		default:
			return "–"
		}
	},
	"number":  printNumber,
	"join":    func(list []string) string { return strings.Join(list, ", ") },
	"verdict": func(o report.Outcome) verdict { return of(o) },
	"state":   stateVerdict,
	"plain":   func(raw json.RawMessage) string { return plain(raw) },
}).ParseFS(assets, "assets/*.html"))

// stateVerdict is the verdict that a comparison calls by that name, nil if a run doesn't have the expectation.
func stateVerdict(state string) *verdict {
	for _, v := range []verdict{holds, fails, inconclusive} {
		if v.Text == state {
			return &v
		}
	}
	return nil
}
