package units

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSuggest(t *testing.T) {
	families := []string{"uniform", "normal", "lognormal", "exponential", "pareto"}
	for _, test := range []struct {
		found string
		known []string
		want  string
	}{
		{"exponental", families, "exponential"},
		{"exponetnial", families, "exponential"},
		{"NORMAL", families, "normal"},
		{"poisson", families, ""},
		{"", families, ""},
		{"server", nil, ""},
		{"sevrer", []string{"server1", "server"}, "server"},
		{"web4", []string{"web2", "web1", "lb"}, "web1"}, // equally near: alphabetical
		{"web4", []string{"lb", "web1", "web2"}, "web1"},
		{"x", []string{"a", "b"}, ""}, // nothing in common
		{"ab", []string{"cd"}, ""},
		{"LB", []string{"lb", "Lb"}, "Lb"}, // fewer differences in case
		{"least_conections", []string{"round-robin", "least-connections"}, "least-connections"},
		{"größe", []string{"grösse", "große"}, "große"},
		{strings.Repeat("a", 10_000), []string{strings.Repeat("a", 10_000)}, ""}, // absurdly long
	} {
		require.Equal(t, test.want, Suggest(test.found, test.known), test.found)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"kitten", "sitting", 3}, {"ab", "ba", 1}, {"ca", "abc", 3},
	} {
		require.Equal(t, test.want, editDistance([]rune(test.a), []rune(test.b)), "%s %s", test.a, test.b)
	}
}

func TestLongTextsAreCutInErrors(t *testing.T) {
	_, err := ParseBytes(strings.Repeat("ö", 5000))
	require.Less(t, len(err.Error()), 200)
	require.Contains(t, err.Error(), `…" is not a size`)
}

func TestSuggestionsAreValues(t *testing.T) {
	suggestionsAreValues(t, ParseDuration, "5sec", " 5s", "1m 5s", "1M", "1.ms", "5minutes")
	suggestionsAreValues(t, ParseBytes, "5byte", "5 MB", "5mib", "1.5 kB")
	suggestionsAreValues(t, ParseBitRate, "5Mbits/s", "5MB", "5 Mbit/s", "5 mbit")
	suggestionsAreValues(t, ParseProbability, "5", "1 %", " 0.5")
	suggestionsAreValues(t, ParseRate, "5/sec", "5 /s", "5rpm")
	suggestionsAreValues(t, ParseQueueLimit, "5 pkts", "5 packet ", " unlimited", "64 kB")
	suggestionsAreValues(t, ParseDistribution, "5 ms", "normal( 1ms , 2ms )", " uniform(1ms,2ms)", `file( "a.txt" )`)
	suggestionsAreValues(t, ParseLoss, "5", "1 %", "burst( 3%, 4 )", "file(loss.txt)", "every( 100)", `file("./loss.txt")`)
	suggestionsAreValues(t, ParseLinkRate, "5Mbits/s", "5 mbit", " unlimited", "steps( 0s 1Mbit/s)", "ramp(0s  1Mbit/s)", "mahimahi(lte.trace)")
	suggestionsAreValues(t, ParseOffset, "+5sec", "- 5s", " 5s", "-1m 5s")
	suggestionsAreValues(t, ParseDrift, "5 ppm", "-5PPM", "5ppms", "- 1%")
	suggestionsAreValues(t, ParseDSCP, "EF", " 	af11", "AF4", "best-effort", "lbe", "cs8")
}
