package units

import (
	"errors"
	"fmt"
	"io"
)

// LossTrace is a recorded pattern of losses. It does not change after
// ParseLossTrace.
type LossTrace struct {
	lost  []bool
	count int // of those that are true
}

// maxLossTrace is how many frames a trace describes at most.
const maxLossTrace = 10_000_000

// ParseLossTrace reads a trace: a '0' for each frame that arrives and a '1' for
// each that is lost. White space is skipped, and so is what follows a "#" on its
// line. There must be at least one frame and at most 10,000,000, and at most
// 64 KiB on a line. An error names the line.
func ParseLossTrace(r io.Reader) (*LossTrace, error) {
	t := new(LossTrace)
	err := readLines(r, func(line string) error {
		for _, c := range line {
			switch c {
			case ' ', '\t':
				continue
			case '0', '1':
			default:
				return fmt.Errorf("%q is not a frame: want 0 (arrives) or 1 (is lost)", c)
			}
			if len(t.lost) == maxLossTrace {
				return fmt.Errorf("want at most %d frames", maxLossTrace)
			}
			t.lost = append(t.lost, c == '1')
			if c == '1' {
				t.count++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(t.lost) == 0 {
		return nil, errors.New("there is no frame: want 0 (arrives) and 1 (is lost)")
	}
	return t, nil
}

// Len returns how many frames the trace describes before it repeats.
func (t *LossTrace) Len() int { return len(t.lost) }

// Lost tells whether the i-th frame is lost, from 0; after Len frames the trace
// begins again.
func (t *LossTrace) Lost(i int) bool { return t.lost[i%len(t.lost)] }

// Mean returns the share of frames that is lost.
func (t *LossTrace) Mean() Probability {
	return Probability(float64(t.count) / float64(len(t.lost)))
}

// File returns the path of the file that holds the trace, or "" for any other
// kind.
func (l Loss) File() string { return l.path }

// Trace returns the data of a loss by file: nil until WithTrace, and for any
// other kind.
func (l Loss) Trace() *LossTrace { return l.trace }

// WithTrace returns l with the data of its file. It panics if l has no file.
func (l Loss) WithTrace(t *LossTrace) Loss {
	if l.kind != LossFile {
		panic(fmt.Sprintf("units: WithTrace on the loss %v: want one with a file", l))
	}
	l.trace = t
	return l
}
