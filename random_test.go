package netlab_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"netlab"
	"netlab/internal/randomlab"
)

// TestRandomLabs plays labs 1 to 250 of package randomlab, in the short form 30. These say otherwise.
var (
	labsFlag = flag.Uint64("labs", 0, "how many random labs TestRandomLabs plays; 0 is 150, or 30 with -short or the race detector")
	labFlag  = flag.Uint64("lab", 1, "the first of the random labs that TestRandomLabs plays")
)

// A lab may be as strange as it likes: it loads, runs to its end without an error, leaves no goroutine behind and no frame unaccounted
// for, and a second run gives the same files, byte for byte.
func TestRandomLabs(t *testing.T) {
	labs := *labsFlag
	switch {
	case labs > 0:
	case testing.Short() || raceDetector:
		labs = 30
	default:
		labs = 150
	}
	for n := *labFlag; n < *labFlag+labs; n++ {
		if !t.Run(fmt.Sprint(n), func(t *testing.T) { playRandomLab(t, n) }) {
			t.Logf("to play this lab alone: go test . -run TestRandomLabs -lab %d -labs 1", n)
		}
	}
}

func playRandomLab(t *testing.T, n uint64) {
	text := randomlab.Generate(n)
	labs, err := netlab.Parse("random.json", text, &netlab.LoadOptions{Complete: true})
	require.NoError(t, err, "%s", text)
	before := goleak.IgnoreCurrent()
	var files [2]map[string][]byte
	for i := range files {
		dir := t.TempDir()
		results, err := labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dir}, accountFor(t, labs[0].Topology().Duration.Std()))
		require.NoError(t, err)
		require.Equal(t, netlab.EndedDuration, results.Run.Ended)
		requireAccounted(t, results)
		files[i] = readAll(t, dir)
	}
	for _, name := range slices.Sorted(maps.Keys(files[0])) {
		if first := files[0][name]; !bytes.Equal(first, files[1][name]) {
			t.Errorf("%s differs between two runs: %s", name, firstDifference(first, files[1][name]))
		}
	}
	require.Len(t, files[1], len(files[0]))
	require.NoError(t, goleak.Find(before))
}

// accountFor looks at the links ten times during a run: what was sent or made and neither arrived nor was dropped must be in the
// network, which counts the frames in it by itself.
func accountFor(t *testing.T, duration time.Duration) func(*netlab.Run) error {
	return func(r *netlab.Run) error {
		for range 10 {
			if r.Sleep(duration/11) != nil {
				return nil
			}
			if links, network := r.FramesUnderWay(); links != network {
				t.Errorf("at %v the links' counters leave %d frames, and %d are in the network", r.Elapsed(), links, network)
			}
		}
		return nil
	}
}

// requireAccounted checks that each direction of each link has delivered and dropped no more than was sent or made there.
func requireAccounted(t *testing.T, results *netlab.Results) {
	t.Helper()
	for id, l := range results.Links.All() {
		for direction, d := range map[string]netlab.DirectionResult{"forward": l.Forward, "backward": l.Backward} {
			gone := d.Delivered.Frames
			for _, frames := range d.Dropped {
				gone += frames
			}
			require.LessOrEqual(t, gone, d.Sent.Frames+d.Duplicated.Frames, "%s.%s: %+v", id, direction, d)
		}
	}
}

// readAll returns the files below a folder by name.
func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[name], err = os.ReadFile(path)
		return err
	}))
	return files
}

// firstDifference shows where two files begin to differ.
func firstDifference(a, b []byte) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(data []byte) []byte { return data[max(0, i-100):min(len(data), i+100)] }
	return fmt.Sprintf("at byte %d: %q, then %q", i, around(a), around(b))
}
