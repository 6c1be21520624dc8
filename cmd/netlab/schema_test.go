package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/catalog"
	"netlab/topology"
)

// TestSchemaFile compares the copy of the schema at the root of the repository, which editors find there, with what the
// command prints. "go test ./cmd/netlab -run TestSchemaFile -update" rewrites it.
func TestSchemaFile(t *testing.T) {
	path := filepath.Join("..", "..", schemaName)
	want, err := topology.Schema(catalog.Table{})
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(path, want, 0o666))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "netlab.schema.json is not current: run this test with -update")
}
