package analysis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// payloads writes down what an application is given.
type payloads struct{ log []string }

func (p *payloads) data(f *Frame, side int, b []byte) {
	p.log = append(p.log, fmt.Sprintf("%d:%d+%d", f.Number, side, len(b)))
}
func (p *payloads) gap(f *Frame, side int, n uint64) {
	p.log = append(p.log, fmt.Sprintf("%d:%d gap %d", f.Number, side, n))
}
func (p *payloads) end(f *Frame, side int) {
	number := 0
	if f != nil {
		number = f.Number
	}
	p.log = append(p.log, fmt.Sprintf("%d:%d end", number, side))
}

// reassembled returns what the application of a script's only connection is given.
func (s script) reassembled(t testing.TB, cutTo int) string {
	p := &payloads{}
	a := New(Options{Applications: true, Frame: func(f *Frame) {
		if f.Stream != nil {
			f.Stream.state.(*streamState).app = p
		}
	}})
	for _, l := range s.lines(t) {
		if cutTo > 0 {
			l.packet.Data = l.packet.Data[:min(cutTo, len(l.packet.Data))]
		}
		a.Add(&l.packet)
	}
	a.Finish()
	return strings.Join(p.log, " ")
}

func TestReassembly(t *testing.T) {
	for _, c := range []struct {
		name string
		text script
		cut  int
		want string
	}{
		{"in order", "60 > PA 1+10 ack 1\n 60 > PA 11+20 ack 1\n 70 < PA 1+5 ack 31", 0, "4:0+10 5:0+20 6:1+5 0:0 end 0:1 end"},
		{"again, in part", "60 > PA 1+10 ack 1\n 60 > PA 1+10 ack 1\n 60 > PA 6+10 ack 1", 0, "4:0+10 6:0+5 0:0 end 0:1 end"},
		{"out of order", "60 > PA 11+10 ack 1\n 61 > PA 21+10 ack 1\n 62 > PA 1+10 ack 1", 0, "6:0+10 6:0+10 6:0+10 0:0 end 0:1 end"},
		{"lost to the capture", "60 > PA 11+10 ack 1\n 61 < A 1 ack 21", 0, "5:0 gap 10 5:0+10 0:0 end 0:1 end"},
		{"acknowledged, but never seen", "60 > PA 1+10 ack 1\n 61 < A 1 ack 21", 0, "4:0+10 5:0 gap 10 0:0 end 0:1 end"},
		{"cut short", "60 > PA 1+10 ack 1\n 61 > PA 11+5 ack 1", 60, "4:0+6 4:0 gap 4 5:0+5 0:0 end 0:1 end"},
		{"corrupted", "60 > PA 1+10 ack 1 | corrupted: flipped 0x01 in byte 99 on a--b\n 90 > PA 1+10 ack 1", 0, "5:0+10 0:0 end 0:1 end"},
		{"closed", "60 > FPA 1+10 ack 1\n 61 < FA 1 ack 12", 0, "4:0+10 4:0 end 5:1 end"},
		{"FIN before the data", "60 > FA 11 ack 1\n 61 > PA 1+10 ack 1", 0, "5:0+10 5:0 end 0:1 end"},
		{"reset", "60 > PA 1+10 ack 1\n 61 < R 1", 0, "4:0+10 5:1 end 5:0 end"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, (open+c.text).reassembled(t, c.cut)) })
	}
}

// What waits behind a gap is bounded: then the gap is given up.
func TestReassemblyIsBounded(t *testing.T) {
	p := &payloads{}
	total := 0
	r := reassembly{total: &total}
	f := &Frame{Number: 1}
	size := 0
	for i := range int64(10_000) {
		c := chunk{from: 100 + 1000*i, to: 1100 + 1000*i, b: make([]byte, 1000)}
		if c.from > r.next {
			r.wait(c)
		} else {
			r.give(f, p, Client, c)
		}
		r.bound(f, p, Client)
		size = max(size, r.size)
		require.Equal(t, r.size, total)
	}
	require.LessOrEqual(t, size, maxWaiting)
	require.Equal(t, "1:0 gap 100", p.log[0])
	require.Empty(t, r.waiting)
}

// So is what waits on all connections together, each of which has little; an end gives back what waited.
func TestReassemblyOfAllStreamsIsBounded(t *testing.T) {
	a := New(Options{Applications: true})
	for _, l := range (open + script("60 > PA 11+10 ack 1\n 61 > PA 31+10 ack 1")).lines(t) {
		a.Add(&l.packet)
	}
	require.Equal(t, 2*(chunkCost+10), a.waiting)
	a.waiting += maxWaitingTotal
	for _, l := range script("62 > PA 51+10 ack 1").lines(t) {
		a.Add(&l.packet)
	}
	require.Equal(t, maxWaitingTotal, a.waiting, "all three gaps were given up")
	for _, l := range script("63 > PA 71+10 ack 1\n 64 < R 1\n 65 > PA 91+10 ack 1").lines(t) {
		a.Add(&l.packet)
	}
	a.Finish()
	require.Equal(t, maxWaitingTotal, a.waiting)
}
