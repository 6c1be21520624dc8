package expect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/topology/expect"
	"netlab/units"
)

type perTarget struct {
	Requests uint64          `json:"requests"`
	P99      *units.Duration `json:"p99_ns"`
}

type withMaps struct {
	Status   map[string]uint64    `json:"status"`
	ByTarget map[string]perTarget `json:"by_target"`
}

func TestFiguresInMaps(t *testing.T) {
	known, values := &expect.Figures{}, &expect.Figures{}
	known.Add("load", withMaps{})
	p99 := units.Duration(20 * time.Millisecond)
	values.Add("load", withMaps{Status: map[string]uint64{"200": 7}, ByTarget: map[string]perTarget{"web-1": {7, &p99}}})
	for text, want := range map[string]expect.Outcome{
		"load.status.200 == 7":                  {Holds: true},
		"load.status.503 == 0":                  {Holds: true},
		"load.status.503 > 0":                   {},
		"load.by_target.web-1.p99 == 20ms":      {Holds: true},
		"load.by_target.web-1.requests == 7":    {Holds: true},
		"load.by_target.web-2.requests == 0":    {Holds: true},
		"load.by_target.web-2.p99 < 1s":         {Inconclusive: true, Reason: "load.by_target.web-2.p99 has no value"},
		"load.status.200 / load.status.503 > 1": {Inconclusive: true, Reason: "division by zero"},
	} {
		e, err := expect.Compile(text, known)
		require.NoError(t, err, text)
		got := e.Evaluate(values)
		require.Equal(t, []any{want.Holds, want.Inconclusive, want.Reason}, []any{got.Holds, got.Inconclusive, got.Reason}, text)
	}
	for text, want := range map[string]string{
		"load.status > 0":              "there is no figure load.status",
		"load.status.200.x > 0":        "load.status.200 is a figure and has no part x",
		"load.by_target.web1.p98 < 1s": "there is no figure load.by_target.web1.p98",
	} {
		_, err := expect.Compile(text, known)
		require.ErrorContains(t, err, want)
	}
	require.Equal(t, []string{"load.by_target.<key>.requests", "load.by_target.<key>.p99", "load.status.<key>"}, known.Open())
}
