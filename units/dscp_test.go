package units

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseDSCP(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      DSCP
		canonical string
	}{
		{"cs0", 0, "cs0"},
		{"0", 0, "cs0"},
		{"le", 1, "le"},
		{"ef", 46, "ef"},
		{"46", 46, "ef"},
		{"va", 44, "va"},
		{"af11", 10, "af11"},
		{"af43", 38, "af43"},
		{"cs7", 56, "cs7"},
		{"5", 5, "5"},
		{"05", 5, "5"},
		{"63", 63, "63"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseDSCP, test.text, test.want, test.canonical)
			require.Equal(t, uint8(test.want), test.want.Bits())
		})
	}
}

// TestDSCPNames: class n has the upper three bits n (RFC 2474, section 4.2.2),
// assured forwarding the class above the drop precedence above a 0 (RFC 2597,
// section 6).
func TestDSCPNames(t *testing.T) {
	named := 3 // ef, va, le
	check := func(name string, want int) {
		got, err := ParseDSCP(name)
		require.NoError(t, err)
		require.Equal(t, DSCP(want), got, name)
		named++
	}
	for class := range 8 {
		check(fmt.Sprintf("cs%d", class), class<<3)
	}
	for class := 1; class <= 4; class++ {
		for drop := 1; drop <= 3; drop++ {
			check(fmt.Sprintf("af%d%d", class, drop), class<<3|drop<<1)
		}
	}
	require.Len(t, dscpNames, named)
	for v := range DSCP(64) {
		roundTrips(t, ParseDSCP, v)
	}
	_, err := DSCP(64).MarshalText()
	require.EqualError(t, err, "units: cannot write the DSCP 64: want 0 to 63")
}

func TestParseDSCPRefuses(t *testing.T) {
	const want = ` is not a DSCP: want a name such as "ef", "af41" or "cs1", or a number from 0 to 63`
	for text, message := range map[string]string{
		"":            `""` + want,
		"64":          `"64"` + want,
		"999":         `"999"` + want,
		"-1":          `"-1"` + want,
		"+1":          `"+1"` + want,
		"0x2e":        `"0x2e"` + want,
		"EF":          `"EF" is not a DSCP; did you mean ef?`,
		"AF11":        `"AF11" is not a DSCP; did you mean af11?`,
		"af1":         `"af1" is not a DSCP; did you mean af11?`,
		"af44":        `"af44" is not a DSCP; did you mean af41?`,
		"be":          `"be" is not a DSCP; did you mean cs0?`,
		"best-effort": `"best-effort" is not a DSCP; did you mean cs0?`,
		"gold":        `"gold"` + want,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseDSCP, text, message) })
	}
}

func FuzzParseDSCP(f *testing.F) {
	fuzzes(f, ParseDSCP, "ef", "af41", "cs1", "46", "64", "EF", "af44", "le", "5")
}
