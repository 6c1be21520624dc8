package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminalColumns is how many characters a line of the terminal has, or other if w is none.
func terminalColumns(w io.Writer, other int) int {
	if f, ok := w.(*os.File); ok && isTerminal(f) {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return other
}

// localeIsUTF8 says whether the environment asks for UTF-8: the first of the variables that is set decides (POSIX, section 8.2).
func localeIsUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
