package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The first variable that is set decides, as in POSIX.
func TestLocale(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		utf8 bool
	}{
		{nil, false},
		{map[string]string{"LANG": "en_GB.UTF-8"}, true},
		{map[string]string{"LANG": "C.utf8", "LC_ALL": ""}, true},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_CTYPE": "C"}, false},
		{map[string]string{"LC_CTYPE": "C", "LC_ALL": "de_DE.UTF-8"}, true},
		{map[string]string{"LANG": "de_DE@euro"}, false},
	} {
		require.Equal(t, c.utf8, localeIsUTF8(func(name string) string { return c.env[name] }), "%v", c.env)
	}
}
