package netlab_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	webpage "netlab/report/page"
)

// The two examples with the most going on: losses and their repair, and fifty flows that compete.
var busiest = []string{"retransmission", "dumbbell"}

// repeats is how often a run is compared with itself.
func repeats(full int) int {
	if testing.Short() {
		return 3
	}
	return full
}

// The same file gives the same bytes, twenty times.
func TestTwentyRunsAreEqual(t *testing.T) {
	for _, name := range busiest {
		t.Run(name, func(t *testing.T) { requireSame(t, repeats(20), exampleText(t, name), nil) })
	}
}

// command builds the command netlab and returns its path.
func command(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netlab")
	out, err := exec.Command("go", "build", "-o", path, "./cmd/netlab").CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

// loadMachine keeps all processors busy until the test ends.
func loadMachine(t testing.TB) {
	t.Helper()
	for range runtime.NumCPU() {
		c := exec.Command("sh", "-c", "while :; do :; done")
		require.NoError(t, c.Start())
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		})
	}
}

// The command writes the same bytes as the Go API, the report's page included, whatever GOMAXPROCS says and however busy the machine is.
func TestCommandRunsAreEqual(t *testing.T) {
	binary := command(t)
	for _, name := range busiest {
		reference := t.TempDir()
		play(t, parse(t, exampleText(t, name)), &netlab.RunOptions{Dir: reference}, nil)
		require.NoError(t, webpage.WriteFolder(reference, webpage.Options{}))
		want := sums(t, reference)
		for _, loaded := range []bool{false, true} {
			label := name + " on an idle machine"
			if loaded {
				label = name + " on a busy machine"
			}
			t.Run(label, func(t *testing.T) {
				if loaded {
					loadMachine(t)
				}
				for i := range repeats(5) {
					dir := filepath.Join(t.TempDir(), "out")
					c := exec.Command(binary, "run", "-q", "-o", dir, name)
					c.Env = append(os.Environ(), "GOMAXPROCS=8")
					out, err := c.CombinedOutput()
					require.NoError(t, err, string(out))
					require.Equal(t, want, sums(t, dir), "run %d differs", i+1)
				}
			})
		}
	}
}
