package balance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/internal/random"
	"netlab/services"
	"netlab/services/balance"
)

func at(t *testing.T, name, where string, weight float64) balance.Backend {
	t.Helper()
	b := balance.Backend{Name: name, Weight: weight}
	if where != "" {
		l, err := services.ParseLocation(where)
		require.NoError(t, err)
		b.Location, b.HasLocation = l, true
	}
	return b
}

func TestGeographic(t *testing.T) {
	a := algorithm(t, balance.Geographic)
	set := []balance.Backend{at(t, "frankfurt", "eu-central", 2), at(t, "tokyo", "ap-northeast", 1), at(t, "main", "50.11,8.68", 1),
		at(t, "somewhere", "", 1), at(t, "virginia", "us-east", 1)}
	a.Set(set)
	from := func(where string, exclude ...int) (names []string) {
		r := &balance.Request{Exclude: excluding(exclude...)}
		if where != "" {
			l, err := services.ParseLocation(where)
			require.NoError(t, err)
			r.Location, r.HasLocation = l, true
		}
		for range 3 {
			i, ok := a.Pick(r)
			require.True(t, ok)
			names = append(names, set[i].Name)
		}
		return names
	}
	require.Equal(t, []string{"frankfurt", "main", "frankfurt"}, from("eu-west"), "one place: they take turns by weight")
	require.Equal(t, []string{"tokyo", "tokyo", "tokyo"}, from("-33.87,151.21"))
	require.Equal(t, []string{"virginia", "virginia", "virginia"}, from("sa-east"))
	require.Equal(t, []string{"tokyo", "tokyo", "tokyo"}, from("50,-179.9"), "across the date line")
	require.Equal(t, []string{"virginia", "virginia", "virginia"}, from("eu-west", 0, 2), "the next place")
	require.Equal(t, []string{"somewhere", "somewhere", "somewhere"}, from("eu-west", 0, 1, 2, 4), "unknown ones last")
	require.ElementsMatch(t, []string{"frankfurt", "tokyo", "virginia"}, from("", 2, 3), "all take turns")
}

// The order of places is that of great circles.
func TestNearestIsNearest(t *testing.T) {
	r := random.Stream(seed, "places", 0)
	anywhere := func() services.Location {
		return services.Location{Latitude: r.Float64()*180 - 90, Longitude: r.Float64()*360 - 180}
	}
	set := webs(200)
	for i := range set {
		set[i].Location, set[i].HasLocation = anywhere(), true
	}
	a := algorithm(t, balance.Geographic)
	a.Set(set)
	for range 1000 {
		here := anywhere()
		found, ok := a.Pick(&balance.Request{Location: here, HasLocation: true})
		require.True(t, ok)
		for i := range set {
			require.LessOrEqual(t, here.Distance(set[found].Location), here.Distance(set[i].Location)+1e-6)
		}
	}
}
