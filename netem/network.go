package netem

import (
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"netlab/internal/random"
)

// NodeID numbers the nodes of a network in file order, from 0.
type NodeID int32

// Network holds the ports, links and switches of a lab and what all of them share.
type Network struct {
	*Engine
	seed       uint64
	tap        Tap
	observe    func(Event)
	ports      []*Port
	links      []*Link
	partitions partitions
	rules      rules
	inFlight   int // frames that wait in queues or are on their way
}

// NewNetwork returns an empty network. tap may be nil.
func NewNetwork(e *Engine, seed uint64) *Network {
	n := &Network{Engine: e, seed: seed}
	n.rules.streams = streams{net: n, prefix: "rules."}
	return n
}

// SetTap makes tap see all frames from now on; nil means nobody does.
func (n *Network) SetTap(tap Tap) { n.tap = tap }

// Observe makes fn see what happens on the network that is worth a line in a log: drops, changes of links, partitions. The
// engine's loop calls it.
func (n *Network) Observe(fn func(Event)) { n.observe = fn }

// Random returns the stream of random numbers of the thing with that name.
func (n *Network) Random(name string) *rand.Rand { return random.Stream(n.seed, name, 0) }

// Seed is the seed of the run.
func (n *Network) Seed() uint64 { return n.seed }

// InFlight is the number of frames that wait in queues or are on their way.
func (n *Network) InFlight() int { return n.inFlight }

// Event is something that happened on the network.
type Event struct {
	At     time.Duration
	Step   uint64
	Kind   string // "drop", "link-down", "link-up", "set", "partition", "heal", "rule"
	Node   string // the node that it happened at, or ""
	Link   string // the link that it happened on, or ""
	Dir    string // "forward", "backward" or ""
	Frame  uint64 // Frame.ID, or 0
	Reason string // of a drop, or what a rule does
	Detail string
}

func (n *Network) emit(ev Event) {
	if n.observe != nil {
		ev.Step = n.Step()
		n.observe(ev)
	}
}

// Port is a network interface of a node: a host's or router's NIC, or a port of a switch.
type Port struct {
	id    PortID
	net   *Network
	node  NodeID
	name  string
	host  string
	mac   [6]byte
	owner Owner
	out   *direction
	// receive takes the frames that arrive. Its caller is the engine's loop.
	receive func(at time.Duration, f *Frame)
	// passive says that receive touches no goroutine.
	passive bool
	// dead says that the node is down: what arrives is dropped.
	dead bool
}

// PortConfig describes a [Port].
type PortConfig struct {
	Node NodeID
	Host string // the node's name
	Name string // the interface's name
	MAC  net.HardwareAddr
	// Receive takes ownership of each frame that arrives; the engine's loop calls it.
	Receive func(at time.Duration, f *Frame)
	// Passive says that Receive only moves frames and touches no goroutine.
	Passive bool
}

// NewPort adds a port. It carries nothing until a link joins it to another one.
func (n *Network) NewPort(c PortConfig) *Port {
	p := &Port{id: PortID(len(n.ports)), net: n, node: c.Node, name: c.Name, host: c.Host, owner: n.NewOwner(),
		receive: c.Receive, passive: c.Passive}
	copy(p.mac[:], c.MAC)
	n.ports = append(n.ports, p)
	return p
}

// ID returns the port's number.
func (p *Port) ID() PortID { return p.id }

// Name returns the interface's name, such as client-eth0.
func (p *Port) Name() string { return p.name }

// Host returns the name of the node that the port belongs to.
func (p *Port) Host() string { return p.host }

// MAC returns the port's MAC address.
func (p *Port) MAC() [6]byte { return p.mac }

// Peer returns the port at the other end of the link, or nil.
func (p *Port) Peer() *Port {
	if p.out == nil {
		return nil
	}
	return p.out.to
}

// Link returns the link that the port is joined to, or nil.
func (p *Port) Link() *Link {
	if p.out == nil {
		return nil
	}
	return p.out.link
}

// MTU returns the largest network packet that the link carries away from this port, in bytes.
func (p *Port) MTU() int { return p.out.params.MTU }

// SetReceive replaces what takes the frames that arrive.
func (p *Port) SetReceive(receive func(at time.Duration, f *Frame)) { p.receive = receive }

// SetDead says whether the port's node is down: frames that arrive meanwhile are dropped (DropNodeDown). Only the engine's loop may
// call it.
func (p *Port) SetDead(dead bool) { p.dead = dead }

// Intercept shows each frame that arrives to pass first; a frame for which it returns false is lost after all, although the
// link counts it as delivered. Tests use it to lose one certain packet.
func (p *Port) Intercept(pass func(at time.Duration, f *Frame) bool) {
	next := p.receive
	p.receive = func(at time.Duration, f *Frame) {
		if !pass(at, f) {
			f.Release()
			return
		}
		next(at, f)
	}
}

// Send hands a frame over that a host sends. Any goroutine may call it; the frame goes on the wire when everybody is
// blocked, in the canonical order.
func (p *Port) Send(f *Frame) { p.net.depart(p, f) }

// Forward puts a frame on the wire at once. Only the engine's loop may call it: routers and switches do.
func (p *Port) Forward(at time.Duration, f *Frame) {
	if f.ID == 0 {
		f.ID = p.net.frames.Add(1)
	}
	p.transmit(at, f)
}

func (p *Port) transmit(at time.Duration, f *Frame) {
	if p.out == nil {
		f.Release()
		return
	}
	p.out.send(at, f)
}

// String names the port.
func (p *Port) String() string { return p.name }

// Ports returns all ports in the order in which they were made.
func (n *Network) Ports() []*Port { return n.ports }

// Links returns all links in the order in which they were made.
func (n *Network) Links() []*Link { return n.links }

// Connect joins two ports by a link. forward is from a to b.
func (n *Network) Connect(id string, a, b *Port, forward, backward Params) (*Link, error) {
	if a.out != nil || b.out != nil {
		return nil, fmt.Errorf("link %s: port %s or %s is in use", id, a, b)
	}
	if err := forward.Validate(); err != nil {
		return nil, fmt.Errorf("link %s, forward: %w", id, err)
	}
	if err := backward.Validate(); err != nil {
		return nil, fmt.Errorf("link %s, backward: %w", id, err)
	}
	l := &Link{id: id, net: n}
	l.dirs[Forward] = newDirection(l, "forward", a, b, forward)
	l.dirs[Backward] = newDirection(l, "backward", b, a, backward)
	l.dirs[Forward].configure(0, forward)
	l.dirs[Backward].configure(0, backward)
	a.out, b.out = &l.dirs[Forward], &l.dirs[Backward]
	n.links = append(n.links, l)
	return l, nil
}
