package slowstore_test

import (
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/services/slowstore"
	"netlab/units"
)

const ms = time.Millisecond

// ask makes a request on a connection of its own and returns the status, the content, the version and how long it took.
func ask(t *testing.T, l *testlab.Lab, method, key, body, version string) (status int, content, held string, took time.Duration) {
	start := l.Elapsed()
	r, err := nethttp.NewRequestWithContext(l.Context(), method, "http://b/"+key, strings.NewReader(body))
	require.NoError(t, err)
	if version != "" {
		r.Header.Set(slowstore.VersionField, version)
	}
	response, err := http.NewTransport(l.A, &http.TransportOptions{NoKeepAlive: true}).RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(b), response.Header.Get(slowstore.VersionField), (l.Elapsed() - start).Round(time.Microsecond)
}

func lab(t *testing.T, c *slowstore.Config, body func(l *testlab.Lab)) *slowstore.Result {
	var i *testlab.Instance
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		i = l.Service(l.B, slowstore.Server, c)
		l.Sleep(ms)
		body(l)
	})
	return i.Result().(*slowstore.Result)
}

// Two round trips of 2 ms, for the connection and the request, and what the store takes.
func TestOperations(t *testing.T) {
	c := slowstore.NewConfig()
	c.ReadTime, c.WriteTime, c.Keys, c.Objects = units.Constant(20*ms), units.Constant(50*ms), 100, 10
	r := lab(t, c, func(l *testlab.Lab) {
		status, content, version, took := ask(t, l, "GET", "item/07", "", "")
		require.Equal(t, 200, status)
		require.Len(t, content, 10)
		require.Equal(t, "0", version)
		require.Equal(t, 24*ms, took)
		for _, missing := range []string{"item/7", "item/100", "item/-1", "x"} {
			status, _, _, _ = ask(t, l, "GET", missing, "", "")
			require.Equal(t, 404, status, missing)
		}
		status, _, _, took = ask(t, l, "PUT", "x", "new", "5")
		require.Equal(t, 204, status)
		require.Equal(t, 54*ms, took)
		ask(t, l, "PUT", "x", "late", "4") // overtaken
		_, content, version, _ = ask(t, l, "GET", "x", "", "")
		require.Equal(t, []string{"new", "5"}, []string{content, version})
		ask(t, l, "PUT", "x", "next", "")
		_, content, version, _ = ask(t, l, "GET", "x", "", "")
		require.Equal(t, []string{"next", "6"}, []string{content, version})
		ask(t, l, "DELETE", "x", "", "")
		status, _, _, _ = ask(t, l, "GET", "x", "", "")
		require.Equal(t, 404, status)
		status, _, _, _ = ask(t, l, "PUT", "x", "", "five")
		require.Equal(t, 400, status)
		status, _, _, _ = ask(t, l, "POST", "x", "", "")
		require.Equal(t, 405, status)
		status, _, _, _ = ask(t, l, "GET", "", "", "")
		require.Equal(t, 400, status)
	})
	require.EqualValues(t, 8, r.Reads)
	require.EqualValues(t, 5, r.NotFound)
	require.EqualValues(t, 4, r.Writes)
	require.EqualValues(t, 1, r.Superseded)
	require.EqualValues(t, 1, r.Deletes)
	require.Zero(t, r.Written)
}

// What was acknowledged survives a crash, unless the file says otherwise.
func TestDurable(t *testing.T) {
	for _, durable := range []bool{true, false} {
		c := slowstore.NewConfig()
		c.Durable = &durable
		r := lab(t, c, func(l *testlab.Lab) {
			ask(t, l, "PUT", "x", "new", "")
			l.Crash(l.B)
			l.Restart(l.B)
			l.Sleep(ms)
			_, content, _, _ := ask(t, l, "GET", "x", "", "")
			require.Equal(t, durable, content == "new")
		})
		require.Equal(t, map[bool]int{true: 1, false: 0}[durable], r.Written)
	}
}

// With one core and no queue the second of two is refused.
func TestCapacity(t *testing.T) {
	c := slowstore.NewConfig()
	none := 0
	c.Cores, c.ServiceTime, c.Queue = 1, units.Constant(10*ms), &none
	r := lab(t, c, func(l *testlab.Lab) {
		first := make(chan int, 1)
		l.A.Go(func() {
			status, _, _, _ := ask(t, l, "GET", "x", "", "")
			first <- status
		})
		l.Sleep(ms)
		status, _, _, _ := ask(t, l, "GET", "x", "", "")
		require.Equal(t, 503, status)
		require.Equal(t, 200, <-first)
	})
	require.EqualValues(t, 1, r.Rejected)
	require.Equal(t, 2, r.MaxInFlight)
	require.EqualValues(t, 1, r.Capacity.Served)
}

func TestConfig(t *testing.T) {
	c := slowstore.NewConfig()
	c.Listen, c.Objects, c.Keys = "", -1, -1
	require.EqualError(t, c.Validate(), "listen: missing: want a colon and a port, such as \":80\"\n"+
		"objects: found -1B, wanted 0B to 64MiB\nkeys: found -1, wanted 1 to 10000000")
}
