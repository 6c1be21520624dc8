package netlab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/topology"
	"netlab/units"
)

// Cases that stopped virtual time, or differed from run to run, in early versions: each has to end, and to end the same way.

// serve runs an HTTP server on a host until the run ends.
func serve(run *netlab.Run, host, address string, h http.HandlerFunc) error {
	l, err := run.Host(host).Listen("tcp", address)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, Protocols: unencrypted()}
	run.Host(host).Host.Go(func() { s.Serve(l) })
	context.AfterFunc(run.Context(), func() { s.Close() })
	return nil
}

func unencrypted() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func client(run *netlab.Run, host string, http2 bool) *http.Client {
	t := &http.Transport{DialContext: run.Host(host).DialContext}
	if http2 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	context.AfterFunc(run.Context(), t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

const star = `{
	"seed": 3,
	"nodes": { "c[1..60]": {}, "r": {"kind": "router"}, "server": {} },
	"links": [
		{"between": "c[*] - r", "latency": "5ms", "rate": "100Mbit/s"},
		{"between": "r - server", "latency": "10ms", "rate": "20Mbit/s", "loss": "1%"}
	],
	"captures": {"nodes": ["r", "server", "c7"]}
}`

func TestSixtyClientsAtOnce(t *testing.T) {
	body := bytes.Repeat([]byte("netlab "), 2000)
	requireSame(t, 3, star, func(run *netlab.Run) error {
		if err := serve(run, "server", ":80", func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }); err != nil {
			return err
		}
		var failed sync.Map
		var group sync.WaitGroup
		for i := range 60 {
			group.Add(1)
			run.Go(func() error {
				defer group.Done()
				c := client(run, fmt.Sprintf("c%d", i+1), false)
				for range 3 {
					resp, err := c.Get("http://server/")
					if err != nil {
						failed.Store(i, err)
						return err
					}
					got, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || !bytes.Equal(got, body) {
						return fmt.Errorf("client %d got %d bytes: %v", i+1, len(got), err)
					}
				}
				c.CloseIdleConnections()
				return nil
			})
		}
		group.Wait()
		return nil
	})
}

const pair = `{
	"nodes": { "client": {}, "server": {} },
	"links": [ {"between": "client - server", "name": "wire", "latency": "20ms", "rate": "1Mbit/s"} ]
}`

// Four POSTs of 4 MB on one HTTP/2 connection: net/http's client writes under a lock, so a Write that blocks would stop time.
func TestFourBigPostsOnOneConnection(t *testing.T) {
	for name, fault := range map[string]*topology.Fault{
		"slow link": nil,
		"partition": {Partition: [][]string{{"client"}, {"server"}}, For: units.Constant(20e9)},
	} {
		t.Run(name, func(t *testing.T) {
			runs := 2
			if raceDetector {
				runs = 1 // which stream goes first is decided inside net/http, by the order in which Go's scheduler runs its goroutines
			}
			requireSame(t, runs, pair, func(run *netlab.Run) error {
				err := serve(run, "server", ":80", func(w http.ResponseWriter, r *http.Request) {
					n, err := io.Copy(io.Discard, r.Body)
					fmt.Fprintf(w, "%d %v %s", n, err, r.Proto)
				})
				if err != nil {
					return err
				}
				c := client(run, "client", true)
				var group sync.WaitGroup
				for range 4 {
					group.Add(1)
					run.Go(func() error {
						defer group.Done()
						resp, err := c.Post("http://server/", "application/octet-stream", bytes.NewReader(make([]byte, 4<<20)))
						if err != nil {
							return err
						}
						defer resp.Body.Close()
						text, err := io.ReadAll(resp.Body)
						if err != nil || string(text) != "4194304 <nil> HTTP/2.0" {
							return fmt.Errorf("got %q, %v", text, err)
						}
						return nil
					})
				}
				if fault != nil {
					if err := run.Sleep(10 * time.Second); err != nil {
						return err
					}
					if _, err := run.Inject(*fault); err != nil {
						return err
					}
				}
				group.Wait()
				return nil
			})
		})
	}
}

// A server that stops reading fills the buffers, and then the client's write deadline passes: time never stands still.
func TestServerThatStopsReading(t *testing.T) {
	requireSame(t, 2, pair, func(run *netlab.Run) error {
		l, err := run.Host("server").Listen("tcp", ":9")
		if err != nil {
			return err
		}
		defer l.Close()
		c, err := run.Host("client").Dial("tcp", "server:9")
		if err != nil {
			return err
		}
		defer c.Close()
		s, err := l.Accept()
		if err != nil {
			return err
		}
		defer s.Close()
		if err := c.SetWriteDeadline(time.Now().Add(10 * time.Minute)); err != nil {
			return err
		}
		n, err := c.Write(make([]byte, 64<<20))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return fmt.Errorf("wrote %d bytes, %v", n, err)
		}
		if n < 4<<20 || n > 40<<20 {
			return fmt.Errorf("the buffers took %d bytes", n)
		}
		return nil
	})
}

// Two readers of one connection share what arrives; each byte goes to one of them.
func TestTwoReadersOnOneConnection(t *testing.T) {
	const size = 200000
	dir := requireSame(t, 3, pair, func(run *netlab.Run) error {
		l, err := run.Host("server").Listen("tcp", ":9")
		if err != nil {
			return err
		}
		defer l.Close()
		c, err := run.Host("client").Dial("tcp", "server:9")
		if err != nil {
			return err
		}
		s, err := l.Accept()
		if err != nil {
			return err
		}
		var mu sync.Mutex
		total := 0
		var group sync.WaitGroup
		for range 2 {
			group.Add(1)
			run.Go(func() error {
				defer group.Done()
				b := make([]byte, 1000)
				for {
					n, err := s.Read(b)
					mu.Lock()
					total += n
					mu.Unlock()
					if err != nil {
						if err == io.EOF {
							err = nil
						}
						return err
					}
				}
			})
		}
		if _, err := c.Write(make([]byte, size)); err != nil {
			return err
		}
		c.Close()
		group.Wait()
		s.Close()
		if total != size {
			return fmt.Errorf("read %d of %d bytes", total, size)
		}
		return nil
	})
	require.DirExists(t, dir)
}
