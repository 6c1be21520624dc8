package services_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/services"
)

func TestWithTimeout(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		env := services.NewEnv(l.A, slog.New(slog.DiscardHandler), services.Workload, "w", 0, 1)
		ctx, cancel := env.WithTimeout(l.Context(), time.Second)
		require.ErrorIs(t, env.Sleep(ctx, time.Minute), os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, l.Elapsed())
		cancel()
		require.ErrorIs(t, context.Cause(ctx), os.ErrDeadlineExceeded)

		ctx, cancel = env.WithTimeout(l.Context(), time.Second)
		cancel()
		require.ErrorIs(t, context.Cause(ctx), context.Canceled)
		env.Sleep(l.Context(), time.Minute)
		require.ErrorIs(t, context.Cause(ctx), context.Canceled)

		over := errors.New("over")
		parent, end := context.WithCancelCause(l.Context())
		ctx, cancel = env.WithTimeout(parent, time.Second)
		defer cancel()
		end(over)
		require.ErrorIs(t, context.Cause(ctx), over)
	})
}

// The streams of each incarnation of a host are its own, and the same in every run.
func TestStreamsOfIncarnations(t *testing.T) {
	draw := func() (list []uint64) {
		testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
			for range 3 {
				env := services.NewEnv(l.B, slog.New(slog.DiscardHandler), services.Service, "s", 0, 1)
				list = append(list, env.Random.Uint64(), env.Stream("x").Uint64(), env.Stream("x").Uint64())
				l.Crash(l.B)
				l.Restart(l.B)
			}
		})
		return list
	}
	first := draw()
	require.Equal(t, first, draw())
	require.Equal(t, first[1], first[2], "a stream begins anew each time that it is asked for")
	seen := map[uint64]bool{}
	for _, n := range first {
		seen[n] = true
	}
	require.Len(t, seen, 6)
}

func TestOver(t *testing.T) {
	testlab.Run(t, testlab.Config{}, func(t *testing.T, l *testlab.Lab) {
		env := services.NewEnv(l.B, slog.New(slog.DiscardHandler), services.Service, "s", 0, 1)
		require.False(t, env.Over(l.Context()))
		ctx, cancel := context.WithCancel(l.Context())
		cancel()
		require.True(t, env.Over(ctx))
		l.Crash(l.B)
		require.True(t, env.Over(l.Context()))
	})
}
