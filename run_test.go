package netlab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"netlab"
	"netlab/captures"
	"netlab/topology"
)

const chat = `{
	"name": "chat",
	"nodes": { "client": {}, "r": {"kind": "router"}, "server": { "services": { "echo": {"type": "tcp-echo"}, "ping": {"type": "udp-echo"} } } },
	"links": [ "client - r", {"between": "r - server", "latency": "1ms", "rate": "100Mbit/s"} ],
	"workloads": {
		"talk": {"type": "echo", "from": "client", "to": "server:7", "count": 3, "interval": "10ms"},
		"probe": {"type": "ping", "from": "client", "to": "server", "count": 3, "interval": "10ms"}
	},
	"expect": ["talk.intact", "probe.lost == 0"]
}`

// The same lab runs in virtual and in real time, and leaves no goroutine behind.
func TestBothModesLeaveNothingBehind(t *testing.T) {
	for name, o := range map[string]*netlab.RunOptions{
		"virtual": {}, "real": {RealTime: true}, "paced": {Speed: 10},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			o.Dir = t.TempDir()
			results := play(t, parse(t, chat), o, nil)
			goleak.VerifyNone(t, before)
			require.Equal(t, netlab.Holds, results.Verdict(), "%v", results.Expect)
			require.Equal(t, netlab.EndedDone, results.Run.Ended)
			c, err := captures.ReadFile(filepath.Join(o.Dir, "captures", "server.pcapng"))
			require.NoError(t, err)
			require.NotEmpty(t, c.Packets)
		})
	}
}

func TestInterruptKeepsWhatThereIs(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	lab := parse(t, `{"duration": "1000000h", "nodes": {"a": {}, "b": {}}, "links": [{"between": "a - b", "latency": "1ms"}],
		"workloads": {"p": {"type": "ping", "from": "a", "to": "b", "count": 0}}}`)
	dir := t.TempDir()
	results, err := lab.Run(ctx, &netlab.RunOptions{Dir: dir, Progress: func(p netlab.Progress) {
		if p.Virtual > time.Minute {
			cancel()
		}
	}}, nil)
	require.NoError(t, err)
	require.Equal(t, netlab.EndedInterrupted, results.Run.Ended)
	c, err := captures.ReadFile(filepath.Join(dir, "captures", "a.pcapng"))
	require.NoError(t, err)
	require.Greater(t, len(c.Packets), 100)
	require.FileExists(t, filepath.Join(dir, "results.json"))
}

// A run that can't end says who it waits for.
func TestRunThatCannotEnd(t *testing.T) {
	for name, text := range map[string]string{
		"stands still": `{"nodes": {"a": {}, "b": {}}, "links": ["a - b"]}`,
		"goes on": `{"nodes": {"a": {}, "b": {}}, "links": ["a - b"],
			"defaults": {"tcp": {"keep_alive": "1m"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			results, err := parse(t, text).Run(context.Background(), &netlab.RunOptions{Limit: time.Hour}, func(run *netlab.Run) error {
				l, err := run.Host("b").Listen("tcp", ":80")
				if err != nil {
					return err
				}
				c, err := run.Host("a").Dial("tcp", "b:80")
				if err != nil {
					return err
				}
				defer c.Close()
				if _, err := l.Accept(); err != nil {
					return err
				}
				_, err = c.Read(make([]byte, 1)) // nobody writes
				return err
			})
			require.NotNil(t, results)
			require.ErrorContains(t, err, "netlab/tcp.(*Conn).Read")
			if name == "goes on" {
				require.ErrorContains(t, err, "the run reached its time limit")
			} else {
				require.ErrorContains(t, err, "the run stands still")
			}
		})
	}
}

// A goroutine that holds a mutex while it waits for the network stops virtual time. The watchdog sees it and names it.
func TestWatchdog(t *testing.T) {
	if os.Getenv("NETLAB_WATCHDOG") == "" {
		out, err := runSelf("TestWatchdog", "NETLAB_WATCHDOG=1")
		require.NoError(t, err, out)
		return
	}
	dir := t.TempDir()
	_, err := parse(t, chat).Run(context.Background(), &netlab.RunOptions{Dir: dir, Watchdog: time.Second}, func(run *netlab.Run) error {
		l, err := run.Host("server").Listen("tcp", ":80")
		if err != nil {
			return err
		}
		c, err := run.Host("client").Dial("tcp", "server:80")
		if err != nil {
			return err
		}
		if _, err := l.Accept(); err != nil {
			return err
		}
		var mu sync.Mutex
		run.Go(func() error {
			mu.Lock()
			defer mu.Unlock()
			_, err := c.Read(make([]byte, 1))
			return err
		})
		run.Go(func() error {
			mu.Lock()
			defer mu.Unlock()
			return nil
		})
		return nil
	})
	require.ErrorIs(t, err, netlab.ErrNoProgress)
	require.ErrorContains(t, err, "sync.(*Mutex).Lock")
	require.ErrorContains(t, err, "TestWatchdog")
	c, err := captures.ReadFile(filepath.Join(dir, "captures", "client.pcapng"))
	require.NoError(t, err)
	require.NotEmpty(t, c.Packets)
}

func TestPanicsAreErrors(t *testing.T) {
	_, err := parse(t, chat).Run(context.Background(), nil, func(*netlab.Run) error { panic("oops") })
	var p *netlab.PanicError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "oops", p.Value)
	require.Contains(t, string(p.Stack), "run_test.go")
}

func TestOneLabAtATime(t *testing.T) {
	_, err := parse(t, chat).Run(context.Background(), nil, func(*netlab.Run) error {
		_, err := parse(t, chat).Run(context.Background(), nil, nil)
		return err
	})
	require.ErrorIs(t, err, netlab.ErrBusy)
	require.NoError(t, netlab.CheckSettings())
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err := parse(t, chat).Run(context.Background(), &netlab.RunOptions{Dir: filepath.Join(file, "out")}, nil)
	require.ErrorContains(t, err, "not a directory")
}

func TestFaultsFromGo(t *testing.T) {
	lab, err := netlab.New(&topology.Topology{
		Nodes: topology.MapOf(topology.Entry[topology.Node]{Name: "a"}, topology.Entry[topology.Node]{Name: "b"}),
		Links: []topology.Link{{Between: "a - b"}},
	})
	require.NoError(t, err)
	reach := func(run *netlab.Run) bool {
		ctx, cancel := context.WithTimeout(run.Context(), 100*time.Millisecond)
		defer cancel()
		c, err := run.Host("a").DialContext(ctx, "tcp", "b:80")
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	netlab.Test(t, lab, func(run *netlab.Run) error {
		l, err := run.Host("b").Listen("tcp", ":80")
		if err != nil {
			return err
		}
		defer l.Close()
		for _, f := range []topology.Fault{{Cut: "a - b"}, {Partition: [][]string{{"a"}, {"b"}}}, {Partition: [][]string{{"b"}}}} {
			injection, err := run.Inject(f)
			if err != nil {
				return err
			}
			if reach(run) {
				return fmt.Errorf("%+v does nothing", f)
			}
			injection.Remove()
			if !reach(run) {
				return fmt.Errorf("%+v stays", f)
			}
		}
		if _, err := run.Inject(topology.Fault{Cut: "a - c"}); err == nil || !strings.Contains(err.Error(), `"c"`) {
			return fmt.Errorf("a node that doesn't exist: %v", err)
		}
		return nil
	})
}

// recorder is a testing.TB that fails quietly.
type recorder struct {
	testing.TB
	log    bytes.Buffer
	failed bool
}

func (r *recorder) Helper()      {}
func (r *recorder) Failed() bool { return r.failed }
func (r *recorder) FailNow()     {}
func (r *recorder) Log(args ...any) {
	fmt.Fprintln(&r.log, args...)
}
func (r *recorder) Logf(format string, args ...any) { fmt.Fprintf(&r.log, format+"\n", args...) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.Logf(format, args...)
}

func TestFailureSaysHowToPlayAgain(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := &recorder{TB: t}
	netlab.Test(r, parse(t, strings.Replace(chat, "probe.lost == 0", "probe.lost == 1", 1)), func(*netlab.Run) error { return errors.New("no") })
	require.Contains(t, r.log.String(), "lab chat: no")
	require.Contains(t, r.log.String(), "lab chat: probe.lost == 1 doesn't hold: [probe.lost = 0]")
	require.Regexp(t, `lab chat ran with seed 1; to play it again without the test's own code: netlab run .*topology.resolved.json`, r.log.String())
}
