package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// isTerminal says whether lines can be rewritten and coloured.
func isTerminal(f *os.File) bool {
	return os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// terminalSize returns how many columns and lines a terminal has. ok is false where w is none, or doesn't tell.
func terminalSize(w io.Writer) (columns, lines int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !isTerminal(f) {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	return columns, lines, err == nil && columns > 0 && lines > 0
}

// terminalWidth returns how many columns a terminal has, or other where w is none.
func terminalWidth(w io.Writer, other int) int {
	if n, _, ok := terminalSize(w); ok {
		return n
	}
	return other
}

// The widths that text can be printed in.
const (
	minWidth = 40
	maxWidth = 1000
)

// checkWidth refuses lines in which nothing fits.
func checkWidth(n int) error {
	if n < minWidth || n > maxWidth {
		return fmt.Errorf("--width %d: want %d to %d", n, minWidth, maxWidth)
	}
	return nil
}

// coloured says whether text is printed in colours: on a terminal, unless NO_COLOR is set (https://no-color.org).
func coloured(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && isTerminal(f)
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
