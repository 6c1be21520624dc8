package topology

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"
)

// validator compiles the schema with a library that has nothing to do with the one that made it.
func validator(t testing.TB) func(file []byte) error {
	text, err := Schema(catalog)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("netlab.schema.json", doc))
	schema, err := c.Compile("netlab.schema.json")
	require.NoError(t, err)
	return func(file []byte) error {
		standard, err := hujson.Standardize(file)
		if err != nil {
			return err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(standard))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	}
}

func TestSchemaIsStable(t *testing.T) {
	first, err := Schema(catalog)
	require.NoError(t, err)
	for range 10 {
		again, err := Schema(catalog)
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/schema.golden.json", first, 0o644))
	}
	want, err := os.ReadFile("testdata/schema.golden.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(first))
}

func TestSchemaAcceptsGoodFilesAndWhatTheyResolveTo(t *testing.T) {
	validate := validator(t)
	for name, data := range goodFiles(t) {
		require.NoError(t, validate(data), name)
		f, err := Load(name, data, catalog, testOptions)
		require.NoError(t, err)
		for _, v := range f.Variants {
			require.NoError(t, validate(v.Resolved.JSON()), name)
		}
	}
}

// These broken files are wrong in a way that a schema can see.
func TestSchemaRefusesBrokenFiles(t *testing.T) {
	validate := validator(t)
	archive, err := txtar.ParseFile("testdata/errors/types.txtar")
	require.NoError(t, err)
	for i := 0; i < len(archive.Files); i += 2 {
		require.Error(t, validate(archive.Files[i].Data), archive.Files[i].Name)
	}
	for _, file := range []string{
		`{}`,
		`{ "nodes": { "Web": {} } }`,
		`{ "nodes": { "web[*]": {} } }`,
		`{ "nodes": { "a": {} }, "links": ["a-b"] }`,
		`{ "nodes": { "a": {} }, "faults": [{ "at": "1s" }] }`,
		`{ "nodes": { "a": {} }, "faults": [{ "at": "1s", "cut": "a - b", "heal": "all" }] }`,
		`{ "nodes": { "a": { "services": { "s": { "type": "tcp-sink" } } } } }`,
		`{ "nodes": { "a": { "services": { "s": { "type": "tcp-sink", "listen": "80" } } } } }`,
		`{ "nodes": { "a": { "services": { "s": { "type": "load", "to": "b" } } } } }`,
		`{ "nodes": { "a": {} }, "workloads": { "w": { "type": "load", "from": "a", "to": "b", "timeot": "1s" } } }`,
		`{ "nodes": { "a": {} }, "workloads": { "w": { "type": "load", "to": "b" } } }`,
		`{ "nodes": { "a": {} }, "variants": { "v": { "node": {} } } }`,
	} {
		require.Error(t, validate([]byte(file)), file)
	}
}

// goodFiles returns the files in testdata/good.
func goodFiles(t testing.TB) map[string][]byte {
	names, err := filepath.Glob("testdata/good/*.jsonc")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	files := map[string][]byte{}
	for _, name := range names {
		files[filepath.Base(name)], err = os.ReadFile(name)
		require.NoError(t, err)
	}
	return files
}
