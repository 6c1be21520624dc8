package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/netem"
	"netlab/topology"
	"netlab/topology/expect"
)

func TestCodeOfFailure(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
	}{
		{&netlab.PanicError{What: "a test", Value: "oh"}, exitInternal},
		{fmt.Errorf("%w: nothing happened", netlab.ErrNoProgress), exitInternal},
		{errors.New("goroutines are left after the run"), exitInternal},
		{fmt.Errorf("%w at 1s", netem.ErrStandstill), exitInconclusive},
		{fmt.Errorf("%w at 24h", netem.ErrLimit), exitInconclusive},
		{errors.Join(netem.ErrStandstill, &netlab.PanicError{}), exitInternal},
		{&fs.PathError{Op: "write", Path: "out/results.json", Err: errors.New("no space left on device")}, exitUsage},
	} {
		require.Equal(t, test.code, codeOfFailure(test.err), test.err)
	}
}

func TestCodeOfRun(t *testing.T) {
	results := func(ended string, outcomes ...expect.Outcome) *netlab.Results {
		return &netlab.Results{Run: netlab.RunResult{Ended: ended}, Expect: outcomes}
	}
	holds, fails, undecided := expect.Outcome{Holds: true}, expect.Outcome{}, expect.Outcome{Inconclusive: true}
	for _, test := range []struct {
		results *netlab.Results
		code    int
	}{
		{results(netlab.EndedDone), exitHolds},
		{results(netlab.EndedDuration, holds), exitHolds},
		{results(netlab.EndedDone, holds, undecided), exitInconclusive},
		{results(netlab.EndedDone, undecided, fails), exitFails},
		// What holds or fails when a run is interrupted may be otherwise at its end.
		{results(netlab.EndedInterrupted), exitInconclusive},
		{results(netlab.EndedInterrupted, holds), exitInconclusive},
		{results(netlab.EndedInterrupted, fails), exitInconclusive},
	} {
		require.Equal(t, test.code, codeOfRun(test.results, nil))
	}
	require.Equal(t, exitInternal, codeOfRun(results(netlab.EndedDone, holds), errors.New("oh")))
}

func TestWorst(t *testing.T) {
	require.Equal(t, exitHolds, worst(nil))
	require.Equal(t, exitHolds, worst([]int{exitHolds, exitHolds}))
	require.Equal(t, exitFails, worst([]int{exitInconclusive, exitFails, exitHolds}))
	require.Equal(t, exitInternal, worst([]int{exitFails, exitInternal, exitUsage}))
}

func TestComplain(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{&exitError{code: 1}, ""},
		{&exitError{4, errors.New("oh")}, "netlab: oh\n"},
		{errors.New("oh"), "netlab: oh\n"},
		{topology.Errors{{File: "a.json", Line: 1, Column: 2, Path: "seed", Message: "x"}, {File: "a.json", Message: "y"}},
			"a.json:1:2: seed: x\na.json: y\n"},
	} {
		var b bytes.Buffer
		complain(&b, test.err)
		require.Equal(t, test.want, b.String())
	}
}
