package balance_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/balance"
	"netlab/units"
)

func pointer[T any](v T) *T { return &v }

func TestValidate(t *testing.T) {
	for want, c := range map[string]balance.Config{
		`algorithm: "least-conections" is not one of round-robin, weighted-round-robin, random, least-connections, ` +
			`weighted-least-connections, power-of-two, least-response-time, lowest-latency, geographic, source-hash, hash, modulo, ` +
			`consistent-hash, rendezvous, maglev; did you mean "least-connections"?`: {Algorithm: "least-conections"},
		`virtual_nodes: round-robin doesn't have this option; want "algorithm": "consistent-hash"`:                                {VirtualNodes: pointer(160)},
		`virtual_nodes: found 0, wanted 1 to 100000`:                                                                              {Algorithm: "consistent-hash", VirtualNodes: pointer(0)},
		`load_factor: found 1, wanted more than 1, up to 1000: with 1 all backends would have to be equally busy`:                 {Algorithm: "consistent-hash", LoadFactor: pointer(1.)},
		`load_factor: maglev doesn't have this option; want "algorithm": "consistent-hash"`:                                       {Algorithm: "maglev", LoadFactor: pointer(1.25)},
		`table_size: 65536 is not a prime number; did you mean 65537?`:                                                            {Algorithm: "maglev", TableSize: pointer(65536)},
		`table_size: found 1, wanted 2 to 50000017`:                                                                               {Algorithm: "maglev", TableSize: pointer(1)},
		`choices: found 1, wanted 2 to 16`:                                                                                        {Algorithm: "power-of-two", Choices: pointer(1)},
		`choices: random doesn't have this option; want one of power-of-two, least-response-time`:                                 {Algorithm: "random", Choices: pointer(2)},
		`decay: found 0s, wanted more than 0s`:                                                                                    {Algorithm: "least-response-time", Decay: pointer(units.Duration(0))},
		`explore: found 100%, wanted 0% to less than 100%`:                                                                        {Algorithm: "lowest-latency", Explore: pointer(units.Probability(1))},
		`hash_key: source-hash always hashes the client's address; want one of hash, modulo, consistent-hash, rendezvous, maglev`: {Algorithm: "source-hash", HashKey: "path"},
		`hash_key: "header:X-User" is not a key: want one of source, flow, path, uri, host, header NAME, cookie NAME, query NAME; ` +
			`did you mean "header X-User"?`: {Algorithm: "hash", HashKey: "header:X-User"},
		`hash_key: "cookie" is not a key: want the name as well, such as "cookie user"`: {Algorithm: "hash", HashKey: "cookie"},
		`hash_key: "path x" is not a key: path has no name; did you mean "path"?`:       {Algorithm: "hash", HashKey: "path x"},
		`hash_key: "header a b" is not a key: "a b" is not the name of a header`:        {Algorithm: "hash", HashKey: "header a b"},
		`hash_key: "pth" is not a key: want one of source, flow, path, uri, host, header NAME, cookie NAME, query NAME; did you mean "path"?`: {
			Algorithm: "hash", HashKey: "pth"},
	} {
		require.EqualError(t, c.Validate(), want)
		_, err := balance.New(c, nil)
		require.EqualError(t, err, want)
	}
	for _, c := range []balance.Config{
		{}, {Algorithm: "consistent-hash", VirtualNodes: pointer(1), LoadFactor: pointer(1.25), HashKey: "path"},
		{Algorithm: "maglev", TableSize: pointer(655373), HashKey: "flow"}, {Algorithm: "hash", HashKey: "header X-User"},
		{Algorithm: "least-response-time", Choices: pointer(3), Decay: pointer(units.Duration(time.Second))},
		{Algorithm: "lowest-latency", Explore: pointer(units.Probability(0))},
	} {
		require.NoError(t, c.Validate())
	}
	c := balance.Config{Algorithm: "maglev", TableSize: pointer(7)}
	require.NoError(t, c.ValidateBackends(7))
	require.EqualError(t, c.ValidateBackends(8), "table_size: 7 entries are too few for 8 backends: want a prime of at least 100 times as many")
	require.Len(t, balance.Names(), 15)
	require.Equal(t, "round-robin", new(balance.Config).Name())
}

func TestParseKey(t *testing.T) {
	for text, want := range map[string][2]string{"": {"source"}, "source": {"source"}, "flow": {"flow"}, "uri": {"uri"},
		"header X-User": {"header", "X-User"}, "cookie session": {"cookie", "session"}, "query id": {"query", "id"}} {
		c := balance.Config{Algorithm: "hash", HashKey: text}
		require.NoError(t, c.Validate())
		require.True(t, c.Hashes() && c.Weighted())
		kind, name := c.Key()
		require.Equal(t, want, [2]string{string(kind), name})
		require.Equal(t, text != "" && text != "source" && text != "flow", kind.HTTP())
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("header X-User")
	f.Add("cookie:x")
	f.Fuzz(func(t *testing.T, text string) {
		kind, name, err := balance.ParseKey(text)
		if err == nil && text != "" {
			want := string(kind)
			if name != "" {
				want += " " + name
			}
			require.Equal(t, text, want)
		}
	})
}
