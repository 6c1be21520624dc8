package expect

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHolds(t *testing.T) {
	for _, test := range []struct {
		text string
		want bool
	}{
		{"upload.goodput > 0.8Mbit/s", true},
		{"upload.goodput>0.8Mbit/s", true},
		{"upload.goodput > 1.5234160Mbit/s", false},
		{"upload.goodput == 1523416bit/s", true},
		{"upload.goodput >= 190427B/s", true},
		{"nodes.web-1.tcp.retransmits > 0", true},
		{"browse.success_rate >= 99.9%", true},
		{"browse.success_rate > 99.9%", false},
		{"browse.success_rate == 0.999", true},
		{"browse.success_rate == browse.count / 1000", true},
		{"upload.intact", true},
		{"not upload.intact", false},
		{"! upload.intact or upload.intact", true},
		{"!upload.intact||upload.intact&&true", true},
		{"upload.intact and not probe.intact", true},
		{"upload.intact == true", true},
		{"upload.intact != probe.intact", true},
		{"max(nodes.web3.tcp.retransmits, nodes.web1.tcp.retransmits) < 20", true},
		{"max (nodes.web3.tcp.retransmits, 5) == 5", true},
		{"min(nodes.web3.tcp.retransmits, 5) == 4", true},
		{"links.r1--server.forward.dropped.loss == 0", true},
		{"links.r1--server.forward.dropped.queue-full == 3", true},
		{"links.r1--server.forward.dropped.queue-full-1 == 2", true},
		{"links.r1--server.forward.dropped.queue-full-links.r1--server.forward.dropped.down == 2", true},
		{"upload.rtt.max - upload.rtt.min <= 1ms", true},
		{"upload.rtt.max-upload.rtt.min <= 1ms", true},
		{"upload.rtt.max - upload.rtt.min < 1ms", false},
		{"upload.rtt.max-1ms == upload.rtt.min", true},
		{"upload.rtt.max-abs(-1ms) == upload.rtt.min", true},
		{"browse.latency.p99 < 150ms", true},
		{"browse.latency.p99 < 0.15s", true},
		{"browse.latency.p99 < 1m30s", true},
		{"upload.rtt.min < 1m1.5s-1m1.4s", true},
		{"upload.bytes == 5MB", true},
		{"upload.bytes / 5 == 1MB", true},
		{"upload.bytes / 1MB == 5", true},
		{"2 * upload.bytes > 9.9MB and upload.bytes * 2 < 10.1MB", true},
		{"50% * upload.bytes == 2.5MB", true},
		{"upload.rtt.min * 1.1 == 23.32ms", true}, // 23320000.000000004 as a floating-point number
		{"mean(upload.rtt.min, upload.rtt.max) == 21.7ms", true},
		{"sum(upload.rtt.min, upload.rtt.max, 0.6ms) == 44ms", true},
		{"browse.concurrency + 0.2 == 0.3", true},
		{"browse.concurrency * 3 == 0.3", true},
		{"browse.rate >= 10/min", true},
		{"browse.rate == 10/min", true},
		{"browse.rate > 0/s", true},
		{"browse.rate < 50/s - 49/s", true},
		{"browse.count/999 == 1", true},
		{"browse.count * 1e30 > 1e32", true},
		{"-browse.count < 0 and - -browse.count > 0", true},
		{"upload.error == ''", true},
		{`probe.error == "refused" and probe.error != "refuse"`, true},
		{"upload.intact or probe.intact and false", true},
		{"(upload.intact or probe.intact) and false", false},
		{"browse.count > 1 + 2 * 3 and browse.count - 990 - 9 == 0 and browse.count / 9 / 111 == 1", true},
		{"not browse.count < 5", true},
		{"probe.intact or\n\tupload.intact", true},
	} {
		o := compile(t, test.text).Evaluate(results())
		require.False(t, o.Inconclusive, "%s: %s", test.text, o.Reason)
		require.Equal(t, test.want, o.Holds, test.text)
		require.Equal(t, test.text, o.Text)
	}
}

func TestInconclusive(t *testing.T) {
	for _, test := range []struct{ text, reason string }{
		{"probe.rtt.avg < 1s", "probe.rtt.avg has no value"},
		{"browse.mean_size > 1", "browse.mean_size has no value"},
		{"max(upload.rtt.avg, probe.rtt.avg) < 1s", "probe.rtt.avg has no value"},
		{"upload.intact and probe.rtt.avg < 1s", "probe.rtt.avg has no value"},
		{"browse.count / links.r1--server.forward.dropped.loss < 1", "division by zero"},
		{"browse.count / (1 - 1) < 1", "division by zero"},
	} {
		o := compile(t, test.text).Evaluate(results())
		require.True(t, o.Inconclusive, test.text)
		require.False(t, o.Holds, test.text)
		require.Equal(t, test.reason, o.Reason)
	}

	// What isn't looked at needs no value.
	o := compile(t, "not probe.intact or probe.rtt.avg < 1s").Evaluate(results())
	require.True(t, o.Holds)
	require.False(t, o.Inconclusive)

	// A figure may be missing from the results altogether.
	o = compile(t, "upload.intact").Evaluate(&Figures{})
	require.Equal(t, "upload.intact has no value", o.Reason)
	other := &Figures{}
	other.Add("upload.intact", 3)
	o = compile(t, "upload.intact").Evaluate(other)
	require.Equal(t, "upload.intact has no value", o.Reason)
}

func TestValuesArePrinted(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"upload.goodput > 0.8Mbit/s", []string{"upload.goodput = 1.523Mbit/s"}},
		{"upload.rtt.avg < 1s and upload.rtt.avg > 1ms", []string{"upload.rtt.avg = 203.2ms"}},
		{"upload.rtt.avg < 203.2ms", []string{"upload.rtt.avg = 203.218743ms"}},
		{"browse.latency.p99 < 150ms", []string{"browse.latency.p99 = 149.999999ms"}},
		{"upload.bytes > 1B and upload.intact and upload.error == 'x'", []string{"upload.bytes = 5MB", "upload.intact = yes", `upload.error = ""`}},
		{"browse.success_rate > 1 and browse.rate < 1/s", []string{"browse.success_rate = 99.9%", "browse.rate = 0.1667/s"}},
		{"probe.rtt.avg < 1s", []string{"probe.rtt.avg = no value"}},
		{"browse.count / browse.concurrency > 1", []string{"browse.count = 999", "browse.concurrency = 0.1"}},
	} {
		var got []string
		for _, v := range compile(t, test.text).Evaluate(results()).Values {
			got = append(got, v.String())
		}
		require.Equal(t, test.want, got, test.text)
	}
}

func TestPrintNumbers(t *testing.T) {
	for _, test := range []struct {
		dimension Dimension
		value     any
		want, all string
	}{
		{Duration, int64(90_123_456_789), "1m30.12s", "1m30.123456789s"},
		{Duration, int64(-5_000_000), "-5ms", "-5ms"},
		{Duration, int64(math.MaxInt64), "2562047h47m16.854775807s", "2562047h47m16.854775807s"},
		{Size, int64(65536), "64KiB", "64KiB"},
		{Size, int64(123_456_789), "123.5MB", "123456789B"},
		{BitRate, int64(10_000_000), "10Mbit/s", "10Mbit/s"},
		{BitRate, int64(999_999), "1Mbit/s", "999999bit/s"},
		{BitRate, int64(0), "0bit/s", "0bit/s"},
		{Share, 0.99999, "100%", "99.999%"},
		{Rate, 50.0, "50/s", "50/s"},
		{Count, uint64(math.MaxUint64), "18446744073709551615", "18446744073709551615"},
		{Number, 1e-9, "1e-09", "1e-09"},
		{Number, math.Inf(1), "no value", "no value"},
	} {
		got := printed(test.dimension, test.value, false)
		if test.want != test.all && test.dimension == Duration || test.dimension != Duration {
			require.Equal(t, test.want, got)
		}
		require.Equal(t, test.all, printed(test.dimension, test.value, true))
	}
}

// A slash before a name that is a unit too divides; names may begin with digits or look like words.
func TestNamesThatLookLikeOtherThings(t *testing.T) {
	f := &Figures{}
	for _, name := range []string{"s.count", "min.count", "1m.count", "and-x.count", "max-1.count", "a-b.count", "a.count", "b.count", "a-b"} {
		f.Add(name, 2)
	}
	for _, text := range []string{"50/s.count == 25", "50/min.count == 25", "1m.count == 2", "and-x.count == 2", "max-1.count == 2",
		"a-b.count == 2", "a.count-b.count == 0", "a-b == 2", "4/s.count/s.count == 1"} {
		e, err := Compile(text, f)
		require.NoError(t, err, text)
		require.True(t, e.Evaluate(f).Holds, text)
	}
}

// As many terms as fit.
func TestLongExpressions(t *testing.T) {
	text := "browse.count" + strings.Repeat("+1", 2000) + ">0"
	require.True(t, compile(t, text).Evaluate(results()).Holds)
	text = "upload.intact" + strings.Repeat(" or true", 500)
	require.True(t, compile(t, text).Evaluate(results()).Holds)
}

func FuzzCompile(f *testing.F) {
	for _, text := range []string{"upload.goodput > 0.8Mbit/s", "browse.success_rate >= 99.9% and not probe.intact",
		"max(upload.rtt.max-upload.rtt.min, 1m1.5s) / 3 <= 1e3*1ms", "probe.error == 'refused' || browse.rate < 3/min",
		"browse.count / (1 - 1) < -5%", "links.r1--server.forward.dropped.queue-full-1 != 0", "browse.count == 1e308*1e308*9"} {
		f.Add(text)
	}
	values := results()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Compile(text, values)
		if err != nil {
			var place *Error
			require.ErrorAs(t, err, &place)
			require.True(t, 0 <= place.Offset && place.Offset <= len(text))
			require.NotEmpty(t, place.Message)
			require.NotContains(t, place.Message, "can't be evaluated")
			return
		}
		o := e.Evaluate(values)
		require.Equal(t, o.Inconclusive, o.Reason != "")
		require.Len(t, o.Values, len(e.Figures()))
		if o.Inconclusive {
			require.Regexp(t, `has no value$|^division by zero$`, o.Reason)
		}
		require.Equal(t, o, e.Evaluate(values))
	})
}

func BenchmarkCompileAndEvaluate(b *testing.B) {
	values := results()
	for b.Loop() {
		e, err := Compile("max(nodes.web3.tcp.retransmits, nodes.web1.tcp.retransmits) < 20 and upload.goodput > 0.8Mbit/s", values)
		if err != nil || !e.Evaluate(values).Holds {
			b.Fatal(err)
		}
	}
}
