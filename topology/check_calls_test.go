package topology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A host without services may be served by a Go program, unless nothing runs but the file.
func TestClientsOfHostsThatServeNothing(t *testing.T) {
	const file = `{
  "nodes": { "a": {}, "b": {}, "r": { "kind": "router" } },
  "links": ["a - b", "a - r"],
  "workloads": {
    "one": { "type": "fetch", "from": "a", "url": "https://b/" },
    "two": { "type": "tcp-transfer", "from": "a", "to": "r:80", "bytes": "1kB" }
  }
}`
	_, err := Load("lab.json", []byte(file), catalog, nil)
	require.NoError(t, err)
	_, err = Load("lab.json", []byte(file), catalog, &Options{Complete: true})
	require.EqualError(t, err, `lab.json:5:51: workloads.one.url: nothing listens on TCP port 443 of b; it has no services that do
lab.json:6:57: workloads.two.to: nothing listens on TCP port 80 of r; it has no services that do`)
}
