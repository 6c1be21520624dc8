// Package testlab runs small labs inside tests: two hosts a and b, joined by a link or by a chain of routers and links, in
// virtual time.
//
//	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*time.Millisecond, 0)}, func(t *testing.T, l *testlab.Lab) {
//		l.Service(l.B, echo.TCP, &echo.ServerConfig{Listen: ":7"})
//		result, err := l.Workload(ping.Type, &ping.Config{To: "b", …}, l.A)
//	})
//
// The test's function runs in a goroutine of the lab, so whatever it does takes virtual time. When it returns, services
// end, and the test fails if a goroutine is left behind.
package testlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"netlab/internal/random"
	"netlab/ip"
	"netlab/netem"
	"netlab/tls"
	"netlab/units"
)

// defaultLimit ends a test whose lab goes on and on.
const defaultLimit = 24 * time.Hour

// Config describes a lab. The zero value is two hosts on a wire without latency, rate or loss.
type Config struct {
	// Seed of the run; 0 means 1.
	Seed uint64
	// Forward and Backward are the properties of each link towards b and towards a. The zero Backward means the same as
	// Forward. An MTU of 0 means netem.DefaultMTU.
	Forward, Backward netem.Params
	// Routers r1, r2, … stand between a and b.
	Routers int
	// Disk is the disk of both hosts.
	Disk ip.DiskConfig
	// PreferIPv6 makes names resolve to IPv6 addresses first.
	PreferIPv6 bool
	// TCP are the settings of both hosts.
	TCP ip.TCPConfig
	// Tap, when not nil, sees all frames.
	Tap netem.Tap
	// Limit is the virtual time after which the test fails; 0 means a day.
	Limit time.Duration
}

// Wire returns link parameters with a latency and a rate; a rate of 0 means that frames take no time.
func Wire(latency time.Duration, rate units.BitRate) netem.Params {
	return netem.Params{Latency: units.Constant(latency), Rate: units.FixedRate(rate), MTU: netem.DefaultMTU}
}

// Loss returns the loss of each frame with a probability, independently of the others.
func Loss(p units.Probability) units.Loss {
	loss, err := units.Bernoulli(p)
	if err != nil {
		panic(fmt.Sprintf("testlab: a loss of %s: %v", p, err))
	}
	return loss
}

// Lab is a running lab.
type Lab struct {
	T   testing.TB
	Net *netem.Network
	// A and B are the hosts, after a crash and a restart the present incarnations.
	A, B    *ip.Host
	Routers []*ip.Router
	// Links lead from a to b; forward is towards b.
	Links []*netem.Link
	Names *ip.Names
	// Authority is the lab's certificate authority.
	Authority *tls.Authority
	// KeyLog receives the secrets of services and workloads that are started after it was set.
	KeyLog io.Writer

	ctx     context.Context
	cancel  context.CancelCauseFunc
	running []*Instance
	down    []*ip.Host // those that crashed
}

// errOver is why the context of a lab ends.
var errOver = errors.New("the run is over")

// Run runs body in a lab of its own. Labs of one process must not run at the same time.
func Run(t *testing.T, c Config, body func(t *testing.T, l *Lab)) {
	t.Helper()
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer random.Crypto(c.Seed)()
	// What an earlier bubble left in a sync.Pool must not get into this one.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) { run(t, c, body) })
}

func run(t *testing.T, c Config, body func(t *testing.T, l *Lab)) {
	l, err := build(t, c)
	if err != nil {
		t.Fatal(err)
	}
	l.Net.Go(0, func() {
		defer l.Net.Stop()
		defer l.end()
		body(t, l)
	})
	if err := l.Net.Run(context.Background()); err != nil {
		stacks := make([]byte, 1<<20)
		t.Errorf("lab: %v\n%s", err, stacks[:runtime.Stack(stacks, true)])
	}
	l.A.Close()
	l.B.Close()
	synctest.Wait()
	for _, h := range append(l.down, l.A, l.B) {
		h.Destroy()
	}
}

// Context ends when the test's function has returned.
func (l *Lab) Context() context.Context { return l.ctx }

// Elapsed is the time since the start of the run.
func (l *Lab) Elapsed() time.Duration { return l.Net.Elapsed() }

// Sleep waits for d of virtual time.
func (l *Lab) Sleep(d time.Duration) {
	if err := l.Net.Sleep(l.ctx, 0, d); err != nil {
		l.T.Errorf("lab: %v", err)
	}
}

// At calls fn in the engine's loop at a time since the start of the run. fn may change links and must not block.
func (l *Lab) At(at time.Duration, fn func()) { l.Net.At(0, netem.KindControl, at, fn) }

// Delivered is the number of frames that a direction of the i-th link has delivered.
func (l *Lab) Delivered(i, direction int) uint64 { return l.Links[i].Stats(direction).Delivered.Frames }

// Dropped is the number of frames that a direction of the i-th link has dropped.
func (l *Lab) Dropped(i, direction int) uint64 { return l.Links[i].Stats(direction).Dropped.Total() }

// station is a node of the chain from a to b.
type station struct {
	name       string
	node       netem.NodeID
	host       *ip.Host
	router     *ip.Router
	interfaces []ip.Interface
}

func build(t testing.TB, c Config) (*Lab, error) {
	l := &Lab{T: t, Names: new(ip.Names)}
	var err error
	if l.Authority, err = tls.NewAuthority(tls.AuthorityOptions{Seed: c.Seed, Now: time.Now}); err != nil {
		return nil, err
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.Net = netem.NewNetwork(netem.NewEngine(netem.Config{Limit: c.Limit}), c.Seed)
	if c.Tap != nil {
		l.Net.SetTap(c.Tap)
	}
	chain := []*station{{name: "a"}}
	for i := range c.Routers {
		chain = append(chain, &station{name: fmt.Sprintf("r%d", i+1)})
	}
	chain = append(chain, &station{name: "b"})
	for i, s := range chain {
		s.node = netem.NodeID(i)
		if i > 0 && i < len(chain)-1 {
			s.router = ip.NewRouter(l.Net, s.name, s.node)
			l.Routers = append(l.Routers, s.router)
			continue
		}
		h, err := ip.NewHost(l.Net, ip.HostConfig{Name: s.name, Node: s.node, IPv4: true, IPv6: true,
			PreferIPv6: c.PreferIPv6, Names: l.Names, TCP: c.TCP, Disk: c.Disk})
		if err != nil {
			return nil, err
		}
		s.host = h
	}
	l.A, l.B = chain[0].host, chain[len(chain)-1].host
	for i := range len(chain) - 1 {
		if err := l.connect(c, i+1, chain[i], chain[i+1]); err != nil {
			return nil, err
		}
	}
	for i, s := range chain {
		if err := s.start(l, i, len(chain)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// connect joins two stations by the i-th link, whose networks are 10.0.i.0/24 and fd00:0:0:i::/64.
func (l *Lab) connect(c Config, i int, left, right *station) error {
	var ports [2]*netem.Port
	for end, s := range []*station{left, right} {
		ports[end] = l.Net.NewPort(netem.PortConfig{Node: s.node, Host: s.name, Passive: s.router != nil,
			Name: fmt.Sprintf("%s-eth%d", s.name, len(s.interfaces)), MAC: net.HardwareAddr{2, 0, 0, 0, byte(i), byte(end + 1)}})
		s.interfaces = append(s.interfaces, ip.Interface{Port: ports[end], Addresses: []netip.Prefix{
			netip.PrefixFrom(address4(i, end), 24), netip.PrefixFrom(address6(i, end), 64)}})
		l.Names.Add(s.name, address4(i, end), address6(i, end))
	}
	forward, backward := c.Forward, c.Backward
	if backward == (netem.Params{}) {
		backward = forward
	}
	for _, p := range []*netem.Params{&forward, &backward} {
		if p.MTU == 0 {
			p.MTU = netem.DefaultMTU
		}
	}
	link, err := l.Net.Connect(left.name+"--"+right.name, ports[0], ports[1], forward, backward)
	l.Links = append(l.Links, link)
	return err
}

// address4 and address6 are the addresses of an end of the i-th link: 0 towards a, 1 towards b.
func address4(i, end int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i), byte(end + 1)}) }

func address6(i, end int) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfd, 7: byte(i), 15: byte(end + 1)})
}

// start hands the interfaces and routes over to the i-th of n stations.
func (s *station) start(l *Lab, i, n int) error {
	var routes []ip.Route
	add := func(link, end int, to ...netip.Prefix) {
		for _, p := range to {
			via := address4(link, end)
			if p.Addr().Is6() {
				via = address6(link, end)
			}
			routes = append(routes, ip.Route{To: p, Via: via})
		}
	}
	everywhere := []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	switch {
	case s.router != nil:
		// The i-th station has link i on its left and link i+1 on its right.
		for link := 1; link < n; link++ {
			networks := []netip.Prefix{netip.PrefixFrom(address4(link, 0), 24).Masked(), netip.PrefixFrom(address6(link, 0), 64).Masked()}
			if link < i {
				add(i, 0, networks...)
			} else if link > i+1 {
				add(i+1, 1, networks...)
			}
		}
		for _, c := range s.interfaces {
			s.router.AddInterface(c)
		}
		return s.router.SetRoutes(routes)
	case n > 2 && i == 0:
		add(1, 1, everywhere...)
	case n > 2:
		add(n-1, 0, everywhere...)
	}
	for _, c := range s.interfaces {
		s.host.AddInterface(c)
		for _, p := range c.Addresses {
			l.Net.SetAddress(p.Addr(), s.node)
		}
	}
	return s.host.Start(routes)
}
