package netem

import (
	"cmp"
	"slices"
	"testing/synctest"
)

// Wake wakes a goroutine that waits for something to arrive on c, which has room for one. In virtual time the engine's loop does
// it when everybody else is blocked again, so that goroutines that one event wakes run one after the other and never
// while the event is still being worked on, even if Go's scheduler interrupts somebody. Any goroutine may call it.
func (e *Engine) Wake(c chan<- struct{}) {
	if e.cfg.RealTime {
		signal(c)
		return
	}
	e.mu.Lock()
	e.woken = append(e.woken, c)
	e.mu.Unlock()
	e.wakeUp()
}

// WakeTogether is [Engine.Wake] for several that begin something together: they are woken in this order, one after the other, before
// the loop does what was put off by Later, so that what all of them put off is done at once.
func (e *Engine) WakeTogether(list []chan struct{}) {
	if e.cfg.RealTime {
		for _, c := range list {
			signal(c)
		}
		return
	}
	e.mu.Lock()
	for _, c := range list {
		e.together = append(e.together, c)
	}
	e.mu.Unlock()
	e.wakeUp()
}

// Turn is [Engine.WakeTogether] for goroutines that ask for themselves, in any order: those who have asked when every goroutine is
// blocked are woken by name and number, one after the other.
func (e *Engine) Turn(name string, number uint64, c chan<- struct{}) {
	if e.cfg.RealTime {
		signal(c)
		return
	}
	e.mu.Lock()
	e.turns = append(e.turns, turn{name, number, c})
	e.mu.Unlock()
	e.wakeUp()
}

// turn is somebody who waits for its turn; see Engine.Turn.
type turn struct {
	name   string
	number uint64
	c      chan<- struct{}
}

// task is work for the loop; see Engine.Later.
type task struct {
	owner Owner
	key   uint64
	fn    func()
}

// Later has the loop call fn when every goroutine is blocked, before it runs the next event. Calls that come together are made in
// the order of owner and key. Any goroutine may call it.
func (e *Engine) Later(owner Owner, key uint64, fn func()) {
	if e.cfg.RealTime {
		e.AfterFunc(owner, KindWake, 0, fn)
		return
	}
	e.mu.Lock()
	e.later = append(e.later, task{owner, key, fn})
	e.mu.Unlock()
	e.wakeUp()
}

// nextLocked takes what is to be done next: tasks or somebody to wake.
func (e *Engine) nextLocked() (tasks []task, next chan<- struct{}) {
	first := func(list *[]chan<- struct{}) {
		next = (*list)[0]
		*list = slices.Delete(*list, 0, 1)
	}
	if e.suspended.owners != nil {
		e.setTasksAsideLocked()
	}
	if len(e.together) == 0 && len(e.turns) > 0 {
		slices.SortStableFunc(e.turns, func(a, b turn) int {
			return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.number, b.number))
		})
		for _, t := range e.turns {
			e.together = append(e.together, t.c)
		}
		e.turns = e.turns[:0]
	}
	switch {
	case len(e.together) > 0:
		first(&e.together)
	case len(e.later) > 0:
		tasks, e.later = e.later, nil
	case len(e.woken) > 0:
		first(&e.woken)
	}
	return tasks, next
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// settle waits until every other goroutine is blocked. It then does what was put off until now and wakes those who were told of
// something, each when the one before is blocked again, until there is nothing left.
func (e *Engine) settle() {
	if e.cfg.RealTime {
		return
	}
	for {
		if !e.calm {
			e.settling.Store(true)
			synctest.Wait()
			e.settling.Store(false)
		}
		e.calm = false
		e.mu.Lock()
		tasks, next := e.nextLocked()
		e.mu.Unlock()
		switch {
		case len(tasks) > 0:
			slices.SortStableFunc(tasks, func(a, b task) int {
				return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.key, b.key))
			})
			for _, t := range tasks {
				t.fn()
			}
		case next != nil:
			signal(next)
		default:
			return
		}
	}
}
