package topology

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

type gatewayConfig struct {
	noChecks
	Mode string `json:"mode,omitempty"`
}

func (c *gatewayConfig) GatewayOf() (field string, hosts []string, instead string) {
	if c.Mode == "nat" {
		hosts = []string{"web"}
	}
	return "mode", hosts, ", or don't"
}

type visitConfig struct {
	noChecks
	To services.Target `json:"to"`
}

func (c *visitConfig) Calls() []services.Call {
	return []services.Call{{Field: "to", Host: c.To.Host(), Protocol: services.TCP, Port: 80}}
}

// A host that answers the clients of a gateway by another way is reported with the way and what to write.
func TestGateways(t *testing.T) {
	gateways := testCatalog{
		{Name: "gateway", Role: services.Service, Config: func() services.Config { return &gatewayConfig{} }},
		{Name: "visit", Role: services.Workload, Config: func() services.Config { return &visitConfig{} }},
	}
	for _, c := range []struct{ mode, routes, from, to, want string }{
		{"nat", `[{"to": "0.0.0.0/0", "via": "10.1.0.10"}]`, "client", "lb", ""},
		{"other", `[{"to": "0.0.0.0/0", "via": "10.1.0.1"}]`, "client", "lb", ""},
		{"nat", `[{"to": "0.0.0.0/0", "via": "10.1.0.1"}]`, "client", "r1", ""},
		{"nat", `[{"to": "0.0.0.0/0", "via": "10.1.0.1"}]`, "client", "lb", `answers of web to client must come back through lb, but go to r1: give web the route {"to": "0.0.0.0/0", "via": "10.1.0.10"}, or don't`},
		{"nat", `[]`, "client", "lb", `answers of web to client must come back through lb, but have no route: give`},
		{"nat", `[{"to": "0.0.0.0/0", "via": "10.1.0.10"}]`, "near", "lb", `answers of web to near must come back through lb, but go to near: give`},
	} {
		_, err := Load("lab.json", []byte(`{
			"defaults": {"ip": "ipv4"},
			"nodes": {"client": {}, "near": {}, "r1": {"kind": "router"}, "sw": {"kind": "switch", "subnets": ["10.1.0.0/24"]},
				"lb": {"services": {"front": {"type": "gateway", "mode": "`+c.mode+`"}}}, "web": {"routes": `+c.routes+`}},
			"links": ["client - r1", "near - sw", {"between": "r1 - sw", "addresses": {"r1": ["10.1.0.1/24"]}},
				{"between": "lb - sw", "addresses": {"lb": ["10.1.0.10/24"]}}, {"between": "web - sw", "addresses": {"web": ["10.1.0.21/24"]}}],
			"workloads": {"visit": {"type": "visit", "from": "`+c.from+`", "to": "`+c.to+`"}}}`), gateways, nil)
		if c.want == "" {
			var list Errors
			if errors.As(err, &list) {
				require.NotContains(t, err.Error(), "must come back")
			}
			continue
		}
		require.ErrorContains(t, err, c.want)
	}
}
