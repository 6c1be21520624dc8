package topology

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// Hosts alone are watched; labs of more than 64 nodes have no telemetry unless they ask for it.
func TestTelemetry(t *testing.T) {
	const small = `"nodes": { "a": {}, "b[1..2]": {}, "r": { "kind": "router" }, "s": { "kind": "switch" } },
		"links": ["a - r", "b[1..2] - s", "r - s"]`
	const large = `"nodes": { "a": {}, "b[1..64]": {} }, "links": ["a - b[1..64]"]`
	for name, c := range map[string]struct {
		lab, telemetry, want string
	}{
		"by default":           {small, ``, `{"nodes": ["a", "b1", "b2"], "points": 512}`},
		"true":                 {small, `"telemetry": true,`, `{"nodes": ["a", "b1", "b2"], "points": 512}`},
		"on":                   {small, `"telemetry": "on",`, `{"nodes": ["a", "b1", "b2"], "points": 512}`},
		"false":                {small, `"telemetry": false,`, `false`},
		"off":                  {small, `"telemetry": "off",`, `false`},
		"no nodes":             {small, `"telemetry": {"nodes": []},`, `false`},
		"points only":          {small, `"telemetry": {"points": 17},`, `{"nodes": ["a", "b1", "b2"], "points": 17}`},
		"some":                 {small, `"telemetry": {"nodes": ["b2", "a"]},`, `{"nodes": ["a", "b2"], "points": 512}`},
		"all, hosts or not":    {small, `"telemetry": {"nodes": "*"},`, `{"nodes": ["a", "b1", "b2"], "points": 512}`},
		"large":                {large, ``, `false`},
		"large, one is wanted": {large, `"telemetry": {"nodes": "b7"},`, `{"nodes": "b7", "points": 512}`},
	} {
		t.Run(name, func(t *testing.T) {
			resolved := loadOne(t, `{ `+c.telemetry+c.lab+` }`).Resolved
			got, err := json.Marshal(resolved.Telemetry)
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(got))
			again := loadOne(t, string(resolved.JSON())).Resolved
			require.Equal(t, resolved.Telemetry, again.Telemetry, "a resolved file resolves to itself")
		})
	}
}
