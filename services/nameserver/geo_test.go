package nameserver_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/services"
	"netlab/services/nameserver"
)

// geoLab is a lab of users around the world and three nodes behind a name; %s are further properties of the record and of edge3.
const geoLab = `{
	"nodes": {
		"r": { "kind": "router" },
		"ns": { "services": { "names": { "type": "dns-server", "records": { "cdn": { "nodes": "edge*", "geo": true%s } } } } },
		"edge1": { "location": "eu-central" },
		"edge2": { "location": "us-east" },
		"edge3": {%s},
		"dublin": { "location": "eu-west", "dns": "ns" },
		"denver": { "location": "39.74,-104.99", "dns": "ns" },
		"nowhere": { "dns": "ns" }
	},
	"links": ["ns - r", "edge[1..3] - r", "dublin - r", "denver - r", "nowhere - r"],
	"workloads": {
		"dublin": { "type": "dns-lookup", "from": "dublin", "name": "cdn", "count": 6, "interval": "2m" },
		"denver": { "type": "dns-lookup", "from": "denver", "name": "cdn", "count": 6, "interval": "2m" },
		"nowhere": { "type": "dns-lookup", "from": "nowhere", "name": "cdn", "count": 6, "interval": "2m" }
	},
	"expect": [%s]
}`

// A client is told the nearest nodes, all at that place in turn; one whose location isn't known is told all; what by_client says for a
// client comes first.
func TestNearestNode(t *testing.T) {
	for _, c := range [][3]string{
		{``, `"location": "ap-south"`, `"dublin.first.edge1 == 6", "denver.first.edge2 == 6", "nowhere.distinct == 3"`},
		{``, `"location": "50.11,8.68"`, `"dublin.first.edge1 == 3", "dublin.first.edge3 == 3", "denver.first.edge2 == 6"`},
		{`, "by_client": [{ "clients": "denver", "nodes": "edge3" }]`, `"location": "ap-south"`, `"dublin.first.edge1 == 6", "denver.first.edge3 == 6"`},
	} {
		labs, err := netlab.Parse("geo.json", fmt.Appendf(nil, geoLab, c[0], c[1], c[2]), nil)
		require.NoError(t, err)
		r, err := labs[0].Run(context.Background(), nil, nil)
		require.NoError(t, err)
		for _, e := range r.Expect {
			require.True(t, e.Holds, "%v", e)
		}
	}
}

func TestValidateGeo(t *testing.T) {
	_, err := netlab.Parse("geo.json", fmt.Appendf(nil, geoLab, "", "", ""), nil)
	require.ErrorContains(t, err, `geo.json:4:105: nodes.ns.services.names.records.cdn.geo: node edge3 has no location: want one, such as "location": "eu-west"`)
	for want, r := range map[string]nameserver.Record{
		`records.x.geo: an alias has no addresses that could be near`:                       {CNAME: "ns.example.", Geo: true},
		`records.x.geo: wanted "nodes" to choose from: where addresses are isn't known`:     {TXT: []string{"x"}, Geo: true},
		`records.x.geo: wanted "nodes" and no other addresses: where those are isn't known`: {Nodes: services.Nodes{"a"}, A: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Geo: true},
	} {
		c := nameserver.NewConfig()
		c.Records = map[string]nameserver.Record{"x": r}
		require.EqualError(t, c.Validate(), want)
	}
}
