package access

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"www.lab", "www.lab", true}, {"www.lab", "WWW.lab.", true}, {"www.lab", "www.lab.net", false}, {"WWW.Lab", "www.lab", true},
		{".lab", "lab", true}, {".lab", "a.b.lab", true}, {".lab", "slab", false}, {"*.lab", "lab", false}, {"*.lab", "a.b.lab", true},
		{"*", "anything", true}, {"a*c*e", "abcde", true}, {"a*c*e", "abde", false}, {"a*a", "a", false}, {"10.0.*", "10.0.1.2", true},
		{"::1", "[0:0:0:0:0:0:0:1]", true}, {"192.0.2.1", "::ffff:192.0.2.1", true},
	} {
		f := Filter{Deny: Lists{Hosts: []string{c.pattern}}}
		require.Equal(t, c.want, f.Check(Request{Host: c.host, Port: 80, Path: "/"}) != "", "%q, %q", c.pattern, c.host)
		f = Filter{Allow: Lists{Hosts: []string{c.pattern}}}
		require.Equal(t, c.want, f.Check(Request{Host: c.host, Port: 80, Path: "/"}) == "", "%q, %q", c.pattern, c.host)
	}
	f := Filter{Allow: Lists{Paths: []string{"/a/*"}}, Deny: Lists{Ports: []uint16{81}}}
	require.Empty(t, f.Check(Request{Host: "x", Port: 80, Path: "/a/b"}))
	require.NotEmpty(t, f.Check(Request{Host: "x", Port: 80, Path: "/a/../b"}))
	require.NotEmpty(t, f.Check(Request{Host: "x", Port: 443}), "nobody sees the path in a tunnel")
	require.NotEmpty(t, f.Check(Request{Host: "x", Port: 81, Path: "/a/b"}))
}

// Patterns that say nothing special match themselves, whatever they look like, and checking ends.
func FuzzFilter(f *testing.F) {
	f.Add("a*b", "a/../b", uint16(1))
	f.Fuzz(func(t *testing.T, host, path string, port uint16) {
		filter := Filter{Deny: Lists{Hosts: []string{host}, Paths: []string{path}}, Allow: Lists{Ports: []uint16{port}}}
		filter.Check(Request{Host: host, Port: port, Path: path})
		require.True(t, glob("*", host))
		require.True(t, glob(host+"*", host))
	})
}

// The names in a ledger are bounded, and nothing that was counted is lost.
func TestLedger(t *testing.T) {
	var l Ledger
	for i := range 3000 {
		l.Add("client", fmt.Sprint("host", i), Usage{Requests: 1})
	}
	r := l.Record()
	require.EqualValues(t, 3000, r.Requests)
	require.EqualValues(t, 3000, r.Clients["client"].Requests)
	require.Len(t, r.Hosts, 1000)
	require.EqualValues(t, 2001, r.Hosts["others"].Requests)
}
