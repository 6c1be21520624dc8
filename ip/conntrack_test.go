package ip

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// A connection ends exactly when its timeout after the last packet is over, not a nanosecond earlier or later. Established TCP
// connections last longer than those that open or close.
func TestTrackingTimeouts(t *testing.T) {
	inside, outside, ext := port(hostA, 5000), port(remoteX, 80), port(external, 5000)
	out := func(flags header.TCPFlags) step { return step{0, tcpFrom(inside, outside, flags)} }
	in := func(flags header.TCPFlags) step { return step{1, tcpFrom(outside, ext, flags)} }
	handshake := []step{out(syn), in(syn | ack), out(ack)}
	closing := append(handshake, out(fin|ack))
	for name, c := range map[string]struct {
		steps   []step
		timeout time.Duration
		last    step
	}{
		"UDP":               {[]step{{0, udpFrom(inside, outside, "?")}}, 300 * time.Second, step{1, udpFrom(outside, ext, "!")}},
		"UDP answered":      {[]step{{0, udpFrom(inside, outside, "?")}, {1, udpFrom(outside, ext, "!")}}, 300 * time.Second, step{1, udpFrom(outside, ext, "!")}},
		"ICMP":              {[]step{{0, echoFrom(hostA, remoteX, 5000, false)}}, time.Minute, step{1, echoFrom(remoteX, external, 5000, true)}},
		"SYN":               {[]step{out(syn)}, 4 * time.Minute, in(syn | ack)},
		"SYN, SYN-ACK":      {handshake[:2], 4 * time.Minute, in(syn | ack)},
		"established":       {handshake, 2*time.Hour + 4*time.Minute, in(ack)},
		"simultaneous open": {[]step{out(syn), in(syn), out(syn | ack), in(syn | ack), in(ack)}, 2*time.Hour + 4*time.Minute, in(ack)},
		"FIN":               {closing, 4 * time.Minute, in(ack)},
		"FIN from outside":  {append(handshake, in(fin|ack)), 4 * time.Minute, in(ack)},
		"two FINs":          {append(closing, in(fin|ack), out(ack)), 4 * time.Minute, in(ack)},
		"RST":               {append(handshake, in(rst)), 4 * time.Minute, in(ack)},
		"RST, refused":      {[]step{out(syn), in(rst | ack)}, 4 * time.Minute, in(ack)},
	} {
		for _, late := range []bool{false, true} {
			b := longBench(t, func(b *bench) {
				b.nat(t, NATConfig{})
				at := time.Duration(0)
				for _, s := range c.steps {
					at += time.Second
					b.put(at, s.by, s.packet)
				}
				at += c.timeout - 1
				if late {
					at++
				}
				b.put(at, c.last.by, c.last.packet)
			})
			arrived := len(b.got)
			if want := len(c.steps); late {
				require.Equal(t, want, arrived, name)
			} else {
				require.Equal(t, want+1, arrived, name)
			}
			require.EqualValues(t, 1, b.router.Stats().Tracking.Opened, name)
		}
	}
}

// step is a packet from the far end of an interface.
type step struct {
	by     int
	packet datagram
}

// A SYN on a connection that is over begins another one, which isn't let in because the first one was.
func TestTrackingNewConnection(t *testing.T) {
	inside, outside, ext := port(hostA, 5000), port(remoteX, 80), port(external, 5000)
	b := natBench(t, NATConfig{}, func(b *bench) {
		for i, s := range []step{{0, tcpFrom(inside, outside, syn)}, {1, tcpFrom(outside, ext, rst|ack)},
			{1, tcpFrom(outside, ext, syn)}, // nobody inside asked for it
			{0, tcpFrom(inside, outside, syn)}, {1, tcpFrom(outside, ext, rst|ack)}, {0, tcpFrom(inside, outside, syn)}} {
			b.put(time.Duration(i)*time.Second, s.by, s.packet)
		}
	})
	require.Len(t, b.at(t, 0), 2)
	require.Len(t, b.at(t, 1), 3)
	s := b.router.Stats()
	require.EqualValues(t, 3, s.Tracking.Opened)
	require.EqualValues(t, 1, s.NAT.Unsolicited)
}

// Segments of no connection are dropped, rejected or taken for a connection's first, as the setting says.
func TestTrackingOutOfState(t *testing.T) {
	for _, action := range []Action{"", Drop, Reject, Accept} {
		b := natBench(t, NATConfig{Tracking: Tracking{OutOfState: action}}, func(b *bench) {
			for i, flags := range []header.TCPFlags{ack, fin | ack, syn | ack, rst} {
				b.put(time.Duration(i)*time.Second, 0, tcpFrom(port(hostA, uint16(5000+i)), port(remoteX, 80), flags))
			}
			b.put(time.Minute, 1, tcpFrom(port(remoteX, 80), port(external, 5000), ack))
		})
		s := b.router.Stats().Tracking
		switch action {
		case Accept:
			require.Len(t, b.at(t, 1), 4)
			require.Len(t, b.at(t, 0), 1)
			require.Zero(t, s.OutOfState)
		case Reject:
			require.Len(t, b.at(t, 0), 3, "no reset about a reset")
			require.Equal(t, rst, header.TCP(payloadOf(b.at(t, 0)[0])).Flags())
			fallthrough
		default:
			require.Empty(t, b.at(t, 1))
			require.EqualValues(t, 4, s.OutOfState)
		}
	}
}

// What a port forward would make the same as another connection is dropped.
func TestTrackingClash(t *testing.T) {
	b := natBench(t, NATConfig{Forwards: []PortForward{{UDP, 80, port(hostA, 8080)}}}, func(b *bench) {
		b.put(0, 1, udpFrom(port(remoteX, 1), port(hostA, 8080), "routed"))
		b.put(time.Second, 1, udpFrom(port(remoteX, 1), port(external, 80), "forwarded"))
	})
	require.Len(t, b.got, 1)
	require.EqualValues(t, 1, b.router.Stats().Tracking.Clashes)
}

// Flows are listed by their ends, also if times don't grow.
func TestFlowList(t *testing.T) {
	var l flowList
	var all []*flow
	for _, end := range []time.Duration{5, 3, 9, 7, 5, 1} {
		f := &flow{end: end}
		l.insert(f)
		all = append(all, f)
	}
	ends := func() (list []time.Duration) {
		for f := l.first; f != nil; f = f.next {
			list = append(list, f.end)
			require.True(t, f.next == nil && f == l.last || f.next.prev == f)
		}
		return list
	}
	require.Equal(t, []time.Duration{1, 3, 5, 5, 7, 9}, ends())
	l.remove(all[2])
	l.remove(all[5])
	l.remove(all[0])
	require.Equal(t, []time.Duration{3, 5, 7}, ends())
}

// First fragments are remembered for 30 seconds, and only so many of them.
func TestFragmentTable(t *testing.T) {
	var s fragments
	key := func(id int) fragmentKey { return fragmentKey{id: uint32(id)} }
	known := func(at time.Duration, id int) bool {
		_, ok := s.follow(at, key(id))
		return ok
	}
	for id := range maxFragments {
		s.lead(time.Duration(id), key(id), [16]byte{}, [16]byte{})
	}
	s.lead(maxFragments, key(0), [16]byte{}, [16]byte{}) // again
	require.True(t, known(maxFragments, 1))
	s.lead(maxFragments, key(maxFragments), [16]byte{}, [16]byte{})
	require.Equal(t, []bool{true, false, true, true}, []bool{known(maxFragments, 0), known(maxFragments, 1), known(maxFragments, 2), known(maxFragments, maxFragments)})
	require.Len(t, s.known, maxFragments)
	end := maxFragments + fragmentLifetime
	require.True(t, known(end-1, 0))
	require.False(t, known(end, 0))
	s.lead(end, key(1), [16]byte{}, [16]byte{})
	require.Len(t, s.known, 1)
	require.Len(t, s.turns, 1)
}

// Of a range all ports are given out, each once, in order from the one that was wanted.
func TestPortPool(t *testing.T) {
	p := pool{ports: PortRange{100, 300}}
	p.free = 201
	for i := range uint16(201) {
		want := 250 + i
		if want > 300 {
			want -= 201
		}
		got := p.next(250)
		require.Equal(t, want, got)
		p.take(got)
	}
	require.Zero(t, p.free)
	p.give(128)
	require.EqualValues(t, 128, p.next(129))
	require.EqualValues(t, 128, p.next(5000))
}

// The table can be read and cleared; counters stay. A router that was down starts empty.
func TestNATTable(t *testing.T) {
	fill := func(b *bench) {
		b.put(0, 0, udpFrom(port(hostA, 5000), port(remoteX, 53), "?"))
		b.put(1*time.Second, 2, udpFrom(port(hostB, 5000), port(remoteX, 53), "?"))
		b.put(2*time.Second, 0, tcpFrom(port(hostA, 1), port(remoteX, 80), syn))
		b.put(2*time.Second, 0, echoFrom(hostA, remoteX, 9, false))
		b.put(3*time.Second, 1, udpFrom(port(remoteX, 53), port(external, 5000), "!"))
	}
	forwards := []PortForward{{TCP, 80, port(hostB, 8080)}}
	forward := Mapping{Protocol: TCP, Inside: port(hostB, 8080), External: port(external, 80), Forward: true, Age: 10 * time.Second, Idle: 10 * time.Second}
	natBench(t, NATConfig{Kind: Symmetric, Forwards: forwards}, func(b *bench) {
		fill(b)
		const hop = time.Millisecond
		b.At(0, 0, 10*time.Second, func() {
			n := b.router.NAT()
			require.Equal(t, []Mapping{
				{Protocol: ICMP, Inside: port(hostA, 9), External: port(external, 9), Remote: port(remoteX, 0), Connections: 1, Age: 8*time.Second - hop, Idle: 8*time.Second - hop},
				forward,
				{Protocol: TCP, Inside: port(hostA, 1), External: port(external, 1024), Remote: port(remoteX, 80), Connections: 1, Age: 8*time.Second - hop, Idle: 8*time.Second - hop},
				{Protocol: UDP, Inside: port(hostA, 5000), External: port(external, 5000), Remote: port(remoteX, 53), Connections: 1, Age: 10*time.Second - hop, Idle: 7*time.Second - hop},
				{Protocol: UDP, Inside: port(hostB, 5000), External: port(external, 5001), Remote: port(remoteX, 53), Connections: 1, Age: 9*time.Second - hop, Idle: 9*time.Second - hop},
			}, n.Mappings())
			n.Clear()
			require.Equal(t, []Mapping{forward}, n.Mappings())
			s := b.router.Stats()
			require.EqualValues(t, 4, s.NAT.Created)
			require.Zero(t, s.NAT.Mappings+s.Tracking.Connections)
			require.EqualValues(t, 4, s.NAT.Outbound)
		})
	})
	b := natBench(t, NATConfig{Forwards: forwards}, func(b *bench) {
		fill(b)
		b.At(0, 0, 10*time.Second, func() { b.router.SetDown(true) })
		b.put(11*time.Second, 0, udpFrom(port(hostA, 5000), port(remoteX, 53), "?"))
		b.At(0, 0, 12*time.Second, func() {
			b.router.SetDown(false)
			require.Len(t, b.router.NAT().Mappings(), 1)
		})
		b.put(13*time.Second, 1, udpFrom(port(remoteX, 53), port(external, 5000), "!"))
		b.put(14*time.Second, 1, tcpFrom(port(remoteX, 53), port(external, 80), syn))
	})
	require.Len(t, b.got, 6)
	require.Equal(t, "10.0.1.2:53 10.0.2.2:8080", flows(b.at(t, 2))[0])
	require.EqualValues(t, 1, b.router.Stats().NAT.Unsolicited)
	require.EqualValues(t, 7, b.router.Stats().IP.Received)
}

// What goes wrong in a configuration is said.
func TestTrackingConfigErrors(t *testing.T) {
	at := netip.MustParseAddrPort
	good := NATConfig{Inside: []int{0}, Outside: 1}
	b := newBench(t, newEngine(), 3, 0)
	for want, change := range map[string]func(c *NATConfig){
		"outside: there is no interface 3: the router has 3, counted from 0":                            func(c *NATConfig) { c.Outside = 3 },
		"there is no inside interface: name one or more":                                                func(c *NATConfig) { c.Inside = nil },
		"inside: there is no interface -1: the router has 3, counted from 0":                            func(c *NATConfig) { c.Inside = []int{-1} },
		"interface 1 is both inside and outside: it can be one of them":                                 func(c *NATConfig) { c.Inside = []int{0, 1} },
		"interface 0 is named twice as inside":                                                          func(c *NATConfig) { c.Inside = []int{0, 0} },
		`there is no kind "cone": say full-cone, restricted-cone, port-restricted-cone or symmetric`:    func(c *NATConfig) { c.Kind = "cone" },
		"external address 10.0.0.1 isn't an IPv4 address of the outside interface r-eth1: add it there": func(c *NATConfig) { c.External = own4(0) },
		"ports 9-8: the first is greater than the last":                                                 func(c *NATConfig) { c.Ports = PortRange{9, 8} },
		"ports 0-8: port 0 can't be given out, begin with 1":                                            func(c *NATConfig) { c.Ports = PortRange{0, 8} },
		`forward of icmp port 1: there is no protocol "icmp" to forward: say tcp or udp`:                func(c *NATConfig) { c.Forwards = []PortForward{{ICMP, 1, at("10.0.0.2:1")}} },
		"forward of tcp port 0: it leads to 10.0.0.2:1: both ports must be from 1 to 65535":             func(c *NATConfig) { c.Forwards = []PortForward{{TCP, 0, at("10.0.0.2:1")}} },
		"forward of tcp port 1: it leads to [::1]:1: it must be the IPv4 address of a host":             func(c *NATConfig) { c.Forwards = []PortForward{{TCP, 1, at("[::1]:1")}} },
		"forward of tcp port 1: it leads to 10.0.0.1:1, the router itself: it must lead to a host":      func(c *NATConfig) { c.Forwards = []PortForward{{TCP, 1, at("10.0.0.1:1")}} },
		"forward of tcp port 1: this port is forwarded to 10.0.0.2:1 already": func(c *NATConfig) {
			c.Forwards = []PortForward{{TCP, 1, at("10.0.0.2:1")}, {UDP, 1, at("10.0.0.2:1")}, {TCP, 1, at("10.0.0.2:2")}}
		},
		"forward of tcp port 2: 10.0.0.2:1 has external port 1 already, and can have one only": func(c *NATConfig) {
			c.Forwards = []PortForward{{TCP, 1, at("10.0.0.2:1")}, {TCP, 2, at("10.0.0.2:1")}}
		},
		"the timeout for UDP connections is -1ns: it must not be negative":                 func(c *NATConfig) { c.Tracking.UDP = -1 },
		"at most -1 connections: there must be room for one or more, or 0 for the default": func(c *NATConfig) { c.Tracking.MaxEntries = -1 },
		`segments out of state: there is no action "keep": say accept, drop or reject`:     func(c *NATConfig) { c.Tracking.OutOfState = "keep" },
	} {
		c := good
		change(&c)
		_, err := b.router.SetNAT(c)
		require.EqualError(t, err, "router r: NAT: "+want)
		require.Nil(t, b.router.NAT())
	}
	good.Tracking.UDP = time.Second
	_, err := b.router.SetNAT(good)
	require.NoError(t, err)
	_, err = b.router.SetNAT(good)
	require.EqualError(t, err, "router r has a NAT already: it can have one")
	_, err = b.router.SetFirewall(FirewallConfig{Tracking: Tracking{UDP: time.Minute}})
	require.EqualError(t, err, "router r: firewall: NAT and the firewall track connections in one table, but say different things about it: say them in one place")
	_, err = b.router.SetFirewall(FirewallConfig{})
	require.NoError(t, err)
	require.Equal(t, time.Second, b.router.tracker.config.UDP)
	_, err = b.router.SetFirewall(FirewallConfig{})
	require.EqualError(t, err, "router r has a firewall already: add rules to it")
}
