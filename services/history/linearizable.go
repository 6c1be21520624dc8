package history

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkLinearizable checks each key by itself, which is enough: Herlihy and Wing call it locality.
func (c *checker) checkLinearizable() Verdict {
	return c.checkParts(c.linearizable, true)
}

// checkParts looks for violations in each key by itself, and cuts the first down. safe says that a violation stays one when the history
// goes on.
func (c *checker) checkParts(holds func([]Operation) bool, safe bool) Verdict {
	v := Verdict{Culprit: -1}
	var first *part
	for _, p := range c.parts {
		ok := holds(p.ops)
		if c.exceeded {
			if first != nil {
				break // what was found stands
			}
			v.Result, v.Reason = Undecided, fmt.Sprintf("%s: no answer within %d steps", p.about(), c.most)
			return v
		}
		v.Checked++
		if !ok {
			v.Violations++
			if first == nil {
				first = p
			}
		}
	}
	if first == nil {
		v.Reason = fmt.Sprintf("%s of %s can be put in order", plural(len(c.ops), "operation"), plural(len(c.parts), "key"))
		return v
	}
	v.Result = Violated
	c.minimise(&v, first.ops, holds, safe)
	v.Reason = first.about() + ": " + explain(&v, first.ops)
	return v
}

// placed is the state of the search: that of the object, and how many of each class of unknown operations were used.
type placed struct {
	state
	used string
}

// linearizable says whether operations on one object are, with porcupine (Wing and Gong's search with Lowe's memory). When the budget is
// exceeded it returns false.
func (c *checker) linearizable(ops []Operation) bool {
	steps := c.steps(ops)
	cost := 1 + int64(len(steps))/512
	search := porcupine.Model{
		Init: func() any { return placed{} },
		Step: func(before, input, _ any) (bool, any) {
			if !c.take(cost) {
				return false, before
			}
			at, t := before.(placed), input.(*step)
			if t.class >= 0 {
				var mine bool
				if at.used, mine = use(at.used, t); !mine {
					return false, before
				}
			}
			after, ok := at.apply(t)
			return ok, placed{after, at.used}
		},
	}
	return porcupine.CheckEvents(search, events(steps))
}

// use counts one more of a class of unknown operations, if it is the turn of this one.
func use(used string, t *step) (string, bool) {
	counts := []byte(used)
	for len(counts) < 4*(t.class+1) {
		counts = append(counts, 0)
	}
	if at := counts[4*t.class:]; binary.LittleEndian.Uint32(at) == uint32(t.rank) {
		binary.LittleEndian.PutUint32(at, uint32(t.rank)+1)
		return string(counts), true
	}
	return used, false
}

// events puts invocations and completions in order. What happens at the same instant counts as concurrent, but a client's next operation
// comes after its last one.
func events(steps []step) []porcupine.Event {
	type event struct {
		at    time.Duration
		class int
		event porcupine.Event
	}
	list := make([]event, 0, 2*len(steps))
	ended, depth := map[int]time.Duration{}, map[int]int{}
	for i := range steps {
		t := &steps[i]
		client, turn := t.op.Client, 0
		if at, found := ended[client]; found && at == t.op.Invoked {
			turn = depth[client] + 1
		}
		call := event{t.op.Invoked, 2 * turn, porcupine.Event{ClientId: client, Kind: porcupine.CallEvent, Value: t, Id: i}}
		end := event{t.due, 1, porcupine.Event{ClientId: client, Kind: porcupine.ReturnEvent, Id: i}}
		if t.due == t.op.Invoked {
			end.class = 2*turn + 1
		}
		if t.unknown {
			end.class = 1 << 30 // behind what saw it
		} else {
			ended[client], depth[client] = t.op.Completed, (end.class-1)/2
		}
		list = append(list, call, end)
	}
	slices.SortStableFunc(list, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.class, b.class)) })
	ordered := make([]porcupine.Event, len(list))
	for i := range list {
		ordered[i] = list[i].event
	}
	return ordered
}
