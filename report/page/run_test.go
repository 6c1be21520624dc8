package page

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/examples"
	"netlab/report"
)

// play runs an example and returns the run's folder.
func play(t *testing.T, name string) string {
	t.Helper()
	text, err := examples.Read(name)
	require.NoError(t, err)
	labs, err := netlab.Parse(name+".json", text, &netlab.LoadOptions{Complete: true})
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), name)
	_, err = labs[0].Run(t.Context(), &netlab.RunOptions{Dir: dir}, nil)
	require.NoError(t, err)
	return dir
}

// The dumbbell's 20,000 packets and 50 connections fit each budget, and the page says what it leaves out. It is the same each time.
func TestPageOfARunFitsItsBudget(t *testing.T) {
	dir := play(t, "dumbbell")
	file := filepath.Join(dir, report.PageFile)
	require.NoError(t, WriteFolder(dir, Options{Budget: MinBudget}))
	small, err := os.ReadFile(file)
	require.NoError(t, err)
	require.LessOrEqual(t, len(small), int(MinBudget))
	require.Greater(t, len(small), int(MinBudget)*8/10, "room that is there is used")
	root := check(t, string(small))
	require.NotContains(t, inner(t, root, "limits"), "Nothing was left out")

	require.NoError(t, WriteFolder(dir, Options{}))
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	require.LessOrEqual(t, len(whole), int(DefaultBudget))
	require.Greater(t, len(whole), len(small))
	check(t, string(whole))
	require.NoError(t, WriteFolder(dir, Options{}))
	again, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.Equal(whole, again))
}
