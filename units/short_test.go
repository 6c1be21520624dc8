package units

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShort(t *testing.T) {
	for ns, want := range map[float64]string{0: "0s", 12_345_678: "12.35ms", 1e9: "1s", 35.2: "35ns", 1e300: "1e+300ns"} {
		require.Equal(t, want, ShortDuration(ns))
	}
	for n, want := range map[float64]string{0: "0B", 999: "999B", 1460: "1460B", 12_345: "12.35kB", 524_288: "512KiB", 5e6: "5MB", 9_702_345: "9.702MB",
		1e16: "10000TB", 0.0027681: "0.002768B"} {
		require.Equal(t, want, ShortBytes(n))
	}
	for n, want := range map[float64]string{0: "0bit/s", 999.96: "1kbit/s", 9_702_345: "9.702Mbit/s", 1e9: "1Gbit/s", -1: "0bit/s"} {
		require.Equal(t, want, ShortBitRate(n))
	}
	for n, want := range map[float64]string{0: "0", 1.23456: "1.235", 123456: "123500", 1e-9: "1e-09", -2.5: "-2.5"} {
		require.Equal(t, want, ShortNumber(n))
	}
}
