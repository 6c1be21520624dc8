package target

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		in   services.Target
		host string
		port uint16
	}{
		{"server", "server", 0}, {"server:5001", "server", 5001}, {"192.0.2.1", "192.0.2.1", 0}, {"192.0.2.1:7", "192.0.2.1", 7},
		{"2001:db8::1", "2001:db8::1", 0}, {"[2001:db8::1]:80", "2001:db8::1", 80},
	} {
		host, port, err := Split(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.host, host)
		require.Equal(t, c.port, port)
	}
	for _, in := range []services.Target{"", ":80", "server:", "server:0", "server:65536", "server:http", "a:b:c", "[::1]"} {
		_, _, err := Split(in)
		require.Error(t, err, in)
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[services.Target]string{
		"server": "server:7", "server:80": "server:80", "2001:db8::1": "[2001:db8::1]:7", "[2001:db8::1]:80": "[2001:db8::1]:80",
	} {
		got, err := Address(in, 7)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestChecks(t *testing.T) {
	require.NoError(t, CheckHost("to", "server"))
	require.EqualError(t, CheckHost("to", "server:80"), `to: "server:80" has a port, which means nothing here; did you mean "server"?`)
	require.NoError(t, CheckPort("to", "server"))
	require.EqualError(t, CheckPort("to", ""), `to: missing: want a host, with a port or without, such as "server"`)
	require.EqualError(t, CheckVersion("ip_version", "v4"), `ip_version: "v4" is not one of ipv4, ipv6`)
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"server:5001", "[::1]:80", "::1", "a:b:c", ":", "[", "192.0.2.1:7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, _, err := Split(services.Target(s))
		if err == nil {
			require.NotEmpty(t, host)
			_, err = Address(services.Target(s), 1)
			require.NoError(t, err)
		}
	})
}

func TestCall(t *testing.T) {
	for to, want := range map[services.Target]services.Call{
		"server":            {Field: "to", Host: "server", Protocol: services.TCP, Port: 7},
		"server:80":         {Field: "to", Host: "server", Protocol: services.TCP, Port: 80},
		"[2001:db8::1]:443": {Field: "to", Host: "2001:db8::1", Protocol: services.TCP, Port: 443},
	} {
		require.Equal(t, want, Call("to", to, services.TCP, 7))
	}
}
