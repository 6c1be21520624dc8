package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
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

// Help fits a narrow terminal, whose width is that of the manual's own lines, and each flag is said to do something.
func TestHelpFits(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() == "completion" || c.Name() == "help" {
			continue // Cobra's
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example + "\n" + c.UsageString()) {
			require.LessOrEqual(t, width(strings.TrimRight(line, "\n")), 90, "%s: %s", c.Name(), line)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) { require.True(t, f.Hidden || f.Usage != "", "%s --%s", c.Name(), f.Name) })
	}
}
