package story

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Numbers are exact, and words agree with them.
func TestWords(t *testing.T) {
	require.Equal(t, "0.000 s", at(0))
	require.Equal(t, "0.412 s", at(412*time.Millisecond))
	require.Equal(t, "8.219976 s", at(8219976027))
	require.Equal(t, "0 s", lasting(0))
	require.Equal(t, "3.2 s", lasting(3200*time.Millisecond))
	require.Equal(t, "20.006 ms", lasting(20006*time.Microsecond))
	require.Equal(t, "5.92 µs", lasting(5920))
	require.Equal(t, "17 ns", lasting(17))

	require.Equal(t, "999", thousands(999))
	require.Equal(t, "1,000", thousands(1000))
	require.Equal(t, "5,000,012", thousands(uint64(5000012)))
	require.Equal(t, "one byte", count(1, "byte"))
	require.Equal(t, "no addresses", count(0, "address"))
	require.Equal(t, "twelve replies", count(12, "reply"))
	require.Equal(t, "13 packets", count(13, "packet"))
	require.Equal(t, "1 byte", volume(1))
	require.Equal(t, "12,345,678 bytes (12.3 MB)", volume(12345678))
	require.Equal(t, "once, twice, three times", times(1)+", "+times(2)+", "+times(3))
	require.Equal(t, []string{"first", "tenth", "11th", "12th", "21st", "22nd", "103rd", "111th"},
		[]string{ordinal(1), ordinal(10), ordinal(11), ordinal(12), ordinal(21), ordinal(22), ordinal(103), ordinal(111)})
	require.Equal(t, "1.47 Mbit/s", rate(1.4686e6))
	require.Equal(t, "960 bit/s", rate(960))

	require.Equal(t, "a", list([]string{"a"}))
	require.Equal(t, "a, b and c", list([]string{"a", "b", "c"}))
	require.Equal(t, "a, b and 3 more", few([]string{"a", "b", "c", "d", "e"}, 3))
	require.Equal(t, []string{"a", "web1 to web4", "db7", "db9"}, ranges([]string{"a", "web1", "web2", "web3", "web4", "db7", "db9"}))
	require.Equal(t, "/safe/# of #.lab", withoutDigits("/safe/10 of 2.lab"))
}

// Waits double if each is twice the one before; the first may be shorter or longer by what the timer had run already.
func TestDoubles(t *testing.T) {
	ms := func(list ...int) (gaps []time.Duration) {
		for _, n := range list {
			gaps = append(gaps, time.Duration(n)*time.Millisecond)
		}
		return gaps
	}
	require.True(t, doubles(ms(243, 400, 800, 1600)))
	require.True(t, doubles(ms(1000, 2000)))
	require.False(t, doubles(ms(200)))
	require.False(t, doubles(ms(200, 200)))
	require.False(t, doubles(ms(200, 400, 400)))
	require.False(t, doubles(nil))
}

// Lines are broken between words, counted in characters.
func TestWrap(t *testing.T) {
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	wrap(out, "  ", "    ", "µµµ bbb ccc  ddd averyverylongword", 10)
	require.NoError(t, out.Flush())
	require.Equal(t, "  µµµ bbb\n    ccc\n    ddd\n    averyverylongword\n", b.String())
}
