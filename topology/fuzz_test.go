package topology

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"
)

// An error at a byte of an expectation must point at the character in the file, past any escapes.
func FuzzLiteralOffset(f *testing.F) {
	for _, s := range []string{`"abc"`, `"\u00e4\n\"x"`, `"\ud834\udd1e!"`, `"\ud834x"`, `"\udd1e\ud834\u0041"`, `"äö€𝄞"`, `""`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, literal string) {
		var whole string
		if !strings.HasPrefix(literal, `"`) || strings.ContainsRune(literal, '\ufffd') || json.Unmarshal([]byte(literal), &whole) != nil {
			t.Skip()
		}
		for offset := range whole {
			at := literalOffset([]byte(literal), offset)
			var head string
			require.NoError(t, json.Unmarshal([]byte(literal[:at]+`"`), &head))
			require.Equal(t, whole[:offset], head)
		}
	})
}

// manyNodes finds ranges that would make fuzzing slow.
var manyNodes = regexp.MustCompile(`\.\.[0-9]{4}`)

// requireSound checks what holds for every file: Load doesn't panic, its errors have positions, and what it accepts is
// accepted by the schema and resolves to a file that resolves to itself.
func requireSound(t testing.TB, data []byte, validate func([]byte) error) {
	file, err := Load("lab.jsonc", data, catalog, testOptions)
	if err != nil {
		var list Errors
		require.ErrorAs(t, err, &list)
		for _, e := range list {
			require.Positive(t, e.Line)
			require.Positive(t, e.Column)
			require.NotEmpty(t, e.Message)
		}
		return
	}
	for _, v := range file.Variants {
		if v.Resolved.Nodes.Len() < 200 && len(v.Resolved.Links) < 1000 {
			requireFixpoint(t, v.Resolved)
		}
	}
	if file.Variants[0].Name == "" && !strings.HasPrefix(string(data), "\ufeff") {
		require.NoError(t, validate(append(data[:len(data):len(data)], '\n')), "%s", data)
	}
}

func FuzzLoad(f *testing.F) {
	for _, data := range goodFiles(f) {
		f.Add(data)
	}
	for _, data := range brokenFiles(f) {
		f.Add(data)
	}
	validate := validator(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 || manyNodes.Match(data) {
			t.Skip()
		}
		requireSound(t, data, validate)
	})
}

// FuzzMutations exchanges values and names of good files for those of other places, so that more of the files load than
// when bytes are changed.
func FuzzMutations(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	good := goodFiles(f)
	names := sortedKeys(good)
	var values []hujson.ValueTrimmed
	for _, name := range names {
		for v := range parseHuJSON(f, good[name]).All() {
			values = append(values, v.Value)
		}
	}
	values = append(values, hujson.Literal("null"), hujson.Literal("0"), hujson.Literal(`""`), hujson.Literal(`"0s"`), hujson.Literal(`"*"`))
	validate := validator(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		tree := parseHuJSON(t, good[names[r.IntN(len(names))]])
		places := slices.Collect(tree.All())
		for range 1 + r.IntN(3) {
			at, value := places[r.IntN(len(places))], values[r.IntN(len(values))]
			if at.Value.Kind() == value.Kind() || r.IntN(10) == 0 && at.Value.Kind() != stringKind {
				at.Value = value
			}
		}
		requireSound(t, tree.Pack(), validate)
	})
}

func parseHuJSON(t testing.TB, data []byte) *hujson.Value {
	v, err := hujson.Parse(slices.Clone(data))
	require.NoError(t, err)
	return &v
}
