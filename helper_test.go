package netlab_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// parse makes the only lab of a file's text.
func parse(t testing.TB, text string) *netlab.Lab {
	t.Helper()
	labs := parseAll(t, text)
	require.Len(t, labs, 1)
	return labs[0]
}

// parseAll makes the labs of a file's text, one for each variant.
func parseAll(t testing.TB, text string) []*netlab.Lab {
	t.Helper()
	labs, err := netlab.Parse("lab.json", []byte(text), nil)
	require.NoError(t, err)
	return labs
}

// parseVariant makes the lab of a variant of a file's text, or its only lab for no name.
func parseVariant(t testing.TB, text, variant string) *netlab.Lab {
	t.Helper()
	labs := parseAll(t, text)
	i := slices.IndexFunc(labs, func(l *netlab.Lab) bool { return l.Variant() == variant })
	require.GreaterOrEqual(t, i, 0, "a variant %q", variant)
	return labs[i]
}

// play runs a lab and requires that nothing went wrong.
func play(t testing.TB, lab *netlab.Lab, o *netlab.RunOptions, fn func(*netlab.Run) error) *netlab.Results {
	t.Helper()
	results, err := lab.Run(context.Background(), o, fn)
	require.NoError(t, err)
	return results
}

// playText is play for a file's text.
func playText(t testing.TB, text string, fn func(*netlab.Run) error) *netlab.Results {
	t.Helper()
	return play(t, parse(t, text), nil, fn)
}

// sums returns the SHA-256 sums of all files below a folder.
func sums(t testing.TB, dir string) map[string]string {
	t.Helper()
	list := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		name, _ := filepath.Rel(dir, path)
		list[name] = hex.EncodeToString(sum[:])
		return err
	}))
	return list
}

// requireSame runs a lab n times and requires that all files are equal. It returns the folder of the last run.
func requireSame(t *testing.T, n int, text string, fn func(*netlab.Run) error) string {
	t.Helper()
	return requireSameVariant(t, n, text, "", fn)
}

// requireSameVariant is requireSame for a variant of a file.
func requireSameVariant(t *testing.T, n int, text, variant string, fn func(*netlab.Run) error) string {
	t.Helper()
	var first map[string]string
	var dir string
	for i := range n {
		dir = t.TempDir()
		play(t, parseVariant(t, text, variant), &netlab.RunOptions{Dir: dir}, fn)
		if i == 0 {
			first = sums(t, dir)
			require.NotEmpty(t, first)
			continue
		}
		require.Equal(t, first, sums(t, dir), "run %d differs", i+1)
	}
	return dir
}

// runSelf runs one test of this binary in a process of its own.
func runSelf(test, env string) (output string, err error) {
	c := exec.Command(os.Args[0], "-test.run", "^"+test+"$", "-test.v")
	c.Env = append(os.Environ(), env)
	out, err := c.CombinedOutput()
	return string(out), err
}

// replaceCase puts a case into the text of a lab.
func replaceCase(lab, text string) string { return strings.Replace(lab, "CASE", text, 1) }

// bulk sends bytes from client to server and waits until all have arrived.
func bulk(run *netlab.Run, size int64) error {
	l, err := run.Host("server").Listen("tcp", ":9")
	if err != nil {
		return err
	}
	defer l.Close()
	run.Go(func() error {
		c, err := run.Host("client").Dial("tcp", "server:9")
		if err != nil {
			return err
		}
		defer c.Close()
		b := make([]byte, 64<<10)
		for sent := int64(0); sent < size; {
			n, err := c.Write(b[:min(int64(len(b)), size-sent)])
			if err != nil {
				return err
			}
			sent += int64(n)
		}
		return nil
	})
	s, err := l.Accept()
	if err != nil {
		return err
	}
	defer s.Close()
	n, err := io.Copy(io.Discard, s)
	if err == nil && n != size {
		err = fmt.Errorf("%d of %d bytes arrived", n, size)
	}
	return err
}
