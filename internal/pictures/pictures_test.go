package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the ladders into docs/pictures")

// The ladders in docs/pictures are what the examples show.
func TestPicturesAreCurrent(t *testing.T) {
	runs := t.TempDir()
	for _, p := range pictures {
		t.Run(p.example, func(t *testing.T) {
			require.NoError(t, play(p.example, runs))
			svg, err := p.draw(filepath.Join(runs, p.example))
			require.NoError(t, err)
			path := filepath.Join("..", "..", "docs", "pictures", p.file())
			if *update {
				require.NoError(t, os.WriteFile(path, svg, 0o666))
			}
			kept, err := os.ReadFile(path)
			require.NoError(t, err, "go run ./internal/pictures writes it")
			require.Equal(t, string(kept), string(svg), "%s is not current: run go run ./internal/pictures", path)
		})
	}
}

func TestUnknownExample(t *testing.T) {
	require.EqualError(t, play("nonsense", t.TempDir()), `there is no example "nonsense"`)
	require.EqualError(t, play("nat", t.TempDir()), "nat has variants")
}
