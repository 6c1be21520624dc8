package services_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

func TestTargetPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, host, port string
		many                bool
	}{
		{"web1:80", "web1", "80", false}, {"web1", "web1", "", false}, {"web[1..3]:80", "web[1..3]", "80", true}, {"web[*]", "web[*]", "", true},
		{"web*:8080", "web*", "8080", true}, {"*", "*", "", true}, {"10.0.0.1:80", "10.0.0.1", "80", false}, {"10.0.0.1", "10.0.0.1", "", false},
		{"[fd00::1]:80", "fd00::1", "80", false}, {"[fd00::1]", "fd00::1", "", false}, {"fd00::1", "fd00::1", "", false}, {"", "", "", false},
	} {
		p := services.TargetPattern(c.pattern)
		require.Equal(t, c.host, p.Host(), c.pattern)
		require.Equal(t, c.port, p.Port(), c.pattern)
		require.Equal(t, c.many, p.IsPattern(), c.pattern)
	}
}

// Patterns are replaced by what they stand for, each target once, in order; what is no pattern stays.
func TestTargetsExpand(t *testing.T) {
	names := func(n services.Nodes) services.Nodes {
		require.Equal(t, services.Nodes{"web*"}, n)
		return services.Nodes{"web1", "web2"}
	}
	require.Equal(t, services.Targets{"web2:80", "web1:80", "[fd00::1]:80"}, services.Targets{"web2:80", "web*:80", "[fd00::1]:80"}.Expand(names))
	require.Nil(t, services.Targets(nil).Expand(names))
	var one services.Targets
	one.SetString("web*:80")
	require.Equal(t, services.Targets{"web*:80"}, one)
}
