package transfer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

func TestRequests(t *testing.T) {
	for text, want := range map[string]request{
		"PUT 5000000\n":                       {bytes: 5e6},
		"PUT until 10.1s\n":                   {bytes: -1, until: 10100 * time.Millisecond},
		"GET 5000000 seed 42\n":               {get: true, bytes: 5e6, seed: 42},
		"GET 10s seed 18446744073709551615\n": {get: true, bytes: -1, duration: 10 * time.Second, seed: 1<<64 - 1},
		"PUT 1 dscp ef\n":                     {bytes: 1, dscp: 46},
		"PUT until 1s dscp 5\n":               {bytes: -1, until: time.Second, dscp: 5},
		"GET 1 seed 2 dscp af11\n":            {get: true, bytes: 1, seed: 2, dscp: 10},
	} {
		got, err := parseRequest(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for _, text := range []string{"", "\n", "PUT\n", "PUT 5", "PUT -1\n", "PUT +1\n", "PUT *\n", "PUT 10s\n", "PUT until\n", "PUT until -1s\n", "PUT until 5\n",
		"GET 5\n", "GET * seed 1\n", "GET 5 seed x\n",
		"PUT dscp ef\n", "PUT 1 dscp\n", "PUT 1 dscp xx\n", "PUT 1 dscp 64\n", "PUT 1 dscp ef dscp ef\n",
		"GET 5 salt 1\n", "PUT  5\n", "PUT 5 \n", "get 5 seed 1\n", "PUT 9223372036854775808\n"} {
		_, err := parseRequest(text)
		require.ErrorIs(t, err, errLine, text)
	}
}

func TestAnswers(t *testing.T) {
	a := answer{bytes: 12, sum: 0x1ff}
	got, err := parseAnswer(a.String())
	require.NoError(t, err)
	require.Equal(t, a, got)
	require.LessOrEqual(t, len(answer{bytes: 1<<63 - 1}.String()), maxLine)
	for _, text := range []string{"", "OK\n", "ERR bad\n", "OK 1 crc32c 00\n", "OK 1 crc32c +0000000\n", "OK -1" + a.String()[5:], "OK 12 crc32c zz" + a.String()[15:]} {
		_, err := parseAnswer(text)
		require.ErrorIs(t, err, errLine, text)
	}
}

func FuzzProtocol(f *testing.F) {
	f.Add("PUT 1\n")
	f.Add("GET 10s seed 1\n")
	f.Add("PUT until 10s\n")
	f.Add("GET 1 seed 2 dscp af11\n")
	f.Add(answer{bytes: 5}.String())
	f.Fuzz(func(t *testing.T, line string) {
		if r, err := parseRequest(line); err == nil {
			again, err := parseRequest(r.String())
			require.NoError(t, err)
			require.Equal(t, r, again)
		}
		if a, err := parseAnswer(line); err == nil {
			again, err := parseAnswer(a.String())
			require.NoError(t, err)
			require.Equal(t, a, again)
		}
	})
}

func TestJain(t *testing.T) {
	require.Nil(t, jain(nil))
	require.Nil(t, jain([]units.BitRate{0, 0}))
	require.EqualValues(t, 1, *jain([]units.BitRate{5e9, 5e9, 5e9}))
	require.EqualValues(t, 0.25, *jain([]units.BitRate{1e12, 0, 0, 0}))
	require.EqualValues(t, 0.9, *jain([]units.BitRate{1, 2}))
}
