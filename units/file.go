package units

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode"
)

const pathWant = `want a relative path with "/" between folders and without ".."`

// checkPath tells why name cannot be the path of a data file. A path is good on
// every system and stays in the folder that it is relative to (fs.ValidPath).
// Quotes, backslashes and control characters are refused so that a path needs
// no escapes between its quotes.
func checkPath(name string) error {
	bad := func(r rune) bool { return r == '"' || r == '\\' || !unicode.IsPrint(r) }
	switch {
	case name == "":
		return errors.New("the path is empty")
	case name == "." || !fs.ValidPath(name):
		return fmt.Errorf("the path %s: %s", quote(name), pathWant)
	case strings.ContainsFunc(name, bad):
		return fmt.Errorf("the path %s: want no quotes, backslashes or control characters", quote(name))
	}
	return nil
}

// readCallPath reads the path of a call such as file("rtt.txt"), from what is
// inside the parentheses; complete says that both of these are there. On failure
// it completes wrong, the error for the whole text, and returns it.
func readCallPath(wrong *ParseError, call, inside string, complete bool) (string, *ParseError) {
	name, opened := strings.CutPrefix(inside, `"`)
	name, closed := strings.CutSuffix(name, `"`)
	if !complete || !opened || !closed {
		wrong.Want = "want the path in double quotes, as in " + writePath(call, "trace.txt")
	} else if err := checkPath(name); err != nil {
		wrong.Want = err.Error()
	} else {
		return name, nil
	}
	// Without its quotes, with others, with spaces around it, or as "./trace.txt".
	meant := path.Clean(strings.Trim(strings.TrimSpace(inside), `"'`))
	if complete && !strings.Contains(inside, "..") && checkPath(meant) == nil {
		wrong.Suggestion = writePath(call, meant)
	}
	return "", wrong
}

// writePath writes what readPath reads, with the name of the call before it.
func writePath(call, name string) string { return call + `("` + name + `")` }

// readLines calls read with each line of a data file, without the white space
// around it and without comments, which begin with "#". Lines of which nothing
// is left are skipped. An error names the line.
func readLines(r io.Reader, read func(line string) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	number := 1
	for ; scanner.Scan(); number++ {
		line, _, _ := strings.Cut(scanner.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := read(line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	err := scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d is too long: want at most %d bytes", number, maxLine)
	}
	return err
}

// maxLine is the longest line of a data file, in bytes.
const maxLine = 64 << 10
