package units

import (
	"encoding"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"
)

// value is what all types of this package have in common.
type value interface {
	comparable
	encoding.TextMarshaler
	String() string
	JSONSchema() *jsonschema.Schema
}

// reads checks that text means want, and that what want prints means want too.
func reads[T value](t *testing.T, parse func(string) (T, error), text string, want T, canonical string) {
	t.Helper()
	got, err := parse(text)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, canonical, got.String())
	roundTrips(t, parse, got)
	require.Regexp(t, stringPattern(got.JSONSchema()), text)
}

// roundTrips checks that a value reads back as itself, by String, MarshalText
// and the schema.
func roundTrips[T value](t *testing.T, parse func(string) (T, error), v T) {
	t.Helper()
	again, err := parse(v.String())
	require.NoError(t, err)
	require.Equal(t, v, again, v.String())
	text, err := v.MarshalText()
	require.NoError(t, err)
	require.Equal(t, v.String(), string(text))
	require.Regexp(t, stringPattern(v.JSONSchema()), string(text))
	var read T
	require.NoError(t, any(&read).(encoding.TextUnmarshaler).UnmarshalText(text))
	require.Equal(t, v, read)
}

func stringPattern(s *jsonschema.Schema) *regexp.Regexp {
	if s.Pattern == "" {
		s = s.OneOf[0]
	}
	return regexp.MustCompile(s.Pattern)
}

// refuses checks the whole message, and that a failed UnmarshalText leaves the
// value alone.
func refuses[T value](t *testing.T, parse func(string) (T, error), text, message string) {
	t.Helper()
	got, err := parse(text)
	require.EqualError(t, err, message)
	require.Zero(t, got)
	var parseError *ParseError
	require.ErrorAs(t, err, &parseError)
	require.Equal(t, text, parseError.Found)
	require.EqualError(t, any(&got).(encoding.TextUnmarshaler).UnmarshalText([]byte(text)), message)
	require.Zero(t, got)
}

// fuzzes looks for a text that makes parse panic, gives a value that does not
// read back, is accepted without matching the schema, or has an error whose
// suggestion is not a value.
func fuzzes[T value](f *testing.F, parse func(string) (T, error), seeds ...string) {
	for _, s := range append(seeds, "", " ", "0", "-1", "1.", ".5", "1e3", "NaN", "Inf", "1 2", "١s", "\xff") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := parse(text)
		if err != nil {
			require.Zero(t, v)
			require.IsType(t, new(ParseError), err)
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 10*quoteLimit+2*maxText)
			// A suggestion without a digit is a name.
			if suggestion := err.(*ParseError).Suggestion; strings.ContainsAny(suggestion, "0123456789") {
				_, err := parse(suggestion)
				require.NoError(t, err)
			}
			return
		}
		roundTrips(t, parse, v)
		require.Regexp(t, stringPattern(v.JSONSchema()), text)
	})
}

// manyInts calls check with numbers of all magnitudes, from 0 to the largest,
// and with round ones.
func manyInts(check func(v int64)) {
	r := rand.New(rand.NewPCG(1, 2))
	for bits := range 64 {
		for range 50 {
			check(int64(r.Uint64() >> 1 >> bits))
		}
		check(int64(1)<<bits - 1)
	}
	for power := int64(1); power <= 1e17; power *= 10 {
		for _, factor := range []int64{1, 2, 15, 25, 64, 90} {
			if factor*power > 0 {
				check(factor * power)
			}
		}
	}
}

// suggestionsAreValues checks that what an error proposes is accepted.
func suggestionsAreValues[T value](t *testing.T, parse func(string) (T, error), texts ...string) {
	t.Helper()
	for _, text := range texts {
		_, err := parse(text)
		var parseError *ParseError
		require.ErrorAs(t, err, &parseError, text)
		require.NotEmpty(t, parseError.Suggestion, text)
		_, err = parse(parseError.Suggestion)
		require.NoError(t, err, text)
	}
}

func TestSchemaExamplesAreValues(t *testing.T) {
	examples(t, ParseDuration)
	examples(t, ParseBytes)
	examples(t, ParseBitRate)
	examples(t, ParseProbability)
	examples(t, ParseRate)
	examples(t, ParseQueueLimit)
	examples(t, ParseDistribution)
	examples(t, ParseLoss)
	examples(t, ParseLinkRate)
	examples(t, ParseOffset)
	examples(t, ParseDrift)
	examples(t, ParseDSCP)
}

func examples[T value](t *testing.T, parse func(string) (T, error)) {
	t.Helper()
	var zero T
	schema := zero.JSONSchema()
	require.NotEmpty(t, schema.Description)
	require.NotEmpty(t, schema.Examples)
	for _, example := range schema.Examples {
		text, ok := example.(string)
		if !ok {
			continue // a number, as for a probability
		}
		_, err := parse(text)
		require.NoError(t, err)
		require.Regexp(t, stringPattern(schema), text)
	}
	for _, bad := range []string{"", "-1", "abc", "1 ", " 1s", "50 parsecs"} {
		require.NotRegexp(t, stringPattern(schema), bad)
	}
}
