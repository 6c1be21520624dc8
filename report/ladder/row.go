package ladder

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"netlab/captures"
	"netlab/captures/analysis"
)

// strokes are the characters of a drawing.
type strokes struct{ node, through, shaft, right, left, lost, stopped, folded, event rune }

var (
	boxStrokes   = strokes{'│', '┼', '─', '→', '←', '✗', '●', '┊', '═'}
	asciiStrokes = strokes{'|', '+', '-', '>', '<', 'x', 'o', ':', '='}
)

// ascii are the replacements of what labels hold beyond ASCII. Each is as wide as what it replaces.
var ascii = map[rune]rune{'…': '~', '↻': '^', '–': '-', '→': '>', '←': '<', '×': 'x', 'µ': 'u'}

// style is how a character is shown on a terminal.
type style byte

const (
	styleNone style = iota
	styleDim
	styleOpen
	styleClose
	styleReset
	styleAgain
	styleLost
	styleApplication
	styleLookup
	styleControl
	styleEvent
)

// sgr are the parameters of ANSI escape sequences (ECMA-48, Select Graphic Rendition).
var sgr = [...]string{styleDim: "2", styleOpen: "32", styleClose: "36", styleReset: "1;31", styleAgain: "33", styleLost: "31",
	styleApplication: "94", styleLookup: "35", styleControl: "95", styleEvent: "1"}

// styleOf chooses a packet's style: by what became of it, then by what it does, then by its protocol.
func styleOf(j *analysis.Journey) style {
	switch {
	case j.Lost != nil:
		return styleLost
	case j.Repeat != nil:
		return styleAgain
	case j.Flags&captures.RST != 0:
		return styleReset
	case j.Flags&captures.SYN != 0:
		return styleOpen
	case j.Flags&captures.FIN != 0:
		return styleClose
	}
	switch j.Protocol {
	case "tcp":
		if j.Length == 0 {
			return styleDim
		}
	case "tls", "http", "http2", "websocket", "json", "data-text-lines":
		return styleApplication
	case "dns", "mdns":
		return styleLookup
	case "arp":
		return styleDim
	case "icmp", "icmpv6":
		return styleControl
	}
	if j.Message != "" {
		return styleApplication
	}
	return styleNone
}

// row is a line of text in the making.
type row struct {
	cells  []rune
	styles []style
	ascii  bool
}

func newRow(width int, asciiOnly bool) *row {
	return &row{[]rune(strings.Repeat(" ", width)), make([]style, width), asciiOnly}
}

// covered stands in the second column of a wide character.
const covered = 0

// set puts a character into a column, unless it is outside. Half a wide character doesn't stay.
func (r *row) set(x int, c rune, s style) {
	if x < 0 || x >= len(r.cells) {
		return
	}
	if r.cells[x] == covered && x > 0 {
		r.cells[x-1] = ' '
	}
	if x+1 < len(r.cells) && r.cells[x+1] == covered {
		r.cells[x+1] = ' '
	}
	r.cells[x], r.styles[x] = c, s
}

// put copies a text into the row, as far as the row goes. Control characters and others that have no width of their own, which a
// foreign capture may hold, become dots.
func (r *row) put(x int, text string, s style) {
	for _, c := range text {
		cells := cellsOf(c)
		if r.ascii && c > unicode.MaxASCII {
			if c = ascii[c]; c == 0 {
				c = '?'
			}
		}
		if !unicode.IsPrint(c) || unicode.In(c, unicode.Mn, unicode.Me) {
			c = '.'
		}
		if cells == 2 && (r.ascii || x < 0 || x+1 >= len(r.cells)) {
			r.set(x, '?', s)
			r.set(x+1, '?', s)
		} else {
			r.set(x, c, s)
			if cells == 2 {
				r.set(x+1, ' ', s)
				r.cells[x+1] = covered
			}
		}
		x += cells
	}
}

// text returns the row without trailing spaces, with its colours if there are to be some.
func (r *row) text(color bool) string {
	n := len(r.cells)
	for n > 0 && r.cells[n-1] == ' ' {
		n--
	}
	if !color || !slices.ContainsFunc(r.styles[:n], func(s style) bool { return s != styleNone }) {
		return strings.ReplaceAll(string(r.cells[:n]), string(rune(covered)), "")
	}
	var b strings.Builder
	at := styleNone
	for i, c := range r.cells[:n] {
		if c == covered {
			continue
		}
		if s := r.styles[i]; s != at && c != ' ' {
			if at != styleNone {
				b.WriteString("\x1b[0m")
			}
			if s != styleNone {
				fmt.Fprintf(&b, "\x1b[%sm", sgr[s])
			}
			at = s
		}
		b.WriteRune(c)
	}
	if at != styleNone {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}
