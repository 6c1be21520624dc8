package captures

import (
	"fmt"
	"strings"
)

// label returns the words for an arrow with room for so many characters. What the application says is added, in place of
// details or shortened where room is short: it takes no line of its own where the label without it needs none.
func (l *ladder) label(v *view, d *line, room int, comment string) string {
	prefix := ""
	if d.protocol != "TCP" {
		prefix = d.protocol + " "
	}
	ports := ""
	if l.ports && v.hasPorts {
		ports = fmt.Sprintf("%d > %d ", v.srcPort, v.dstPort)
	}
	full := prefix + ports + d.text
	if d.app == "" {
		return full
	}
	n := room - arrowEnds
	if beside := n - width(comment) - 2; lost(comment) && width(full) <= beside {
		n = beside
	} else if width(full) > n {
		n = l.textWidth()
	}
	best := full + ": " + d.app
	if d.brief != "" && width(best) > n {
		best = prefix + ports + d.brief + ": " + d.app
	}
	if d.alone && width(best) > n {
		best = prefix + ports + d.app
	}
	for _, text := range d.shorter {
		if width(best) > n {
			best = text
		}
	}
	if width(best) > n {
		best = strings.TrimSuffix(best, " HTTP/1.1") // the path says more
	}
	best = strings.ReplaceAll(best, string(boxStrokes.cut), string(l.cut))
	if width(best) > n && n < width(full)+8 && strings.HasPrefix(best, full) {
		return full // a few letters say nothing
	}
	return cut(best, n, l.cut)
}
