package ladder

import (
	"fmt"
	"strconv"
	"time"

	"netlab/captures"
	"netlab/captures/analysis"
)

const (
	// foldLeast is how many plain packets in a row are folded, foldKept how many of them stay at both ends.
	foldLeast = 12
	foldKept  = 3
)

// fold is a stretch of packets of which nothing is to be told one by one.
type fold struct {
	packets     int
	data, acks  int
	first, last time.Duration
}

// String says what the stretch holds.
func (f *fold) String() string {
	what := "data segments and ACKs"
	switch {
	case f.data == 0:
		what = "ACKs"
	case f.acks == 0:
		what = "data segments"
	}
	return fmt.Sprintf("%s %s, %s–%s s", thousands(f.packets), what, seconds(f.first), seconds(f.last))
}

// plain says whether a packet is a segment of which there is nothing to tell.
func plain(j *analysis.Journey) bool {
	const special = analysis.MarkRetransmission | analysis.MarkOutOfOrder | analysis.MarkZeroWindow | analysis.MarkZeroWindowProbe |
		analysis.MarkReset | analysis.MarkOpens | analysis.MarkCloses | analysis.MarkDropped | analysis.MarkAltered | analysis.MarkBroken
	return j.Stream != nil && j.Flags&(captures.SYN|captures.FIN|captures.RST) == 0 && j.Lost == nil && j.Repeat == nil &&
		j.Message == "" && len(j.Comments) == 0 && j.Marks&analysis.Marks(special) == 0
}

// folded returns the lines with stretches of plain packets put together. What is sent again later stays.
func (l *Ladder) folded() []line {
	again := map[*analysis.Journey]bool{}
	for i := range l.lines {
		if r := l.lines[i].journey.Repeat; r != nil && r.Original != nil {
			again[r.Original] = true
		}
	}
	var list []line
	for i := 0; i < len(l.lines); {
		n := i
		for n < len(l.lines) && plain(l.lines[n].journey) && !again[l.lines[n].journey] {
			n++
		}
		switch {
		case n-i >= foldLeast:
			list = append(list, l.lines[i:i+foldKept]...)
			list = append(list, foldLines(l.lines[i+foldKept:n-foldKept]))
			list = append(list, l.lines[n-foldKept:n]...)
		case n > i:
			list = append(list, l.lines[i:n]...)
		default:
			list = append(list, l.lines[i])
			n++
		}
		i = n
	}
	return list
}

// foldLines puts lines together. A packet that several of them belong to counts once.
func foldLines(lines []line) line {
	f := &fold{first: lines[0].at, last: lines[len(lines)-1].at}
	for i := range lines {
		if lines[i].later {
			continue
		}
		f.packets++
		if lines[i].journey.Length > 0 {
			f.data++
		} else {
			f.acks++
		}
	}
	return line{at: f.first, fold: f}
}

// seconds prints a time with two decimals.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

// thousands prints a number as 1,204.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
