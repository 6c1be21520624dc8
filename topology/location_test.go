package topology

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

func TestLocations(t *testing.T) {
	file := loadOne(t, `{
		"nodes": {
			"a": { "location": "eu-west" }, "b[1..2]": { "location": "52.50, 13.4" }, "c": { "location": "0,0" }, "d": {},
			"r": { "kind": "router", "location": "us-east" }
		},
		"links": ["a - r", "b[*] - r", "c - r", "d - r"]
	}`)
	berlin := services.Location{Latitude: 52.5, Longitude: 13.4}
	want := map[string]services.Location{"a": {Latitude: 53.35, Longitude: -6.26, Region: "eu-west"}, "b1": berlin, "b2": berlin, "c": {},
		"r": {Latitude: 39.04, Longitude: -77.49, Region: "us-east"}}
	require.Equal(t, want, file.Resolved.Locations())
	text := file.Resolved.JSON()
	require.Contains(t, string(text), `"location": "eu-west"`)
	require.Contains(t, string(text), `"location": "52.5,13.4"`)
	require.Equal(t, want, loadOne(t, string(text)).Resolved.Locations(), "it is written as it is read")
}
