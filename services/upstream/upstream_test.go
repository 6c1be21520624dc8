package upstream

import (
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/services/backend"
	"netlab/units"
)

// A body is kept up to the limit, and can be sent again as long as all of it is there or none was read.
func TestBody(t *testing.T) {
	request := func(text string, length int64, major int, header ...string) *nethttp.Request {
		r, err := nethttp.NewRequest("PUT", "http://a/", io.NopCloser(strings.NewReader(text)))
		require.NoError(t, err)
		r.ContentLength, r.ProtoMajor = length, major
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return r
	}
	const limit = 5
	for name, q := range map[string]struct {
		request *nethttp.Request
		whole   bool
		kept    string
		size    int64 // that is sent
	}{
		"known":             {request("hello", 5, 1), true, "hello", 5},
		"chunked":           {request("hello", -1, 1), true, "hello", 5},
		"known, HTTP/2":     {request("hello", 5, 2), true, "hello", 5},
		"chunked, too long": {request("hello!", -1, 1), false, "hello!", -1},
		"known, too long":   {request("hello!", 6, 1), false, "", 6},
		"unknown, HTTP/2":   {request("hello", -1, 2), false, "", -1},
		"expected":          {request("hello", 5, 1, "Expect", "100-Continue"), false, "", 5},
		"empty":             {request("", -1, 1), true, "", 0},
	} {
		b, err := takeBody(q.request, limit)
		require.NoError(t, err, name)
		require.Equal(t, q.whole, b.whole(), name)
		require.True(t, b.again(), name)
		require.Equal(t, q.kept, string(b.kept), name)
		count := NewCounters()
		for range 2 {
			if !b.again() {
				break
			}
			out := new(nethttp.Request)
			b.attach(out, count)
			require.Equal(t, q.size, out.ContentLength, name)
			text, err := io.ReadAll(out.Body)
			require.NoError(t, err)
			if q.size != 0 {
				require.True(t, strings.HasPrefix(string(text), "hello"), name)
			}
			require.Equal(t, q.whole, b.again(), name)
		}
	}
	b, err := takeBody(request("", 0, 1), limit)
	require.NoError(t, err)
	require.True(t, b.whole())
	r := request("", -1, 1)
	r.Body = nethttp.NoBody
	b, err = takeBody(r, limit)
	require.NoError(t, err)
	require.Nil(t, b)
	require.True(t, b.again())
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err = takeBody(r, limit)
	require.ErrorIs(t, err, ErrRequestBody)
}

// What is wrong behind the balancer is told with the status that RFC 9110 has for it.
func TestExplain(t *testing.T) {
	for _, q := range []struct {
		err  error
		want int
	}{
		{fmt.Errorf("x: %w", &nethttp.MaxBytesError{Limit: 1}), 413},
		{fmt.Errorf("%w: %w", ErrRequestBody, io.ErrUnexpectedEOF), 400},
		{backend.ErrNone, 503}, {backend.ErrFull, 503}, {backend.ErrQueueTimeout, 503}, {ErrDrained, 503},
		{ErrTimeout, 504}, {ErrFirstByte, 504}, {os.ErrDeadlineExceeded, 504},
		{syscall.ECONNREFUSED, 502}, {syscall.EHOSTUNREACH, 502}, {syscall.ECONNRESET, 502}, {io.ErrUnexpectedEOF, 502}, {errors.New("?"), 502},
	} {
		status, text := Explain(q.err)
		require.Equal(t, q.want, status, q.err)
		require.NotEmpty(t, text)
	}
}

// Names and values of the fields that proxies add.
func TestFields(t *testing.T) {
	require.Equal(t, "1.1 lb", via(nil, 1, 1, "lb"))
	require.Equal(t, "1.0 a, 1.1 b, 2 lb", via([]string{"1.0 a", "1.1 b"}, 2, 0, "lb"))
	require.Equal(t, "192.0.2.1", node(netip.MustParseAddr("192.0.2.1")))
	require.Equal(t, `"[2001:db8::1]"`, node(netip.MustParseAddr("2001:db8::1")), "RFC 7239, section 6")
	require.Equal(t, "lb", quoted("lb"))
	require.Equal(t, `"lb:8080"`, quoted("lb:8080"))
}

// The quantile is that of the nearest rank, once enough is known.
func TestHedgeAfter(t *testing.T) {
	f := &Forwarder{config: Config{Hedge: &Hedge{Quantile: 0.95}}}
	for i := range enough - 1 {
		f.answered(time.Duration(i+1) * time.Second)
	}
	_, ok := f.hedgeAfter()
	require.False(t, ok)
	f.answered(enough * time.Second)
	after, ok := f.hedgeAfter()
	require.True(t, ok)
	require.Equal(t, 19*time.Second+time.Microsecond, after)
	for range 256 {
		f.answered(time.Millisecond)
	}
	after, _ = f.hedgeAfter()
	require.Equal(t, time.Millisecond+time.Microsecond, after, "only the last ones count")
	f.config.Hedge = &Hedge{Delay: units.Duration(time.Second)}
	after, ok = f.hedgeAfter()
	require.True(t, ok)
	require.Equal(t, time.Second, after)
}
