package topology

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/services/backend"
)

// balancerConfig names targets by patterns, at the top and further down.
type balancerConfig struct {
	Listen services.ListenTCP `json:"listen"`
	backend.Config
	Mirror services.Targets `json:"mirror,omitempty"`
	Routes []route          `json:"routes,omitempty"`
}

type route struct {
	Path string                 `json:"path"`
	To   services.TargetPattern `json:"to"`
}

func (c *balancerConfig) Endless() bool { return true }

func (c *balancerConfig) Calls() []services.Call { return c.Config.Calls(services.TCP, 80) }

func (c *balancerConfig) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	out.Config = c.ExpandTargets(names)
	out.Mirror = c.Mirror.Expand(names)
	out.Routes = nil
	for _, r := range c.Routes {
		for _, to := range r.To.Expand(names) {
			out.Routes = append(out.Routes, route{r.Path, to})
		}
	}
	return &out
}

var balancers = append(testCatalog{{Name: "balancer", Role: services.Service, Doc: "Shares requests out.", Config: func() services.Config {
	return &balancerConfig{Listen: ":80", Config: backend.NewConfig()}
}}}, catalog...)

// behind returns a lab with a balancer that has these settings.
func behind(settings string) []byte {
	return []byte(fmt.Sprintf(`{
  "nodes": {
    "lb": { "services": { "lb": { "type": "balancer", %s } } },
    "web[1..3]": { "services": { "web": { "type": "tcp-sink", "listen": ":8080" } } },
    "webcam": { "services": { "cam": { "type": "tcp-sink", "listen": ":554" } } },
    "sw": { "kind": "switch" }, "far": {}
  },
  "links": ["lb - sw", "web[*] - sw", "webcam - sw"]
}`, settings))
}

// Whatever it stands in, a pattern of targets is replaced by the nodes that it stands for, with the port.
func TestTargetPatternsAreExpanded(t *testing.T) {
	load := func(file []byte) Variant {
		f, err := Load("lab.json", file, balancers, nil)
		require.NoError(t, err)
		require.Len(t, f.Variants, 1)
		return f.Variants[0]
	}
	f := load(behind(`"backends": "web[1..2]:8080"`))
	require.Contains(t, mustJSON(t, f.Topology), `"web[1..2]:8080"`)
	require.Contains(t, mustJSON(t, f.Resolved), `"backends":["web1:8080","web2:8080"]`)
	again := load([]byte(mustJSON(t, f.Resolved)))
	require.Equal(t, mustJSON(t, f.Resolved), mustJSON(t, again.Resolved))

	f = load(behind(`"algorithm": "weighted-round-robin",
		"backends": [{ "to": "web[*]:8080", "weight": 2 }, "10.9.9.9:80", { "to": "webcam:554", "backup": true }],
		"mirror": ["web[1..2]:8080", "web2:8080"], "routes": [{ "path": "/a", "to": "web[2..3]:8080" }]`))
	require.Contains(t, mustJSON(t, f.Resolved), `"backends":[{"to":"web1:8080","weight":2},{"to":"web2:8080","weight":2},{"to":"web3:8080","weight":2},`+
		`"10.9.9.9:80",{"to":"webcam:554","backup":true}],"algorithm":"weighted-round-robin","mirror":["web1:8080","web2:8080"],`+
		`"routes":[{"path":"/a","to":"web2:8080"},{"path":"/a","to":"web3:8080"}]`)
}

func mustJSON(t *testing.T, topology *Topology) string {
	text, err := json.Marshal(topology)
	require.NoError(t, err)
	return string(text)
}

func TestMistakesInTargetPatterns(t *testing.T) {
	for _, c := range []struct{ settings, want string }{
		{`"backends": "wbe[*]:8080"`, `backends: no node's name is made of "wbe" and a number; did you mean "web[*]"?`},
		{`"backends": ["web1:8080", "web[2..4]:8080"]`, `backends[1]: no node is called "web4"; did you mean "web1"?`},
		{`"backends": ["web1:8080", { "to": "web9:8080" }]`, `backends[1].to: no node is called "web9"; did you mean "web1"?`},
		{`"backends": "web[1..2]:99999"`, `backends: "99999" is not a port: want 1 to 65535`},
		{`"backends": "web[1..2]:"`, `backends: "" is not a port: want 1 to 65535`},
		{`"backends": "s*:80"`, `backends: sw is a switch, which has no address: want a host or a router`},
		{`"backends": "web[1-2]:80"`, `backends: "web[1-2]" is not a range: brackets hold two numbers such as [1..3], or *, never characters; did you mean "web[1..2]"?`},
		{`"backends": "web*:8080"`, `backends: nothing listens on TCP port 8080 of webcam; its services listen on TCP port 554 (cam)`},
		{`"backends": ["web1:8080", { "to": "web2:81" }]`, `backends[1]: nothing listens on TCP port 81 of web2; its services listen on TCP port 8080 (web)`},
		{`"backends": ["web1:8080", "web[1..2]:8080"]`, `backends: "web1:8080" is there twice`},
		{`"backends": "far:80"`, `backends: there is no way from lb to far: far has no link`},
		{`"backends": ["web1:8080", "f*:80"]`, `backends[1]: there is no way from lb to far: far has no link`},
		{`"backends": "web1:8080", "drain": [{ "backend": "web2" }]`, `drain[0].backend: "web2" is none of the backends; did you mean "web1"?`},
		{`"backends": "web[1..2]:8080", "drain": [{ "backend": "web3" }]`, `drain[0].backend: "web3" is none of the backends; did you mean "web1"?`},
		{`"backends": "web1:8080", "mirror": "wob*:80"`, `mirror: no node's name begins with "wob"; did you mean "web*"?`},
		{`"backends": "web1:8080", "routes": [{ "path": "/", "to": "weB1:8080" }]`, `routes[0].to: no node is called "weB1"; did you mean "web1"?`},
	} {
		_, err := Load("lab.json", behind(c.settings), balancers, nil)
		require.Error(t, err, c.settings)
		lines := strings.Split(err.Error(), "\n")
		require.Len(t, lines, 1, c.settings)
		require.Regexp(t, `^lab\.json:3:\d+: nodes\.lb\.services\.lb\.`, lines[0])
		require.Equal(t, c.want, lines[0][strings.Index(lines[0], "services.lb.")+len("services.lb."):], c.settings)
	}
}
