package units

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseQueueLimit(t *testing.T) {
	for _, test := range []struct {
		text      string
		want      QueueLimit
		canonical string
	}{
		{"64KiB", QueueLimit{Bytes: 65536}, "64KiB"},
		{"100 packets", QueueLimit{Packets: 100}, "100 packets"},
		{"100packets", QueueLimit{Packets: 100}, "100 packets"},
		{"1 packet", QueueLimit{Packets: 1}, "1 packet"},
		{"1 packets", QueueLimit{Packets: 1}, "1 packet"},
		{"unlimited", QueueLimit{}, "unlimited"},
	} {
		t.Run(test.text, func(t *testing.T) {
			reads(t, ParseQueueLimit, test.text, test.want, test.canonical)
			require.Equal(t, test.text == "unlimited", test.want.IsZero())
		})
	}
}

func TestParseQueueLimitRefuses(t *testing.T) {
	const want = `: want a size such as "64KiB", a number of packets such as "100 packets", or "unlimited"`
	for text, message := range map[string]string{
		"":                             `"" is not a queue limit` + want,
		"packets":                      `"packets" is not a queue limit` + want,
		"-5 packets":                   `"-5 packets" is not a queue limit` + want,
		"100":                          `"100" has no unit` + want,
		"0B":                           `"0B" is not a queue limit: want more than zero, or "unlimited"`,
		"0 packets":                    `"0 packets" is not a queue limit: want more than zero, or "unlimited"`,
		"1.5 packets":                  `"1.5 packets" is not a whole number of packets`,
		"100 pakets":                   `"100 pakets" is not a queue limit; did you mean 100 packets?`,
		"100 pkts":                     `"100 pkts" is not a queue limit; did you mean 100 packets?`,
		"100  packets":                 `"100  packets" is not a queue limit; did you mean 100 packets?`,
		" 64KiB":                       `" 64KiB" is not a queue limit; did you mean 64KiB?`,
		"64 KiB":                       `"64 KiB" is not a size; did you mean 64KiB?`,
		"64KB":                         `"64KB" is ambiguous (1000 or 1024 bytes): write "64kB" or "64KiB"`,
		"unlimted":                     `"unlimted" is not a queue limit; did you mean unlimited?`,
		"99999999999999999999 packets": `"99999999999999999999 packets" is too large`,
	} {
		t.Run(text, func(t *testing.T) { refuses(t, ParseQueueLimit, text, message) })
	}
}

func TestQueueLimitWithBothIsNotWritten(t *testing.T) {
	_, err := QueueLimit{Bytes: 1500, Packets: 3}.MarshalText()
	require.EqualError(t, err, "units: cannot write the queue limit 1500B and 3 packets: want bytes or packets, and more than zero")
	_, err = QueueLimit{Packets: -3}.MarshalText()
	require.Error(t, err)
}

func FuzzParseQueueLimit(f *testing.F) {
	fuzzes(f, ParseQueueLimit, "64KiB", "100 packets", "100packets", "1 packet", "unlimited", "0B", "000b", "5 pkts")
}
