package netem

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// The limit is reached once, before the first event that is due later. What is due at the limit still runs.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{Limit: time.Hour})
		var ran []time.Duration
		for _, at := range []time.Duration{ms, time.Hour, time.Hour + ms} {
			e.At(0, KindControl, at, func() { ran = append(ran, e.Elapsed()) })
		}
		require.ErrorIs(t, e.Run(context.Background()), ErrLimit)
		require.Equal(t, []time.Duration{ms, time.Hour}, ran)
		require.Equal(t, time.Hour, e.Elapsed())
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		require.Len(t, ran, 3)
	})
}

// With nothing in the queue, a run with a limit stands still when time passes it, whatever goroutines do by themselves.
func TestStandstillAtTheLimit(t *testing.T) {
	for name, sleeper := range map[string]bool{"all wait": false, "a goroutine sleeps again and again": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := NewEngine(Config{Limit: time.Hour})
				done := make(chan struct{})
				defer close(done)
				if sleeper {
					go func() {
						for {
							select {
							case <-time.After(7 * time.Second):
							case <-done:
								return
							}
						}
					}()
				}
				ran := false
				e.At(0, KindControl, 10*time.Second, func() { ran = true })
				require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
				require.True(t, ran)
				require.Equal(t, time.Hour+1, e.Elapsed())

				// It can go on after that, as at any other limit.
				ran = false
				e.AfterFunc(0, KindControl, time.Hour, func() { ran = true; e.Stop() })
				require.NoError(t, e.Run(context.Background()))
				require.True(t, ran)
			})
		})
	}
}

// What a goroutine schedules after a sleep of its own counts, up to the limit and not beyond.
func TestEmptyQueueUntilTheLimit(t *testing.T) {
	for sleep, want := range map[time.Duration]error{time.Hour - 1: nil, time.Hour: nil, time.Hour + time.Minute: ErrStandstill} {
		synctest.Test(t, func(t *testing.T) {
			e := NewEngine(Config{Limit: time.Hour})
			go func() {
				time.Sleep(sleep)
				e.Stop()
			}()
			require.Equal(t, want, e.Run(context.Background()))
			synctest.Wait()
			time.Sleep(time.Hour) // until the goroutine is gone
		})
	}
}

func TestStandstillWithoutALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEngine(Config{})
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		require.Equal(t, idleLimit, e.Elapsed())
	})
}

// The pace is asked before time moves, at times that never go back; between events everybody is blocked.
func TestPaceAndBetweenEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var paced []time.Duration
		between := 0
		var e *Engine
		e = NewEngine(Config{
			Pace: func(at time.Duration) {
				require.GreaterOrEqual(t, at, time.Since(e.start))
				paced = append(paced, at)
			},
			BetweenEvents: func() { between++ },
		})
		for _, at := range []time.Duration{5, 3, 3, 9, 1} {
			e.At(0, KindControl, at*time.Second, func() {})
		}
		go func() {
			time.Sleep(4 * time.Second)
			e.AfterFunc(0, KindControl, time.Second/2, func() {})
		}()
		require.ErrorIs(t, e.Run(context.Background()), ErrStandstill)
		require.True(t, slices.IsSorted(paced))
		for _, at := range []time.Duration{1, 3, 5, 9} {
			require.Contains(t, paced, at*time.Second)
		}
		require.GreaterOrEqual(t, between, 6)
	})
}

// On the machine's clock the same engine runs events in order, none too early, and ends by Stop and by its context.
func TestRealTime(t *testing.T) {
	e := NewEngine(Config{RealTime: true})
	require.True(t, e.RealTime())
	var order []string
	woken := make(chan struct{}, 1)
	step := func(name string, due time.Duration) {
		order = append(order, name)
		require.GreaterOrEqual(t, e.Elapsed(), due)
	}
	e.At(0, KindControl, 4*ms, func() {
		step("third", 4*ms)
		e.Stop()
	})
	e.At(2, KindControl, 2*ms, func() { step("second", 2*ms) })
	e.At(1, KindControl, 2*ms, func() { step("first", 2*ms) })
	e.At(1, KindControl, ms, func() { t.Error("it was stopped") }).Stop()
	e.Later(0, 0, func() { e.Wake(woken) })
	require.NoError(t, e.Run(context.Background()))
	require.Equal(t, []string{"first", "second", "third"}, order)
	<-woken

	ctx, cancel := context.WithCancel(context.Background())
	e = NewEngine(Config{RealTime: true})
	e.Go(1, func() {
		if e.Sleep(ctx, 1, ms) == nil {
			cancel()
		}
	})
	require.ErrorIs(t, e.Run(ctx), context.Canceled)

	e = NewEngine(Config{RealTime: true, Limit: ms})
	require.ErrorIs(t, e.Run(context.Background()), ErrLimit)
}
