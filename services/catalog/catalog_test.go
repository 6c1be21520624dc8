package catalog_test

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/services/catalog"
	"netlab/topology/expect"
)

func TestTableIsSorted(t *testing.T) {
	require.True(t, slices.IsSortedFunc(catalog.All(), func(a, b services.Type) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Name, b.Name))
	}))
}

func TestLookup(t *testing.T) {
	var table catalog.Table
	for _, typ := range table.Types() {
		found, ok := table.Lookup(typ.Role, typ.Name)
		require.True(t, ok)
		require.Equal(t, typ.Name, found.Name)
		_, ok = table.Lookup(1-typ.Role, typ.Name)
		require.False(t, ok, "%s has one role", typ.Name)
	}
	_, ok := table.Lookup(services.Service, "nothing")
	require.False(t, ok)
}

// Every field has a description, a default that is what Config gives, and a name in snake_case. What has no default is
// required or left out of the file.
func TestConfigs(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	for _, typ := range catalog.All() {
		t.Run(typ.Name, func(t *testing.T) {
			require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, typ.Name)
			require.NotEmpty(t, typ.Doc)
			config := typ.Config()
			require.NotSame(t, config, typ.Config())
			v := reflect.ValueOf(config).Elem()
			for _, f := range reflect.VisibleFields(v.Type()) {
				if f.Anonymous {
					continue
				}
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				require.Regexp(t, snake, name)
				require.Regexp(t, `\.$`, f.Tag.Get("jsonschema_description"), name)
				rules := strings.Split(f.Tag.Get("jsonschema"), ",")
				required, preset := slices.Contains(rules, "required"), ""
				for _, rule := range rules {
					if value, ok := strings.CutPrefix(rule, "default="); ok {
						preset = value
					}
				}
				switch {
				case required:
					require.True(t, v.FieldByIndex(f.Index).IsZero() && preset == "", name)
				case preset == "":
					require.True(t, v.FieldByIndex(f.Index).IsZero() && (options == "omitempty" || options == "omitzero"), name)
				default:
					require.Equal(t, preset, fmt.Sprint(v.FieldByIndex(f.Index).Interface()), name)
				}
			}
			_, err := typ.New(config, services.Info{Name: "x", Hosts: []string{"a"}})
			require.NoError(t, err)
		})
	}
}

// Without a port in the file, a client talks to the port on which its server listens without one.
func TestCallsGoToTheDefaultPort(t *testing.T) {
	var table catalog.Table
	for _, c := range []struct{ client, field, change, server string }{
		{"tcp-transfer", "to", "", "tcp-sink"}, {"udp-stream", "to", "", "udp-sink"},
		{"echo", "to", "", "tcp-echo"}, {"echo", "to", "udp", "udp-echo"}, {"http-fetch", "url", "", "http-server"},
	} {
		client, ok := table.Lookup(services.Workload, c.client)
		require.True(t, ok)
		config := client.Config()
		v := reflect.ValueOf(config).Elem()
		v.FieldByName(map[string]string{"to": "To", "url": "URL"}[c.field]).SetString(map[string]string{"to": "server", "url": "http://server/"}[c.field])
		if c.change != "" {
			v.FieldByName("Protocol").SetString(c.change)
		}
		server, ok := table.Lookup(services.Service, c.server)
		require.True(t, ok)
		listen := reflect.ValueOf(server.Config()).Elem().FieldByName("Listen")
		protocol := services.TCP
		if listen.Type() == reflect.TypeFor[services.ListenUDP]() {
			protocol = services.UDP
		}
		port, err := strconv.ParseUint(strings.TrimPrefix(listen.String(), ":"), 10, 16)
		require.NoError(t, err)
		require.Equal(t, []services.Call{{Field: c.field, Host: "server", Protocol: protocol, Port: uint16(port)}},
			config.(services.Caller).Calls(), c.client)
	}
}

// What a runner reports before it ran has the same figures as the prototype, and none is called as those that netlab adds.
func TestResults(t *testing.T) {
	for _, typ := range catalog.All() {
		runner, err := typ.New(typ.Config(), services.Info{Name: "x", Hosts: []string{"a"}})
		require.NoError(t, err)
		var prototype, found expect.Figures
		prototype.Add("", typ.Result())
		found.Add("", runner.Result())
		require.Equal(t, prototype.Names(), found.Names(), typ.Name)
		require.IsType(t, typ.Result(), runner.Result())
		for _, name := range prototype.Names() {
			require.NotContains(t, []string{"type", "started", "ended", "completed"}, name)
			require.NotRegexp(t, `(_ns|_bps)$`, name)
		}
	}
}
