package services_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
)

func TestURL(t *testing.T) {
	for u, want := range map[services.URL]services.Call{
		"http://server":              {Host: "server", Port: 80},
		"http://server/":             {Host: "server", Port: 80},
		"http://server:8080/x?y=z":   {Host: "server", Port: 8080},
		"http://192.0.2.1/":          {Host: "192.0.2.1", Port: 80},
		"https://server/":            {Host: "server", Port: 443},
		"http://[2001:db8::1]:8443/": {Host: "2001:db8::1", Port: 8443},
	} {
		_, err := u.Parse()
		require.NoError(t, err, u)
		require.Equal(t, want, services.Call{Host: u.Host(), Port: u.Port()}, u)
	}
	for _, u := range []services.URL{"", "server", "/path", "ftp://server/", "http://", "http:server", "http://u:p@server/",
		"http://server/#x", "http://server:0/", "http://server:99999/", "http://[fe80::1%25eth0]/", "http://a b/"} {
		_, err := u.Parse()
		require.Error(t, err, u)
		require.Empty(t, u.Host())
		require.Zero(t, u.Port())
	}
}

func TestSchemes(t *testing.T) {
	u := services.URL("wss://server/chat")
	_, err := u.Parse()
	require.EqualError(t, err, `"wss://server/chat" is not a URL of http or https: want one such as "http://server/path"`)
	_, err = u.Parse("ws", "wss")
	require.NoError(t, err)
	require.EqualValues(t, 443, u.Port())
	require.True(t, u.Secure())
	require.EqualValues(t, 80, services.URL("ws://server").Port())
	require.False(t, services.URL("http://server").Secure())
	_, err = services.URL("server").ParseAny()
	require.EqualError(t, err, `"server" is not a URL of http, https, ws or wss: want one such as "http://server/path"`)
}

func FuzzURL(f *testing.F) {
	f.Add("http://server/path")
	f.Add("http://[::1]:80")
	f.Fuzz(func(t *testing.T, text string) {
		u := services.URL(text)
		p, err := u.ParseAny()
		require.Equal(t, err == nil, u.Host() != "")
		require.Equal(t, err == nil, u.Port() != 0)
		if err == nil {
			require.Equal(t, p.Hostname(), u.Host())
		}
	})
}
