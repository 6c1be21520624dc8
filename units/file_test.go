package units

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPathsAreRefused: the rules are the same for all values with a file.
func TestPathsAreRefused(t *testing.T) {
	const wrong = ` is not a distribution`
	const relative = `: want a relative path with "/" between folders and without ".."`
	for text, message := range map[string]string{
		`file`:                   `"file"` + wrong + `: want the path in double quotes, as in file("trace.txt")`,
		`file("rtt.txt"`:         `"file(\"rtt.txt\""` + wrong + `: want the path in double quotes, as in file("trace.txt")`,
		`file(rtt.txt)`:          `"file(rtt.txt)"` + wrong + `; did you mean file("rtt.txt")?`,
		`file('rtt.txt')`:        `"file('rtt.txt')"` + wrong + `; did you mean file("rtt.txt")?`,
		`file( "rtt.txt" )`:      `"file( \"rtt.txt\" )"` + wrong + `; did you mean file("rtt.txt")?`,
		`file("./rtt.txt")`:      `"file(\"./rtt.txt\")"` + wrong + `; did you mean file("rtt.txt")?`,
		`file("a//rtt.txt")`:     `"file(\"a//rtt.txt\")"` + wrong + `; did you mean file("a/rtt.txt")?`,
		` file("my rtt.txt")`:    `" file(\"my rtt.txt\")"` + wrong + `; did you mean file("my rtt.txt")?`,
		`file("../rtt.txt")`:     `"file(\"../rtt.txt\")"` + wrong + `: the path "../rtt.txt"` + relative,
		`file("a/../rtt.txt")`:   `"file(\"a/../rtt.txt\")"` + wrong + `: the path "a/../rtt.txt"` + relative,
		`file("/etc/rtt.txt")`:   `"file(\"/etc/rtt.txt\")"` + wrong + `: the path "/etc/rtt.txt"` + relative,
		`file(".")`:              `"file(\".\")"` + wrong + `: the path "."` + relative,
		`file("a\rtt.txt")`:      `"file(\"a\\rtt.txt\")"` + wrong + `: the path "a\\rtt.txt": want no quotes, backslashes or control characters`,
		"file(\"a\nb\")":         `"file(\"a\nb\")"` + wrong + `: the path "a\nb": want no quotes, backslashes or control characters`,
		"file(\"\xff\")":         `"file(\"\xff\")"` + wrong + `: the path "\xff"` + relative,
		`file("a", "b")`:         `"file(\"a\", \"b\")"` + wrong + `: the path "a\", \"b": want no quotes, backslashes or control characters`,
		`file("")`:               `"file(\"\")"` + wrong + `: the path is empty`,
		`file()`:                 `"file()"` + wrong + `: want the path in double quotes, as in file("trace.txt")`,
		`file("` + "\x00" + `")`: `"file(\"\x00\")"` + wrong + `: the path "\x00": want no quotes, backslashes or control characters`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseDistribution, text, message) })
	}
	_, err := ParseLoss(`file("../loss.txt")`)
	require.EqualError(t, err, `"file(\"../loss.txt\")" is not a loss: the path "../loss.txt"`+relative)
	_, err = ParseLinkRate(`mahimahi("../lte.trace")`)
	require.EqualError(t, err, `"mahimahi(\"../lte.trace\")" is not a link rate: the path "../lte.trace"`+relative)
	require.Panics(t, func() { Empirical("../rtt.txt", nil) })
	require.Panics(t, func() { LossFromFile("", nil) })
	require.Panics(t, func() { TraceRate("a\\b", nil) })
}

func TestReadLines(t *testing.T) {
	var lines []string
	err := readLines(strings.NewReader("a\r\n\n # comment\n\tb b # more\nlast"), func(line string) error {
		lines = append(lines, line)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b b", "last"}, lines)
	err = readLines(strings.NewReader("a\n"+strings.Repeat("x", maxLine+1)), func(string) error { return nil })
	require.EqualError(t, err, "line 2 is too long: want at most 65536 bytes")
}
