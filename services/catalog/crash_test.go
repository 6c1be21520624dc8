package catalog_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services/catalog"
)

// The ports of a testlab without routers.
const portA, portB netem.PortID = 0, 1

// witness hashes all frames, and keeps which TCP flags left a port when.
type witness struct {
	hash.Hash
	sent []sent
}

type sent struct {
	at        time.Duration
	port      netem.PortID
	goodbye   bool // a TCP segment with FIN or RST
	resetting bool
}

func (w *witness) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	fmt.Fprintln(w.Hash, at, port, dir)
	w.Hash.Write(data)
	if dir != netem.Outbound {
		return
	}
	s := sent{at: at, port: port}
	if tcp, ok := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.NoCopy).TransportLayer().(*layers.TCP); ok {
		s.goodbye, s.resetting = tcp.FIN || tcp.RST, tcp.RST
	}
	w.sent = append(w.sent, s)
}

// between returns what a port sent from one time to another.
func (w *witness) between(port netem.PortID, from, to time.Duration) (list []sent) {
	for _, s := range w.sent {
		if s.port == port && s.at >= from && s.at < to {
			list = append(list, s)
		}
	}
	return list
}

// act is what happens to a host in the middle of a scene, and what was seen of it.
type act struct {
	scene
	lab              *testlab.Lab
	witness          *witness
	service          *testlab.Instance // nil without
	workload         *testlab.Instance
	servedBefore     uint64
	client, finished any // results of the workload, and the service
	err              error
	ended            time.Duration
}

// play runs a scene. middle is called after five seconds.
func (s scene) play(t *testing.T, v6 bool, middle func(a *act)) *act {
	a := &act{scene: s, witness: &witness{Hash: sha256.New()}}
	wire := testlab.Wire(10*ms, 10e6)
	wire.Queue.Limit.Packets = 10 // what a link has taken goes on after a crash: so it is soon over
	c := testlab.Config{Forward: wire, PreferIPv6: v6, Tap: a.witness}
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		a.lab = l
		if s.service.New != nil {
			a.service = l.Service(l.B, s.service, s.config)
		}
		l.Sleep(100 * ms)
		a.workload = l.Start(s.workload, "client", s.client, l.A)
		l.Sleep(4900 * ms)
		if a.service != nil {
			a.servedBefore = s.served(a.service.Result())
		}
		middle(a)
		a.client, a.err = a.workload.Wait()
		a.ended = l.Elapsed()
		if a.service != nil {
			var err error
			a.finished, err = a.service.Stop()
			require.NoError(t, err)
		}
	})
	return a
}

// text is all that a run has shown.
func (a *act) text(t *testing.T) string {
	client, err := json.Marshal(a.client)
	require.NoError(t, err)
	service, err := json.Marshal(a.finished)
	require.NoError(t, err)
	return fmt.Sprintf("%x\n%s\n%s\n%v\n%v", a.witness.Sum(nil), client, service, a.err, a.ended)
}

// each runs a test for every scene, over IPv4 and IPv6.
func each(t *testing.T, test func(t *testing.T, s scene, v6 bool)) {
	for _, s := range scenes() {
		for _, v6 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%s", s.name, map[bool]string{false: "ipv4", true: "ipv6"}[v6]), func(t *testing.T) { test(t, s, v6) })
		}
	}
}

func TestEveryTypeHasAScene(t *testing.T) {
	// Two hosts that watch each other, and clients that nobody serves: their packages test what a crash does.
	seen := map[string]bool{"vrrp": true, "syn-flood": true, "slowloris": true}
	for _, s := range scenes() {
		seen[s.service.Name], seen[s.workload.Name] = true, true
	}
	for _, typ := range catalog.All() {
		require.True(t, seen[typ.Name], typ.Name)
	}
}

const (
	down = 3 * time.Second
	// drained is how long a link still transmits what a host has handed to it.
	drained = 20 * ms
)

// same requires that a run shows the same again, but under the race detector, which has an order of its own.
func same(t *testing.T, a *act, again func() *act) {
	t.Helper()
	if !raceEnabled {
		require.Equal(t, a.text(t), again().text(t))
	}
}

// A host that crashes says nothing any more: no FIN and no RST either. After its restart the service serves again and goes on
// counting; old connections get RST, and clients that make others recover. All of it is the same in every run.
func TestCrashOfTheServer(t *testing.T) {
	each(t, func(t *testing.T, s scene, v6 bool) {
		var crashed, restarted time.Duration
		var goodBefore uint64
		run := func() *act {
			return s.play(t, v6, func(a *act) {
				crashed = a.lab.Elapsed()
				a.lab.Crash(a.lab.B)
				a.lab.Sleep(down)
				goodBefore = s.good(a.workload.Result())
				restarted = a.lab.Elapsed()
				a.lab.Restart(a.lab.B)
			})
		}
		a := run()
		for _, said := range a.witness.between(portB, crashed, restarted) {
			require.True(t, said.at < crashed+drained && !said.goodbye, "at %v", said)
		}
		if s.service.New != nil {
			require.NotZero(t, a.servedBefore+uint64(len(a.witness.between(portB, 0, crashed))))
			require.GreaterOrEqual(t, s.served(a.finished), a.servedBefore)
		}
		if s.single {
			answers := a.witness.between(portB, restarted, a.ended)
			for _, said := range answers {
				require.True(t, said.resetting, "at %v", said)
			}
			// Who only listens never says anything that could be answered.
			require.Equal(t, s.workload.Name != "traceroute" && s.name != "download", len(answers) > 0)
		} else {
			require.Greater(t, s.good(a.client), goodBefore+10, "the workload succeeds again")
			if s.service.New != nil {
				require.Greater(t, s.served(a.finished), a.servedBefore, "the service serves again")
			}
			require.NoError(t, a.err)
		}
		same(t, a, run)
	})
}

// A workload ends with its host, without a panic, and its results are what was known until then.
func TestCrashOfTheClient(t *testing.T) {
	each(t, func(t *testing.T, s scene, v6 bool) {
		var crashed time.Duration
		var goodBefore uint64
		run := func() *act {
			return s.play(t, v6, func(a *act) {
				crashed = a.lab.Elapsed()
				goodBefore = s.good(a.workload.Result())
				a.lab.Crash(a.lab.A)
				a.lab.Sleep(down)
				require.True(t, a.workload.Ended())
				a.lab.Restart(a.lab.A)
				a.lab.Sleep(time.Second)
			})
		}
		a := run()
		for _, said := range a.witness.between(portA, crashed+drained, a.ended) {
			require.True(t, said.resetting, "nothing but resets of old connections, at %v", said.at)
		}
		require.GreaterOrEqual(t, s.good(a.client), goodBefore)
		same(t, a, run)
	})
}

// A service that stands still for a while serves again afterwards, with all of its connections.
func TestPauseOfTheServer(t *testing.T) {
	each(t, func(t *testing.T, s scene, v6 bool) {
		var paused, resumed time.Duration
		var goodBefore uint64
		run := func() *act {
			return s.play(t, v6, func(a *act) {
				paused = a.lab.Elapsed()
				a.lab.Do(a.lab.B.Pause)
				a.lab.Sleep(500 * ms)
				goodBefore = s.good(a.workload.Result())
				resumed = a.lab.Elapsed()
				a.lab.Do(a.lab.B.Resume)
			})
		}
		a := run()
		require.Empty(t, a.witness.between(portB, paused+drained, resumed))
		require.NoError(t, a.err)
		if s.workload.Name != "traceroute" {
			require.Greater(t, s.good(a.client), goodBefore)
		}
		same(t, a, run)
	})
}

// A wrong date of an hour, for which no certificate is refused, changes nothing of what clients and services find.
func TestSkewOfTheServer(t *testing.T) {
	each(t, func(t *testing.T, s scene, v6 bool) {
		result := func(skew time.Duration) string {
			a := s.play(t, v6, func(a *act) { a.lab.B.SetSkew(skew) })
			require.NoError(t, a.err)
			a.witness.Reset() // HTTP's Date differs
			return a.text(t)
		}
		right, wrong := result(0), result(time.Hour)
		if !raceEnabled {
			require.Equal(t, right, wrong)
		}
	})
}
