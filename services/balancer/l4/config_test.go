package l4

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/ip"
	"netlab/units"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, ""},
		{Config{Mode: NAT, SourceNAT: true, OnBackendDown: Reset, Table: Table{Entries: 1, SYN: 1}}, ""},
		{Config{Mode: "dsr"}, `mode: "dsr" is not one of proxy, nat, direct`},
		{Config{Protocol: "sctp"}, `protocol: "sctp" is not one of tcp, udp`},
		{Config{Mode: Direct}, "address: missing: in the mode direct"},
		{Config{Mode: NAT, Address: "127.0.0.1"}, "address: 127.0.0.1 can't be the address of a service: want one of a host"},
		{Config{Address: "shop"}, "address: a proxy listens on all addresses of its host"},
		{Config{SourceNAT: true}, "source_nat: only the mode nat has it: found mode proxy"},
		{Config{Mode: NAT, IdleTimeout: 1}, "idle_timeout: only the mode proxy has it"},
		{Config{Mode: Direct, Address: "shop", OnBackendDown: Reset}, "on_backend_down: in the mode direct"},
		{Config{Protocol: UDP, OnBackendDown: Reset}, "on_backend_down: UDP knows no reset"},
		{Config{Mode: NAT, Table: Table{Entries: -1}}, "table.entries: found -1, wanted 1 to 1048576"},
		{Config{Table: Table{WhenFull: Oldest}}, "table.when_full: a proxy has no table"},
		{Config{Mode: NAT, Table: Table{UDP: 1}}, "table.udp: it is for udp, and this balancer is for tcp"},
		{Config{Table: Table{SYN: 1}}, "table.syn: the mode proxy has idle_timeout instead"},
		{Config{Mode: NAT, Table: Table{FIN: -1}}, "table.fin: found -1ns, wanted more than 0s and at most a year"},
	} {
		err := c.config.Validate()
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
}

// The state of a connection follows the segments of both sides; where one side isn't seen, those of the other.
func TestStates(t *testing.T) {
	type step struct {
		direction int
		flags     uint8
		want      uint8
		over      bool
	}
	for _, c := range []struct {
		blind bool
		steps []step
	}{
		{false, []step{{forward, ip.SYN, stateSYN, false}, {backward, ip.SYN | ip.ACK, stateSYN, false}, {forward, ip.ACK, stateEstablished, false},
			{backward, ip.FIN | ip.ACK, stateFIN, false}, {forward, ip.ACK, stateFIN, false}, {forward, ip.FIN | ip.ACK, stateFIN, true}}},
		{false, []step{{forward, ip.SYN, stateSYN, false}, {forward, ip.ACK, stateSYN, false}, {backward, ip.RST, stateFIN, true}}},
		{true, []step{{forward, ip.SYN, stateSYN, false}, {forward, ip.ACK, stateEstablished, false}, {forward, ip.FIN | ip.ACK, stateFIN, true}}},
	} {
		s := tcpState{blind: c.blind}
		for i, step := range c.steps {
			require.Equal(t, step.want, s.see(step.direction, step.flags), "%d", i)
			require.Equal(t, step.over, s.over(), "%d", i)
		}
	}
}

// The oldest is the one that times out first, whatever the state.
func TestOldest(t *testing.T) {
	table := newTable(&Config{Table: Table{SYN: units.Duration(10 * time.Second), Established: units.Duration(20 * time.Second), FIN: units.Duration(5 * time.Second)}})
	a, b := &entry{}, &entry{}
	a.arrives[forward].Protocol, b.arrives[forward].Protocol = 1, 2
	table.add(a, false)
	table.heard(a, stateSYN, 0)
	table.add(b, false)
	table.heard(b, stateSYN, time.Second)
	require.Same(t, a, table.oldest())
	table.heard(a, stateEstablished, 2*time.Second)
	require.Same(t, b, table.oldest())
	table.heard(a, stateFIN, 3*time.Second)
	require.Same(t, a, table.oldest())
	table.remove(a)
	table.remove(b)
	require.Nil(t, table.oldest())
	require.Empty(t, table.entries)
}

// Ports are given out once each.
func TestPorts(t *testing.T) {
	var c portCursor
	taken := map[uint16]bool{}
	free := func(p uint16) bool {
		if taken[p] {
			return false
		}
		taken[p] = true
		return true
	}
	require.True(t, c.find(2000, free))
	require.True(t, taken[2000])
	for len(taken) < lastPort-firstPort+1 {
		require.True(t, c.find(40000, free))
	}
	require.False(t, c.find(2000, free))
}
