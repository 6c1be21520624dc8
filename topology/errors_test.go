package topology

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the errors that were found into testdata/errors")

// The files in testdata/errors are broken labs, each followed by the whole text of its error.
func TestErrors(t *testing.T) {
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		for i := 0; i+1 < len(archive.Files); i += 2 {
			lab, want := archive.Files[i], &archive.Files[i+1]
			require.Equal(t, strings.TrimSuffix(lab.Name, ".jsonc")+".err", want.Name)
			t.Run(filepath.Base(name)+"/"+want.Name, func(t *testing.T) {
				_, err := Load(lab.Name, lab.Data, catalog, testOptions)
				require.Error(t, err)
				var list Errors
				require.ErrorAs(t, err, &list)
				require.NotEmpty(t, list)
				if *update {
					want.Data = []byte(err.Error() + "\n")
					return
				}
				require.Equal(t, string(want.Data), err.Error()+"\n")
			})
		}
		if *update {
			require.NoError(t, os.WriteFile(name, txtar.Format(archive), 0o644))
		}
	}
}

// testOptions check filters and expectations as far as a test needs it: the word "bad" is wrong.
var testOptions = &Options{
	CheckFilter: func(filter string, nodes []string) error {
		if strings.Contains(filter, "bad") {
			return fmt.Errorf("%q is not a filter in a lab of %d nodes", filter, len(nodes))
		}
		return nil
	},
	CheckExpect: func(resolved *Topology, expression string) (int, error) {
		if i := strings.Index(expression, "bad"); i >= 0 {
			return i, errors.New(`"bad" is not a name`)
		}
		return 0, nil
	},
}

// brokenFiles returns the labs in testdata/errors.
func brokenFiles(t testing.TB) map[string][]byte {
	files := map[string][]byte{}
	archives, err := filepath.Glob("testdata/errors/*.txtar")
	require.NoError(t, err)
	for _, name := range archives {
		archive, err := txtar.ParseFile(name)
		require.NoError(t, err)
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".jsonc") {
				files[name+"/"+file.Name] = file.Data
			}
		}
	}
	return files
}
