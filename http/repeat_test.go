package http_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/tls"
)

// frames hashes all frames with their times.
type frames struct {
	hash.Hash
	count int
}

// Frame implements netem.Tap.
func (f *frames) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, comment string) {
	f.count++
	var head [13]byte
	binary.BigEndian.PutUint64(head[:], uint64(at))
	binary.BigEndian.PutUint32(head[8:], uint32(port))
	head[12] = byte(dir)
	f.Write(head[:])
	f.Write(data)
	f.Write([]byte(comment))
}

// The same seed gives the same frames, those of TLS included, and another seed gives others.
func TestRunsAreIdentical(t *testing.T) {
	for _, version := range []tls.Version{tls.Version12, tls.Version13} {
		for _, v := range []http.Version{http.HTTP1, http.HTTP2} {
			run := func(seed uint64) string {
				f := &frames{Hash: sha256.New()}
				wire := testlab.Wire(5*ms, 50e6)
				wire.Loss = testlab.Loss(0.01)
				testlab.Run(t, testlab.Config{Forward: wire, Tap: f, Seed: seed}, func(t *testing.T, l *testlab.Lab) {
					s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
						fmt.Fprint(w, strings.Repeat(r.URL.Path, 10_000))
					}, http.ServerOptions{}, func(s *secureLab) { s.server.MaxVersion = version })
					transport := s.transport(t, http.TransportOptions{Version: v, MaxConnsPerServer: 4})
					client := &nethttp.Client{Transport: transport}
					get(t, client, "https://b/first")
					if raceEnabled && v == http.HTTP2 {
						get(t, client, "https://b/second") // nothing orders the windows that a client's streams open
					} else {
						getAll(t, l, client, 12)
					}
					transport.CloseIdleConnections()
					get(t, client, "https://b/resumed")
					transport.CloseIdleConnections()
					l.Sleep(time.Second)
					require.NoError(t, s.stop())
				})
				require.Greater(t, f.count, 200)
				return fmt.Sprintf("%x", f.Sum(nil))
			}
			first := run(1)
			for range 3 {
				require.Equal(t, first, run(1), "%x %s", version, v)
			}
			require.NotEqual(t, first, run(2))
		}
	}
}

// Requests that arrive together are begun in the order of their streams, and answered so, whatever Go's scheduler does.
func TestHandlersTakeTurns(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		var mu sync.Mutex
		var streams []uint64
		s := serveTLS(t, l, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			mu.Lock()
			defer mu.Unlock()
			streams = append(streams, http.StreamOf(w))
		}, http.ServerOptions{}, nil)
		transport := s.transport(t, http.TransportOptions{Version: http.HTTP2})
		for range 3 {
			getAll(t, l, &nethttp.Client{Transport: transport}, 30)
		}
		var want []uint64
		for i := range uint64(3 * 30) {
			want = append(want, 2*i+1) // those that a client opens are odd (RFC 9113, section 5.1.1)
		}
		require.Equal(t, want, streams)
		transport.CloseIdleConnections()
		require.NoError(t, s.stop())
	})
}
