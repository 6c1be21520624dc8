package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// gapWidth is how wide a time is drawn in which nothing happens for long, in pixels.
const gapWidth = 40

// stretch is a time that is drawn to scale.
type stretch struct {
	from, to time.Duration
	left     float64
}

// axis is where times are drawn: stretches to scale, with gaps between them.
type axis struct {
	stretches []stretch
	scale     float64 // pixels for a nanosecond
	step      time.Duration
}

// newAxis makes the axis for some operations. Only a gap that is longer than a third of the time in which something happens is cut short, and
// so that gaps never take more than half of the width, only the longest are.
func newAxis(ops []Operation) *axis {
	busy := make([]stretch, 0, len(ops))
	for i := range ops {
		o := &ops[i]
		s := stretch{from: o.Invoked, to: o.Invoked + 1}
		if o.Outcome != Unknown {
			s.to = max(s.to, min(o.Completed, never-1))
		}
		busy = append(busy, s)
	}
	slices.SortFunc(busy, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var sum time.Duration
	merged := busy[:0]
	for _, s := range busy {
		if n := len(merged); n > 0 && s.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	var gaps []time.Duration
	for i, s := range merged {
		sum += s.to - s.from
		if i > 0 {
			gaps = append(gaps, s.from-merged[i-1].to)
		}
	}
	slices.SortFunc(gaps, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	least := sum/3 + 1
	if most := (laneRight - laneLeft) / 2 / gapWidth; len(gaps) > most {
		least = max(least, gaps[most]+1)
	}
	a := &axis{}
	sum = 0
	for _, s := range merged {
		if n := len(a.stretches); n > 0 && s.from-a.stretches[n-1].to < least {
			a.stretches[n-1].to = s.to
			continue
		}
		a.stretches = append(a.stretches, s)
	}
	for _, s := range a.stretches {
		sum += s.to - s.from
	}
	room := float64(laneRight - laneLeft - gapWidth*max(len(a.stretches)-1, 0))
	a.scale = room / float64(max(sum, 1))
	left := float64(laneLeft)
	for i := range a.stretches {
		s := &a.stretches[i]
		s.left = left
		left += float64(s.to-s.from)*a.scale + gapWidth
	}
	step := math.Pow(10, math.Ceil(math.Log10(float64(max(sum, 1))/10)))
	for _, finer := range []float64{5, 2} {
		if float64(sum)/(step/finer) <= 10 {
			step /= finer
			break
		}
	}
	a.step = max(time.Duration(math.Round(step)), 1)
	return a
}

// place returns where a time is drawn. What is later than all is at the end.
func (a *axis) place(at time.Duration) float64 {
	x := float64(laneLeft)
	for i, s := range a.stretches {
		switch {
		case at < s.from && i > 0: // in a gap
			before := a.stretches[i-1]
			return x + gapWidth*float64(at-before.to)/float64(s.from-before.to)
		case at <= s.to:
			return s.left + float64(max(at-s.from, 0))*a.scale
		}
		x = s.left + float64(s.to-s.from)*a.scale
	}
	return x
}

// draw draws times at round distances, and the gaps.
func (a *axis) draw(b *strings.Builder, bottom int) {
	free := 0.0
	for i, s := range a.stretches {
		if i > 0 {
			for _, x := range []float64{s.left - gapWidth + 6, s.left - 6} {
				fmt.Fprintf(b, `<path d="M%s %d V%d" stroke="#8c959f" stroke-dasharray="3 3"/>`+"\n", pixels(x), headHeight-8, bottom)
			}
		}
		for at := (s.from + a.step - 1) / a.step * a.step; at <= s.to && at >= 0; at += a.step {
			x := a.place(at)
			fmt.Fprintf(b, `<path d="M%s %d V%d" stroke="#d0d7de"/>`+"\n", pixels(x), headHeight-8, bottom)
			text := strconv.FormatFloat(float64(at)/1e6, 'f', -1, 64)
			half := float64(len(text)) * letterWidth / 2
			if x-half < free {
				continue
			}
			free = x + half + 6
			fmt.Fprintf(b, `<text x="%s" y="%d" font-size="11" text-anchor="middle" fill="#57606a">%s</text>`+"\n", pixels(x), bottom+14, text)
		}
	}
	fmt.Fprintf(b, `<text x="12" y="%d" font-size="11" fill="#57606a">ms since start</text>`+"\n", bottom+14)
}
