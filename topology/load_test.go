package topology

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestNameComesFromTheFile(t *testing.T) {
	for filename, want := range map[string]string{
		"topology.json":         "topology",
		"dir/My Lab.v2.jsonc":   "my-lab-v2",
		"checkout.jsonc":        "checkout",
		"-":                     "lab",
		"":                      "lab",
		strings.Repeat("x", 99): strings.Repeat("x", 63),
	} {
		f, err := Load(filename, []byte(`{ "nodes": { "a": {} } }`), catalog, nil)
		require.NoError(t, err)
		require.Equal(t, want, f.Name, filename)
		require.Equal(t, want, f.Variants[0].Resolved.Name)
	}
}

func TestOptionsReplaceSeedAndDuration(t *testing.T) {
	seed, duration := uint64(9), units.Duration(5e9)
	file := []byte(`{ "seed": 1, "duration": "1m", "nodes": { "a": {}, "b": {} }, "links": ["a - b"], "faults": [{ "at": "10s", "cut": "a - b" }] }`)
	_, err := Load("lab.json", file, catalog, &Options{Seed: &seed, Duration: &duration})
	require.EqualError(t, err, `lab.json:1:102: faults[0].at: found 10s, wanted less than the run's duration of 5s`)
	duration = units.Duration(11e9)
	f, err := Load("lab.json", file, catalog, &Options{Seed: &seed, Duration: &duration})
	require.NoError(t, err)
	require.Equal(t, uint64(9), f.Variants[0].Resolved.Seed)
	require.Equal(t, duration, f.Variants[0].Resolved.Duration)

	seed, duration = 0, 0
	_, err = Load("lab.json", file, catalog, &Options{Seed: &seed, Duration: &duration})
	require.EqualError(t, err, "found seed 0, wanted 1 to 18446744073709551615\nfound duration 0s, wanted more than 0s")
}

func TestByteOrderMarkAndLineEndings(t *testing.T) {
	_, err := Load("lab.json", []byte("\ufeff{\r\n\"nodes\": {\r\n\"a\": 5 } } // end"), catalog, nil)
	require.EqualError(t, err, `lab.json:3:6: nodes.a: found 5, wanted an object`)
	_, err = Load("lab.json", []byte("{ \"name\": \"\xff\" }"), catalog, nil)
	require.EqualError(t, err, `lab.json:1:12: byte 0xff is not UTF-8 text`)
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := Load("lab.json", []byte(`{ "nodes": { "a": 5 } }`), catalog, nil)
	var one *Error
	require.True(t, errors.As(err, &one))
	require.Equal(t, Error{File: "lab.json", Line: 1, Column: 19, Path: "nodes.a", Message: "found 5, wanted an object"}, *one)
}
