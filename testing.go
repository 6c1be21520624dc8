package netlab

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// Test plays a lab as part of a test and returns its results. When something goes wrong in the run, or an expectation of the
// topology doesn't hold, the test fails, and its log says with which seed and how to play the lab again: it keeps the resolved
// topology, and what fails, in a folder below the system's folder for temporary files.
//
// fn runs inside the lab, in a goroutine of its own. It may call tb.Errorf, tb.Fatalf and testify's require; a Fatalf ends the run.
func Test(tb testing.TB, lab *Lab, fn func(*Run) error) *Results {
	tb.Helper()
	failedBefore := tb.Failed()
	results, err := lab.Run(context.Background(), nil, fn)
	if err != nil && !tb.Failed() {
		tb.Errorf("lab %s: %v", lab.Name(), err)
	}
	if results != nil {
		for _, e := range results.Expect {
			switch {
			case e.Inconclusive:
				tb.Errorf("lab %s: %s: undecided: %s", lab.Name(), e.Text, e.Reason)
			case !e.Holds:
				tb.Errorf("lab %s: %s doesn't hold: %v", lab.Name(), e.Text, e.Values)
			}
		}
	}
	if tb.Failed() && !failedBefore {
		tb.Logf("lab %s ran with seed %d%s", lab.Name(), lab.topology.Seed, lab.keep(tb))
		if err := CheckSettings(); err != nil {
			tb.Log(err)
		}
		tb.FailNow()
	}
	return results
}

// keep writes the resolved topology down and says how to play it again.
func (l *Lab) keep(tb testing.TB) string {
	dir, err := os.MkdirTemp("", "netlab-"+l.Name()+"-")
	if err != nil {
		tb.Log(err)
		return ""
	}
	file := filepath.Join(dir, resolvedFile)
	if err := os.WriteFile(file, l.topology.JSON(), 0o666); err != nil {
		tb.Log(err)
		return ""
	}
	return "; to play it again without the test's own code: netlab run " + file
}
