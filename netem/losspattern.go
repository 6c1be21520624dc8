package netem

import (
	"fmt"

	"netlab/units"
)

// lossPattern repeats a pattern of '0', which arrives, and '1', which is lost.
type lossPattern struct {
	pattern string
	at      int // of the next frame in the pattern
}

func (p *lossPattern) lose() (words string) {
	lost := p.pattern[p.at] == '1'
	if p.at++; p.at == len(p.pattern) {
		p.at = 0
	}
	if lost {
		return "loss pattern"
	}
	return ""
}

// lossEvery loses each nth frame.
type lossEvery struct {
	nth   int
	count int // since the last one that was lost
	words string
}

func newLossEvery(nth int) *lossEvery {
	return &lossEvery{nth: nth, words: fmt.Sprintf("loss every(%d)", nth)}
}

func (e *lossEvery) lose() (words string) {
	if e.count++; e.count < e.nth {
		return ""
	}
	e.count = 0
	return e.words
}

// lossTrace repeats a recorded pattern.
type lossTrace struct {
	trace *units.LossTrace
	at    int // of the next frame in the trace
}

func (t *lossTrace) lose() (words string) {
	lost := t.trace.Lost(t.at)
	if t.at++; t.at == t.trace.Len() {
		t.at = 0
	}
	if lost {
		return "loss trace"
	}
	return ""
}
