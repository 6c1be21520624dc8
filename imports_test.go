package netlab_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the name of the module, and so of its root package.
const module = "netlab"

// A room is a folder of the module with everything below it. rooms says which other rooms each of them may import; units and
// random may be imported by all. There are no arrows back: what a lower room needs of a higher one it declares as an
// interface of its own.
var rooms = map[string][]string{
	"units":           {},
	"internal/random": {},
	"netem":           {},
	"ip":              {"netem"},
	"tcp":             {"ip"},
	"udp":             {"ip"},
	"dns":             {"tcp", "udp", "ip"},
	"tls":             {},
	"http":            {"dns", "tls", "tcp", "udp", "ip"},
	"ws":              {"http", "dns", "tls", "tcp", "udp", "ip"},
	"services":        {"netem", "ip", "tcp", "udp", "dns", "tls", "http", "ws"},
	"topology":        {"services", "netem"},
	"captures":        {"netem"},
	"report":          {"captures"},
	".":               {"netem", "ip", "tcp", "udp", "dns", "tls", "http", "ws", "services", "topology", "captures", "report"},
	"examples":        {},
	"docs":            {},
	"bench":           {"."},
}

// common are the rooms that all may import.
var common = []string{"units", "internal/random"}

// free are the rooms that may import anything: the command, and what exists for tests only.
var free = []string{"cmd", "internal/testlab", "internal/randomlab", "internal/deps", "internal/pictures"}

// roomOf returns the room that a package of the module is in, or "" for one of another module.
func roomOf(path string) string {
	if path == module {
		return "."
	}
	rest, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return ""
	}
	first, below, _ := strings.Cut(rest, "/")
	if first == "internal" {
		second, _, _ := strings.Cut(below, "/")
		return first + "/" + second
	}
	return first
}

// forbidden returns those of a package's imports that its room may not have.
func forbidden(path string, imports []string) []string {
	room := roomOf(path)
	var list []string
	for _, other := range imports {
		to := roomOf(other)
		allowed := to == "" || to == room || slices.Contains(free, room) || slices.Contains(common, to) ||
			slices.Contains(rooms[room], to)
		if !allowed {
			list = append(list, other)
		}
	}
	return list
}

// No package imports one that stands above it. Tests may.
func TestImportsFollowTheHouse(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	seen := map[string]bool{}
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		room := roomOf(p.ImportPath)
		_, known := rooms[room]
		require.True(t, known || slices.Contains(free, room), "%s is in no room: say in rooms what %q may import", p.ImportPath, room)
		require.Empty(t, forbidden(p.ImportPath, p.Imports), "imports of %s that its room may not have", p.ImportPath)
		seen[p.ImportPath] = true
	}
	require.True(t, seen[module] && seen[module+"/netem"] && seen[module+"/cmd/netlab"], "go list has seen the module")
}

func TestForbiddenImports(t *testing.T) {
	for _, test := range []struct {
		path    string
		imports []string
		want    []string
	}{
		{"netlab/units", []string{"time", "netlab/netem"}, []string{"netlab/netem"}},
		{"netlab/netem", []string{"netlab/units", "netlab/internal/random", "fmt"}, nil},
		{"netlab/netem", []string{"netlab/ip"}, []string{"netlab/ip"}},
		{"netlab/services/web", []string{"netlab/services", "netlab/tcp", "netlab/services/target"}, nil},
		{"netlab/services/web", []string{"netlab/topology/plan", "netlab"}, []string{"netlab/topology/plan", "netlab"}},
		{"netlab/captures", []string{"netlab/ip"}, []string{"netlab/ip"}},
		{"netlab/examples", []string{"embed", "netlab/topology"}, []string{"netlab/topology"}},
		{"netlab/cmd/netlab", []string{"netlab", "netlab/examples"}, nil},
		{"netlab", []string{"netlab/examples", "netlab/topology"}, []string{"netlab/examples"}},
		{"netlab/report", []string{"netlab/topology", "netlab/captures"}, []string{"netlab/topology"}},
	} {
		require.Equal(t, test.want, forbidden(test.path, test.imports), test.path)
	}
}
