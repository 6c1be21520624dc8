package netem

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestTimerReset(t *testing.T) {
	type reset struct{ at, to time.Duration }
	for name, c := range map[string]struct {
		first  time.Duration
		resets []reset
		stop   time.Duration
		want   []time.Duration
	}{
		"once":               {first: 5 * ms, want: []time.Duration{5 * ms}},
		"later":              {first: 5 * ms, resets: []reset{{ms, 9 * ms}}, want: []time.Duration{9 * ms}},
		"later and later":    {first: 5 * ms, resets: []reset{{ms, 9 * ms}, {6 * ms, 12 * ms}}, want: []time.Duration{12 * ms}},
		"earlier":            {first: 5 * ms, resets: []reset{{ms, 2 * ms}}, want: []time.Duration{2 * ms}},
		"earlier, later":     {first: 5 * ms, resets: []reset{{ms, 2 * ms}, {ms, 7 * ms}}, want: []time.Duration{7 * ms}},
		"later, earlier":     {first: 5 * ms, resets: []reset{{ms, 9 * ms}, {2 * ms, 6 * ms}}, want: []time.Duration{6 * ms}},
		"in the past":        {first: 5 * ms, resets: []reset{{3 * ms, ms}}, want: []time.Duration{3 * ms}},
		"after it fired":     {first: ms, resets: []reset{{3 * ms, 4 * ms}}, want: []time.Duration{ms, 4 * ms}},
		"stopped":            {first: 5 * ms, stop: ms},
		"stopped and later":  {first: 5 * ms, stop: ms, resets: []reset{{2 * ms, 9 * ms}}, want: []time.Duration{9 * ms}},
		"stopped and sooner": {first: 5 * ms, stop: ms, resets: []reset{{2 * ms, 3 * ms}}, want: []time.Duration{3 * ms}},
		"later and stopped":  {first: 5 * ms, resets: []reset{{ms, 9 * ms}}, stop: 6 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			var got []time.Duration
			bubble(t, Config{}, func(n *Network) {
				timer := n.At(1, KindTimer, c.first, func() { got = append(got, n.Elapsed()) })
				for _, r := range c.resets {
					n.At(0, KindControl, r.at, func() { timer.ResetAt(r.to) })
				}
				if c.stop > 0 {
					n.At(0, KindControl, c.stop, func() {
						require.True(t, timer.Stop())
						require.False(t, timer.Stop())
					})
				}
			})
			require.Equal(t, c.want, got)
		})
	}
}

func TestTimerStopAfterItFired(t *testing.T) {
	bubble(t, Config{}, func(n *Network) {
		timer := n.AfterFunc(1, KindTimer, ms, func() {})
		n.At(0, KindControl, 2*ms, func() {
			require.False(t, timer.Stop())
			unset := n.NewTimer(1, KindTimer, func() { t.Error("nobody set it") })
			require.False(t, unset.Stop())
		})
	})
}

func TestTimerBeyondTheEndOfTime(t *testing.T) {
	bubble(t, Config{Limit: time.Hour}, func(n *Network) {
		timer := n.NewTimer(1, KindTimer, func() {})
		n.At(0, KindControl, time.Second, func() {
			timer.Reset(maxTime)
			require.Equal(t, maxTime, timer.deadline)
			timer.Reset(-time.Second)
			require.Equal(t, time.Second, timer.deadline)
		})
	})
}

// Timers of one owner that are due at one instant fire in the order in which they were set last, however they came there.
func TestCoincidentTimersFireInTheOrderOfReset(t *testing.T) {
	var got []string
	bubble(t, Config{}, func(n *Network) {
		add := func(name string, at time.Duration) *Timer {
			return n.At(1, KindTimer, at, func() { got = append(got, name) })
		}
		soon, same, late := add("soon", 2*ms), add("same", 10*ms), add("late", 20*ms)
		n.At(0, KindControl, ms, func() {
			soon.ResetAt(10 * ms)
			late.ResetAt(10 * ms)
			add("new", 10*ms)
			same.ResetAt(10 * ms)
		})
	})
	require.Equal(t, []string{"soon", "late", "new", "same"}, got)
}

// Cancelled timers leave the queue long before they are due, also if they are set and stopped again and again.
func TestCancelledTimersLeaveTheQueue(t *testing.T) {
	const many = 20000
	bubble(t, Config{Limit: 100 * time.Hour}, func(n *Network) {
		timer := n.NewTimer(1, KindTimer, func() { t.Error("it was stopped") })
		largest, i := 0, 0
		var step func()
		step = func() {
			other := n.AfterFunc(2, KindTimer, time.Hour, func() { t.Error("it was stopped") })
			timer.Reset(time.Hour - time.Duration(i)*ms) // each time a bit earlier
			timer.Stop()
			other.Stop()
			largest = max(largest, len(n.queue))
			if i++; i < many {
				n.AfterFunc(0, KindControl, time.Microsecond, step)
				return
			}
			for range many {
				n.AfterFunc(3, KindTimer, time.Hour, func() { t.Error("it was stopped") }).Stop()
			}
			n.AfterFunc(0, KindControl, time.Microsecond, func() {
				n.AfterFunc(0, KindControl, time.Microsecond, func() { require.Less(t, len(n.queue), 100) })
			})
		}
		n.At(0, KindControl, 0, step)
		n.At(0, KindControl, time.Minute, func() {
			require.Less(t, largest, 200)
			require.Equal(t, many, i)
		})
	})
}

func TestSleep(t *testing.T) {
	cause := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		e.Go(1, func() {
			defer e.Stop()
			ctx, cancel := context.WithCancelCause(context.Background())
			require.NoError(t, e.Sleep(ctx, 1, 5*ms))
			require.Equal(t, 5*ms, e.Elapsed())
			require.NoError(t, e.Sleep(ctx, 1, -ms))
			require.NoError(t, e.SleepUntil(ctx, 1, ms))
			require.Equal(t, 5*ms, e.Elapsed().Round(time.Microsecond))
			require.NoError(t, e.SleepUntil(ctx, 1, 9*ms))
			require.Equal(t, 9*ms, e.Elapsed())
			e.At(0, KindControl, 20*ms, func() { cancel(cause) })
			require.ErrorIs(t, e.Sleep(ctx, 1, time.Hour), cause)
			require.Equal(t, 20*ms, e.Elapsed())
			require.ErrorIs(t, e.Sleep(ctx, 1, 0), cause)
			deadline, stop := context.WithTimeout(context.Background(), ms)
			defer stop()
			require.ErrorIs(t, e.Sleep(deadline, 1, time.Hour), context.DeadlineExceeded)
		})
		require.NoError(t, e.Run(context.Background()))
		require.Nil(t, e.topLocked(), "a sleep that was given up leaves nothing behind")
	})
}

// Those who sleep until one instant wake up one after the other, by owner, whoever went to sleep first.
func TestSleepersWakeInOrder(t *testing.T) {
	var order []int
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		for _, owner := range []int{5, 2, 9, 7, 1, 3} {
			go func() {
				require.NoError(t, e.SleepUntil(context.Background(), Owner(owner), time.Second))
				order = append(order, owner)
			}()
		}
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
	})
	require.Equal(t, []int{1, 2, 3, 5, 7, 9}, order)
}
