package expect

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCompileErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		// Names.
		{"upload.goodptu > 1Mbit/s", 0, "there is no figure upload.goodptu; did you mean upload.goodput?"},
		{"1 < uplaod.goodput", 4, "there is no figure uplaod.goodput; did you mean upload.goodput?"},
		{"nodes.web-2.tcp.retransmits > 0", 0, "there is no figure nodes.web-2.tcp.retransmits; did you mean nodes.web-1.tcp.retransmits?"},
		{"nodes.database.tcp.retransmits > 0", 0, "there is no figure nodes.database.tcp.retransmits; nodes has web-1, web1, web3"},
		{"nodes.web1.tpc.retransmits.x > 0", 0, "there is no figure nodes.web1.tpc.retransmits.x; did you mean nodes.web1.tcp.retransmits.x?"},
		{"upload.rtt < 1ms", 0, "upload.rtt is several figures: want one of them, upload.rtt.avg, upload.rtt.min, upload.rtt.max"},
		{"upload.goodput.p99 > 1", 0, "upload.goodput is a figure and has no part p99"},
		{"success_rate > 1%", 0, "there is no figure success_rate; did you mean browse.success_rate?"},
		{"elephants > 1", 0, "there is no figure elephants; figures begin with upload, probe, browse, links, nodes"},
		{"links.r1--server.forward.dropped.queue-ful == 0", 0, "there is no figure links.r1--server.forward.dropped.queue-ful; did you mean links.r1--server.forward.dropped.queue-full?"},
		{"upload.rtt.max-upload.rtt.mni < 1ms", 0, "there is no figure upload.rtt.max-upload.rtt.mni; upload.rtt has avg, min, max"},
		{"maxx(upload.rtt.min) < 1ms", 0, "maxx is not a function; did you mean max?"},
		{"p99(upload.rtt.min) < 1ms", 0, "p99 is not a function: want one of max, min, sum, mean, abs"},
		{"max > 3", 0, "max is a function: write max(…)"},
		// Literals.
		{"upload.rtt.min < 50", 17, "upload.rtt.min is a duration; 50 is a number without a unit: write 50 with its unit, as in 50ms"},
		{"upload.goodput > 0.8", 17, "upload.goodput is a bit rate; 0.8 is a number without a unit: write 0.8 with its unit, as in 0.8Mbit/s"},
		{"0.8 < upload.goodput", 0, "upload.goodput is a bit rate; 0.8 is a number without a unit: write 0.8 with its unit, as in 0.8Mbit/s"},
		{"upload.bytes > 5 MB", 15, "a unit follows its number without a space: write 5MB"},
		{"upload.goodput > 5 Mbit/s", 17, "a unit follows its number without a space: write 5Mbit/s"},
		{"upload.goodput > 1MB", 17, "upload.goodput is a bit rate; 1MB is a size: write 1MB/s for a bit rate"},
		{"upload.rtt.min < .5s", 17, "write a number with a digit before the point, as in 0.5"},
		{"upload.bytes > 1e999B", 15, `"1e999B" is not a size: want a number and a unit, such as "64KiB"`},
		{"browse.count > 1e999", 15, "1e999 is too large, too small or too long for a number"},
		{"browse.rate > 50parsec", 14, "50parsec has a unit that doesn't exist: want one such as in 150ms, 64KiB, 10Mbit/s, 50/s or 99.9%"},
		{"browse.count > 1_000", 15, "1_000 has a unit that doesn't exist: want one such as in 150ms, 64KiB, 10Mbit/s, 50/s or 99.9%"},
		{"upload.error == 'x", 16, "this text has no end: want another '"},
		// Dimensions.
		{"upload.goodput > 50ms", 17, "upload.goodput is a bit rate; 50ms is a duration"},
		{"upload.goodput > upload.rtt.avg", 17, "upload.goodput is a bit rate; upload.rtt.avg is a duration"},
		{"upload.goodput + 5ms > 1Mbit/s", 17, "upload.goodput is a bit rate; 5ms is a duration"},
		{"upload.goodput + 5 > 1Mbit/s", 17, "upload.goodput is a bit rate; 5 is a number without a unit: write 5 with its unit, as in 5Mbit/s"},
		{"upload.rtt.avg * upload.rtt.avg > 1", 15, "upload.rtt.avg is a duration and upload.rtt.avg is a duration: one side of * has to be a plain number"},
		{"upload.bytes / upload.rtt.avg > 1", 13, "upload.bytes is a size and upload.rtt.avg is a duration: want a size or a plain number behind /"},
		{"max(upload.bytes, 5ms) > 1B", 18, "upload.bytes is a size; 5ms is a duration"},
		{"max(upload.intact) > 1", 4, "max wants numbers; upload.intact is a yes or no"},
		{"upload.intact > 1", 0, "upload.intact is a yes or no: it can be compared with == and != only"},
		{"upload.intact == 1", 17, "upload.intact is a yes or no; 1 is a number"},
		{"upload.intact + 1 > 0", 0, "+ wants numbers; upload.intact is a yes or no"},
		{"-upload.intact == true", 1, "- wants a number; upload.intact is a yes or no"},
		{"upload.error == 5", 16, "upload.error is a text; 5 is a number"},
		{"upload.error < 'x'", 0, "upload.error is a text: it can be compared with == and != only"},
		{"upload.goodput", 0, "upload.goodput is a bit rate: want a condition, as in upload.goodput > 10Mbit/s"},
		{"upload.error", 0, `upload.error is a text: want a condition, as in upload.error == "text"`},
		{"upload.intact and upload.goodput", 18, "and joins conditions; upload.goodput is a bit rate: compare it, as in upload.goodput > 10Mbit/s"},
		{"upload.bytes or upload.intact", 0, "or joins conditions; upload.bytes is a size: compare it, as in upload.bytes > 64KiB"},
		{"not upload.goodput", 4, "not wants a condition; upload.goodput is a bit rate: compare it, as in upload.goodput > 10Mbit/s"},
		{"1 < 2", 0, "1 < 2 is always the same: want a figure of the results in it"},
		{"true", 0, "true is always the same: want a figure of the results in it"},
		// Form.
		{"", 0, "the expression ends here: want a figure or a value"},
		{"upload.bytes >", 14, "the expression ends here: want a figure or a value"},
		{"(upload.intact", 14, "the expression ends here: want )"},
		{"(upload.intact or", 17, "the expression ends here: want a figure or a value"},
		{"upload.intact)", 13, "unexpected ): want an operator, or the end"},
		{"upload.intact probe.intact", 14, "unexpected probe.intact: want an operator, or the end"},
		{"upload.intact and or probe.intact", 18, "unexpected or: want a figure or a value"},
		{"max(browse.count", 16, "the expression ends here: want , or )"},
		{"max() > 1", 0, "max of what? Want max(…)"},
		{"abs(browse.count, 3) > 1", 16, "abs takes one value"},
		{"1 < browse.count < 3", 17, "comparisons can't be chained: join two with and"},
		{"browse.count = 3", 13, "= is not an operator: write == to compare"},
		{"browse.count => 3", 13, "=> is not an operator: write >="},
		{"upload.intact & probe.intact", 14, "& is not an operator: write and"},
		{"browse.count % 3 == 0", 13, "% is not an operator: a percentage is written without a space, as in 99.9%"},
		{"browse.count ≥ 3", 13, "unexpected '≥': want a figure, a value or an operator"},
		{strings.Repeat("(", 60) + "upload.intact", 50, "nested too deeply: want at most 50 levels"},
		{"upload.intact" + strings.Repeat(" ", 5000), 4096, "an expectation has at most 4096 bytes: write several"},
	} {
		_, err := Compile(test.text, results())
		var e *Error
		require.ErrorAs(t, err, &e, test.text)
		require.Equal(t, test.want, e.Message, test.text)
		require.Equal(t, test.offset, e.Offset, test.text)
	}
	_, err := Compile("a.b", &Figures{})
	require.EqualError(t, err, "there is no figure a.b; there are no figures at all")
}
