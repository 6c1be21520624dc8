package chat

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"netlab/services"
	"netlab/units"
)

// user is one who watches the room and may send.
type user struct {
	runner *runner
	env    *services.Env
	tally  *tally
	index  int    // on its host
	name   string // as a sender: workload/host/index
	start  time.Duration

	// Of the goroutine that watches.
	last   int64 // number of the latest message seen
	got    int   // different messages of this workload
	heard  map[string]*tracker
	bytes  units.Bytes
	jitter *rand.Rand
}

// channel is how a user talks to the room.
type channel interface {
	// watch receives messages until the user has them all or ctx ends.
	watch(ctx context.Context)
	// send sends a message and says whether it went out. It may wait until it can.
	send(ctx context.Context, text []byte) bool
}

// open makes the user's channel. place is its place among all users, from 0 to 1.
func (u *user) open(ctx context.Context, place float64) (channel, error) {
	c := &u.runner.config
	join := u.start + time.Duration(place*float64(c.LeadTime)/2)
	if c.Transport == WebSocket {
		return newSocketChannel(u, join)
	}
	if c.Transport == Polling {
		join = u.start + time.Duration(place*float64(c.PollInterval))
	}
	return newPollChannel(ctx, u, join)
}

// sendAll sends the user's messages, each when it is due.
func (u *user) sendAll(ctx context.Context, to channel) {
	c := &u.runner.config
	random := u.env.Stream("text." + u.name)
	for i := range c.Messages {
		due := u.start + c.LeadTime.Std() + time.Duration(i)*c.Interval.Std()
		text := words(random, int(c.Size))
		if u.env.SleepUntil(ctx, due) != nil {
			return
		}
		// A message that has to wait, for a connection or for the one before, was still meant to be sent when it was due.
		draft := encode(Draft{Sender: u.name, ID: int64(i + 1), Sent: int64(due), Text: text})
		if !to.send(ctx, draft) {
			return
		}
	}
}

// sent counts a message that went out.
func (u *user) sent(text []byte) {
	u.runner.timeline.Begin(u.env.Elapsed() - u.start)
	u.tally.count(func(r *Result) {
		r.Sent++
		r.BytesSent += units.Bytes(len(text))
	})
}

// take notes a message from the room. Those of other workloads only count for where the user is.
func (u *user) take(m *Message) {
	delay := u.env.Elapsed() - time.Duration(m.Sent)
	u.last = max(u.last, m.Number)
	if !strings.HasPrefix(m.Sender, u.runner.name+"/") || m.ID < 1 || delay < 0 {
		return
	}
	s := u.heard[m.Sender]
	if s == nil {
		s = &tracker{next: 1}
		u.heard[m.Sender] = s
	}
	switch fresh, late := s.add(m.ID); {
	case fresh:
		u.got++
		u.tally.received(delay, late)
		u.runner.timeline.Succeed(u.env.Elapsed()-u.start, delay, units.Bytes(len(m.Text)))
	default:
		u.tally.count(func(r *Result) { r.Duplicates++ })
	}
}

// backOff returns the time before another attempt after so many failures in a row.
func (u *user) backOff(failures int) time.Duration {
	if u.jitter == nil {
		u.jitter = u.env.Stream("reconnect." + u.name)
	}
	return u.runner.config.Reconnect.delay(failures, u.jitter)
}

// complete says whether the user has seen all that will be sent.
func (u *user) complete() bool { return u.got == u.runner.total() }

// tracker keeps which messages of a sender a user has seen.
type tracker struct {
	next  int64              // the first that is missing
	max   int64              // the highest that was seen
	early map[int64]struct{} // those above next
}

// add notes a message. fresh says that it is the first with that number, late that there was a higher one before.
func (s *tracker) add(id int64) (fresh, late bool) {
	if _, seen := s.early[id]; seen || id < s.next {
		return false, false
	}
	late = id < s.max
	s.max = max(s.max, id)
	if id > s.next {
		if s.early == nil {
			s.early = map[int64]struct{}{}
		}
		s.early[id] = struct{}{}
		return true, late
	}
	for s.next++; ; s.next++ {
		if _, seen := s.early[s.next]; !seen {
			return true, late
		}
		delete(s.early, s.next)
	}
}

// vocabulary is what people talk about here.
var vocabulary = strings.Fields("the packet went out and no answer came so we sent it again but the router had gone for " +
	"lunch with a switch who knew every address by heart while the link slept until somebody pulled the plug")

// words returns text of a length.
func words(random *rand.Rand, size int) string {
	var b strings.Builder
	b.Grow(size + 16)
	for b.Len() < size {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[random.IntN(len(vocabulary))])
	}
	return b.String()[:size]
}
