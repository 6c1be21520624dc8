package topology_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services/catalog"
	"netlab/topology"
)

const settable = `{
  "nodes": { "web1": {}, "db[1..2]": {}, "client": {}, "sink": { "services": { "sink": { "type": "tcp-sink" } } } },
  "links": [
    "web1 - client",
    { "between": "db[*] - client", "loss": "1%" },
    { "between": "client - sink", "name": "line", "latency": "10ms" }
  ],
  "workloads": { "upload": { "type": "tcp-transfer", "from": "client", "to": "sink", "bytes": "1MB" } },
  "faults": [ { "name": "cut", "at": "1s", "for": "1s", "cut": "line" } ]
}`

func load(text string, set ...topology.Setting) (*topology.Topology, error) {
	f, err := topology.Load("lab.json", []byte(text), catalog.Table{}, &topology.Options{Set: set})
	if err != nil {
		return nil, err
	}
	return f.Variants[0].Topology, nil
}

func TestSettings(t *testing.T) {
	for path, check := range map[topology.Setting]func(*topology.Topology) any{
		{Path: "links.line.latency", Value: "5ms"}:           func(t *topology.Topology) any { return t.Links[2].Latency.Mean().String() },
		{Path: "links.client--sink.latency", Value: `"5ms"`}: func(t *topology.Topology) any { return t.Links[2].Latency.Mean().String() },
		{Path: "links[2].latency", Value: "5ms"}:             func(t *topology.Topology) any { return t.Links[2].Latency.Mean().String() },
		{Path: "links.web1--client.latency", Value: "5ms"}:   func(t *topology.Topology) any { return t.Links[0].Latency.Mean().String() },
		{Path: "links.db[*]--client.latency", Value: "5 ms"}: nil,
	} {
		got, err := load(settable, path)
		if check == nil {
			require.ErrorContains(t, err, `lab.json:5:5: links[1].latency:`)
			require.ErrorContains(t, err, `(set by "links.db[*]--client.latency=5 ms")`)
			continue
		}
		require.NoError(t, err, path)
		require.Equal(t, "5ms", check(got), path)
	}
	got, err := load(settable, topology.Setting{Path: "workloads.upload.flows", Value: "3"}, topology.Setting{Path: "defaults.tcp.rack", Value: "false"},
		topology.Setting{Path: "faults.cut.at", Value: "2s"}, topology.Setting{Path: "expect", Value: `["upload.intact", "upload.flows > 0"]`},
		topology.Setting{Path: "nodes.db[1..2].disk.latency", Value: "1ms"})
	require.NoError(t, err)
	require.Equal(t, "2s", got.Faults[0].At.String())
	require.Len(t, got.Expect, 2)
	require.False(t, *got.Defaults.TCP.RACK)
	for text, want := range map[topology.Setting]string{
		{Path: "links.lin.loss", Value: "1%"}:       `lab.json: links.lin.loss: the file has no link "lin"; did you mean "line"? (set by "links.lin.loss=1%")`,
		{Path: "links.line.los", Value: "1%"}:       `lab.json:6:5: links[2].los: unknown field "los"; did you mean "loss"? (set by "links.line.los=1%")`,
		{Path: "nodes.web.disk.latency", Value: ""}: `lab.json: nodes.web.disk.latency: the file has no node "web"; did you mean`,
		{Path: "addresses.vip.hosts", Value: ""}:    `the file has no addresses`,
		{Path: "seed", Value: "4"}:                  `"seed" can't be set`,
		{Path: "variants.a.x", Value: "4"}:          `"variants" can't be set`,
		{Path: "links.line.loss.x", Value: "4"}:     `found an object`,
		{Path: "faults[7].at", Value: "4s"}:         `the file has no fault "[7]"`,
	} {
		_, err := load(settable, text)
		require.Error(t, err, text)
		require.ErrorContains(t, err, want)
	}
}

// A setting that only some variants can take is for these.
func TestSettingsInVariants(t *testing.T) {
	const text = `{"nodes": {"a": {}}, "variants": {"one": {}, "two": {"nodes": {"b": {}}}}}`
	f, err := topology.Load("lab.json", []byte(text), catalog.Table{}, &topology.Options{Set: []topology.Setting{{Path: "nodes.b.disk.latency", Value: "1ms"}}})
	require.NoError(t, err)
	b, _ := f.Variants[1].Topology.Nodes.Get("b")
	require.NotNil(t, b.Disk)
}

func TestSeedLists(t *testing.T) {
	for text, want := range map[topology.SeedList][]uint64{
		"1": {1}, "1..3": {1, 2, 3}, "5, 1..2": {5, 1, 2}, "18446744073709551615": {1<<64 - 1}, "18446744073709551614..18446744073709551615": {1<<64 - 2, 1<<64 - 1},
	} {
		got, err := text.Seeds()
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for text, want := range map[topology.SeedList]string{
		"": `"" is not a seed`, "0": `"0" is not a seed`, "1..": `"" is not a seed`, "3..1": `did you mean "1..3"?`, "1,1": "has seed 1 twice", "1..5,3": "has seed 3 twice",
		"1..1000001": "too many seeds", "1-3": `"1-3" is not a seed`, "x": `"x" is not a seed`, "0..18446744073709551615": "is not a seed",
		"1..18446744073709551615": "too many seeds",
	} {
		_, err := text.Seeds()
		require.ErrorContains(t, err, want, text)
	}
}

func TestSweepInFile(t *testing.T) {
	const head = `{"nodes": {"a": {}, "b": {}}, "links": ["a - b"], "sweep": `
	f, err := topology.Load("lab.json", []byte(head+`{"seeds": "1..3", "set": {"links.a--b.loss": ["0%", "1%"]}}}`), catalog.Table{}, nil)
	require.NoError(t, err)
	values, _ := f.Sweep.Set.Get("links.a--b.loss")
	require.Equal(t, []string{"0%", "1%"}, values)
	require.Nil(t, f.Variants[0].Resolved.Sweep, "the resolved file plays one run")
	for text, want := range map[string]string{
		`{"seeds": "3..1"}}`:                          `lab.json:1:70: sweep.seeds: "3..1" is no list of seeds`,
		`{"sets": {}}}`:                               `unknown field "sets"; did you mean`,
		`{"set": {"links.a--c.loss": ["0%"]}}}`:       `the file has no link "a--c"; did you mean "a--b"?`,
		`{"set": {"links.a--b.loss": []}}}`:           `found no values, wanted at least one`,
		`{"set": {"links.a--b.loss": "1%"}}}`:         `wanted a list`,
		`3}`:                                          `found 3, wanted an object`,
		`{"seeds": ""}}`:                              `is no list of seeds`,
		`{"set": {"links.a--b.loss": ["1%", "1%"]}}}`: `found "1%" twice`,
	} {
		_, err := topology.Load("lab.json", []byte(head+text), catalog.Table{}, nil)
		require.ErrorContains(t, err, want, text)
	}
}
