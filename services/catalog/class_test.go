package catalog_test

import (
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/ping"
	"netlab/services/stream"
	"netlab/services/transfer"
)

// classes counts IP packets by the port that sent them and what their byte with DSCP and ECN says.
type classes map[netem.PortID]map[uint8]int

func (c classes) Frame(_ time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	if dir != netem.Outbound {
		return
	}
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.NoCopy)
	class := uint8(0)
	switch l := p.NetworkLayer().(type) {
	case *layers.IPv4:
		class = l.TOS
	case *layers.IPv6:
		class = l.TrafficClass
	}
	if c[port] == nil {
		c[port] = map[uint8]int{}
	}
	c[port][class]++
}

const ef = 46

// marked runs a workload from a to a service on b and returns what the packets of both say, and what the service reports.
func marked(t *testing.T, v6 bool, wire netem.Params, service services.Type, config services.Config, workload services.Type, client services.Config) (classes, any) {
	seen := classes{}
	var found any
	testlab.Run(t, testlab.Config{Forward: wire, PreferIPv6: v6, Tap: seen}, func(t *testing.T, l *testlab.Lab) {
		var running *testlab.Instance
		if service.New != nil {
			running = l.Service(l.B, service, config)
			l.Sleep(ms)
		}
		_, err := l.Workload(workload, client, l.A)
		require.NoError(t, err)
		l.Sleep(time.Second)
		if running != nil {
			found, err = running.Stop()
			require.NoError(t, err)
		}
	})
	return seen, found
}

func TestDSCP(t *testing.T) {
	wire := testlab.Wire(10*ms, 10e6)
	for _, v6 := range []bool{false, true} {
		pings := ping.NewConfig()
		pings.To, pings.DSCP = "b", ef
		seen, _ := marked(t, v6, wire, services.Type{}, nil, ping.Type, pings)
		require.Equal(t, map[uint8]int{ef << 2: 5}, seen[portA])
		require.Equal(t, map[uint8]int{ef << 2: 5}, seen[portB], "the stack answers with the class of the request")

		video := stream.NewConfig()
		video.To, video.Rate, video.Packets, video.DSCP, video.ECN = "b", 1e6, 20, ef, true
		seen, _ = marked(t, v6, wire, stream.Sink, &stream.SinkConfig{Listen: ":5002"}, stream.Type, video)
		require.Equal(t, map[uint8]int{ef<<2 | 2: 20}, seen[portA])

		for _, direction := range []string{transfer.Upload, transfer.Download} {
			bulk := transfer.NewConfig()
			bulk.To, bulk.Bytes, bulk.Direction, bulk.DSCP = "b", 100_000, direction, 10
			seen, _ = marked(t, v6, wire, transfer.Sink, &transfer.SinkConfig{Listen: ":5001"}, transfer.Type, bulk)
			require.Len(t, seen[portA], 1)
			require.NotZero(t, seen[portA][10<<2])
			require.LessOrEqual(t, seen[portB][0], 2, "the handshake and the acknowledgement of the first line")
			require.Greater(t, seen[portB][10<<2], 2)
		}
	}
}

// What a queue marks instead of dropping it arrives, and the sink counts the marks.
func TestMarksOfCongestion(t *testing.T) {
	wire := testlab.Wire(10*ms, 1e6)
	wire.Queue = netem.Queue{Discipline: netem.RED, MinThreshold: 1, MaxThreshold: 200_000, MaxProbability: 0.5, Weight: 1, ECN: true}
	for _, v6 := range []bool{false, true} {
		for _, ecn := range []bool{false, true} {
			video := stream.NewConfig()
			video.To, video.Rate, video.Packets, video.ECN = "b", 1.1e6, 200, ecn
			_, found := marked(t, v6, wire, stream.Sink, &stream.SinkConfig{Listen: ":5002"}, stream.Type, video)
			s := found.(*stream.SinkResult)
			require.Equal(t, ecn, s.Marked > 0)
			require.Equal(t, ecn, s.Lost == 0)
			require.LessOrEqual(t, s.Marked, s.Received)
		}
	}
}
