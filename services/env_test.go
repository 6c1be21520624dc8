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
