package services_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

func TestParseLocation(t *testing.T) {
	for text, want := range map[string]services.Location{
		"eu-west":         {Latitude: 53.35, Longitude: -6.26, Region: "eu-west"},
		"52.5,13.4":       {Latitude: 52.5, Longitude: 13.4},
		" +52.5 , -13.40": {Latitude: 52.5, Longitude: -13.4},
		"-90,180":         {Latitude: -90, Longitude: 180},
		"0,0":             {},
		"-0,-0":           {},
	} {
		l, err := services.ParseLocation(text)
		require.NoError(t, err, text)
		require.Equal(t, want, l, text)
	}
	for text, want := range map[string]string{
		"eu-wst":     `"eu-wst" is not a region; did you mean "eu-west"?`,
		"52.5":       `"52.5" is not a location: want a region such as "eu-west", or "latitude,longitude" in degrees such as "52.5,13.4"`,
		"":           `"" is not a location: want a region such as "eu-west", or "latitude,longitude" in degrees such as "52.5,13.4"`,
		"91,0":       `"91,0" is not a location: the latitude is 91, wanted -90 to 90 degrees (the latitude comes first)`,
		"0,-181":     `"0,-181" is not a location: the longitude is -181, wanted -180 to 180 degrees`,
		"52.5,13,4":  `"52.5,13,4" is not a location: want a region such as "eu-west", or "latitude,longitude" in degrees such as "52.5,13.4"`,
		"nan,0":      `"nan,0" is not a location: want a region such as "eu-west", or "latitude,longitude" in degrees such as "52.5,13.4"`,
		"0x1p3,0":    `"0x1p3,0" is not a location: want a region such as "eu-west", or "latitude,longitude" in degrees such as "52.5,13.4"`,
		"infinity,0": `"infinity,0" is not a location: the latitude is +Inf, wanted -90 to 90 degrees (the latitude comes first)`,
	} {
		_, err := services.ParseLocation(text)
		require.ErrorContains(t, err, want, text)
	}
}

func TestDistance(t *testing.T) {
	at := func(text string) services.Location {
		l, err := services.ParseLocation(text)
		require.NoError(t, err)
		return l
	}
	const quarter = 10007.557 // of a great circle
	require.Zero(t, at("eu-west").Distance(at("eu-west")))
	require.InDelta(t, quarter, at("0,0").Distance(at("90,0")), 0.001)
	require.InDelta(t, quarter, at("0,0").Distance(at("0,-90")), 0.001)
	require.InDelta(t, 2*quarter, at("50,10").Distance(at("-50,-170")), 0.001)
	require.InDelta(t, 2*quarter/180, at("0,179.5").Distance(at("0,-179.5")), 0.001, "across the date line")
	// London and New York by the same formula in the literature: 5570 km.
	require.InDelta(t, 5570, at("eu-west-2").Distance(at("40.71,-74.01")), 1)
	require.Equal(t, at("eu-west").Distance(at("ap-south")), at("ap-south").Distance(at("eu-west")))
	require.True(t, at("eu-west").Same(at("53.35,-6.26")))
	require.False(t, at("eu-west").Same(at("53.35,-6.27")))
}

func TestRegions(t *testing.T) {
	regions := services.Regions()
	require.True(t, slices.IsSortedFunc(regions, func(a, b services.Region) int { return strings.Compare(a.Name, b.Name) }))
	for _, r := range regions {
		l, err := services.ParseLocation(r.Name)
		require.NoError(t, err)
		require.Equal(t, services.Location{Latitude: r.Latitude, Longitude: r.Longitude, Region: r.Name}, l)
		require.NotEmpty(t, r.City)
	}
}

func FuzzParseLocation(f *testing.F) {
	f.Add("eu-west")
	f.Add("52.5,13.4")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := services.ParseLocation(text)
		if err != nil {
			require.Zero(t, l.Region)
			return
		}
		again, err := services.ParseLocation(l.String())
		require.NoError(t, err)
		require.Equal(t, l, again)
		require.Zero(t, l.Distance(again))
	})
}

// The page about balancing lists the regions.
func TestRegionsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/components/balancing.md")
	require.NoError(t, err)
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, r := range services.Regions() {
		require.Contains(t, text, fmt.Sprintf("`%s` %s (%v, %v)", r.Name, r.City, r.Latitude, r.Longitude))
	}
}
