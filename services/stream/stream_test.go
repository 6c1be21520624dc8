package stream_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/figures"
	"netlab/services/stream"
	"netlab/units"
)

const ms = time.Millisecond

// config is a stream of a packet each millisecond.
func config(change func(c *stream.Config)) *stream.Config {
	c := stream.NewConfig()
	c.To, c.Rate, c.Packets = "b", 9.6e6, 1000
	if change != nil {
		change(c)
	}
	return c
}

// lab runs one stream from a to b and returns what both ends report.
func lab(t *testing.T, c testlab.Config, config *stream.Config, check func(l *testlab.Lab, r *stream.Result, s *stream.SinkResult)) {
	testlab.Run(t, c, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, stream.Sink, &stream.SinkConfig{Listen: ":5002"})
		sent, err := l.Workload(stream.Type, config, l.A)
		require.NoError(t, err)
		l.Sleep(time.Second)
		received, err := server.Stop()
		require.NoError(t, err)
		check(l, sent.(*stream.Result), received.(*stream.SinkResult))
	})
}

func TestCleanLink(t *testing.T) {
	const sent = 1242 * 8 * 100 // nanoseconds that a frame takes at 10 Mbit/s
	lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 10e6)}, config(nil), func(_ *testlab.Lab, r *stream.Result, s *stream.SinkResult) {
		require.Equal(t, &stream.Result{Sent: 1000, Bytes: 1.2e6, Duration: figures.Duration(999 * ms)}, r)
		require.EqualValues(t, 1000, s.Received)
		require.Equal(t, units.Bytes(1.2e6), s.Bytes)
		require.Zero(t, s.Lost+s.Reordered+s.Duplicates+s.Gaps+s.LongestGap+s.Foreign)
		require.Zero(t, *s.Loss)
		require.Zero(t, *s.Jitter)
		delay := units.Duration(10*ms + sent)
		require.Equal(t, &figures.Spread{Min: delay, Avg: delay, Max: delay}, s.Delay)
		require.Len(t, s.Sources, 1)
		for source, f := range s.Sources {
			require.Regexp(t, `^a:[0-9]+$`, source)
			require.Equal(t, s.Figures, f)
		}
	})
}

// tap keeps the times and RTP headers of the frames that leave a.
type tap struct {
	times     []time.Duration
	sequences []uint16
	stamps    []uint32
}

func (p *tap) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	if port != 0 || dir != netem.Outbound {
		return
	}
	packet := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	rtp := packet.Layer(layers.LayerTypeUDP).LayerPayload()
	p.times = append(p.times, at)
	p.sequences = append(p.sequences, binary.BigEndian.Uint16(rtp[2:]))
	p.stamps = append(p.stamps, binary.BigEndian.Uint32(rtp[4:]))
}

// At 7 Mbit/s, 1000 bytes take 8,000,000/7 ns: no whole number, and yet no drift.
func TestExactTimes(t *testing.T) {
	seen := &tap{}
	c := config(func(c *stream.Config) {
		c.Rate, c.Size, c.Packets, c.Duration = 7e6, 1000, 0, units.Duration(time.Second)
	})
	lab(t, testlab.Config{Forward: testlab.Wire(10*ms, 0), Tap: seen}, c, func(_ *testlab.Lab, r *stream.Result, s *stream.SinkResult) {
		require.EqualValues(t, 875, r.Sent)
		require.EqualValues(t, 875, s.Received)
		require.Zero(t, *s.Jitter)
	})
	require.Len(t, seen.times, 875)
	for i, at := range seen.times {
		require.EqualValues(t, int64(i)*8_000_000/7, at-seen.times[0], i)
		require.Equal(t, seen.sequences[0]+uint16(i), seen.sequences[i])
		require.EqualValues(t, int64(at-seen.times[0])*90_000/1_000_000_000, seen.stamps[i]-seen.stamps[0])
	}
}

func TestLossIsWhatTheLinkDropped(t *testing.T) {
	wire := testlab.Wire(10*ms, 0)
	wire.Loss = testlab.Loss(0.05)
	lab(t, testlab.Config{Forward: wire}, config(func(c *stream.Config) { c.Packets = 70_000 }), func(l *testlab.Lab, r *stream.Result, s *stream.SinkResult) {
		require.Equal(t, l.Dropped(0, netem.Forward), s.Lost)
		require.Equal(t, l.Delivered(0, netem.Forward), s.Received)
		require.Equal(t, r.Sent, s.Received+s.Lost)
		require.Equal(t, figures.Share(s.Lost, 70_000), s.Loss)
		require.Greater(t, s.Gaps, uint64(3000))
		require.Greater(t, s.LongestGap, uint64(1))
	})
}

func TestBurstAndMissingEnd(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, stream.Sink, &stream.SinkConfig{Listen: ":5002"})
		set := func(at time.Duration, down bool) {
			p := l.Links[0].Params(netem.Forward)
			p.Down = down
			l.At(at, func() { require.NoError(t, l.Links[0].Set(netem.Forward, p)) })
		}
		set(99500*time.Microsecond, true) // before packet 100
		set(199500*time.Microsecond, false)
		set(899500*time.Microsecond, true) // before packet 900
		l.Start(stream.Type, "camera", config(nil), l.A)
		l.Sleep(950*ms + 500*time.Microsecond)
		found, err := server.Stop()
		require.NoError(t, err)
		s := found.(*stream.SinkResult)
		require.EqualValues(t, 800, s.Received)
		// 100 packets in the middle, and from 900 on those that had come by now: 900 to 940.
		require.EqualValues(t, 141, s.Lost)
		require.EqualValues(t, 2, s.Gaps)
		require.EqualValues(t, 100, s.LongestGap)
	})
}

func TestJitterOfAVaryingLatency(t *testing.T) {
	wire := testlab.Wire(0, 0)
	var err error
	wire.Latency, err = units.Uniform(10*ms, 10*ms+500*time.Microsecond)
	require.NoError(t, err)
	lab(t, testlab.Config{Forward: wire}, config(nil), func(_ *testlab.Lab, _ *stream.Result, s *stream.SinkResult) {
		// The mean difference of two uniform delays is a third of the range: 167 µs.
		require.InDelta(t, 167e3, float64(*s.Jitter), 60e3)
		require.GreaterOrEqual(t, s.Delay.Min.Std(), 10*ms)
		require.LessOrEqual(t, s.Delay.Max.Std(), 10*ms+500*time.Microsecond)
	})
}

func TestNobodyListens(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		found, err := l.Workload(stream.Type, config(nil), l.A)
		require.NoError(t, err)
		r := found.(*stream.Result)
		require.EqualValues(t, 1000, r.Sent)
		require.EqualValues(t, 979, r.Refused) // the answer to packet i comes just after packet i+20 has left
	})
}

func TestSeveralStreams(t *testing.T) {
	testlab.Run(t, testlab.Config{Forward: testlab.Wire(10*ms, 0)}, func(t *testing.T, l *testlab.Lab) {
		server := l.Service(l.B, stream.Sink, &stream.SinkConfig{Listen: ":5002"})
		found, err := l.Workload(stream.Type, config(nil), l.A, l.B)
		require.NoError(t, err)
		require.EqualValues(t, 2000, found.(*stream.Result).Sent)
		l.Sleep(time.Second)
		found, err = server.Stop()
		require.NoError(t, err)
		s := found.(*stream.SinkResult)
		require.EqualValues(t, 2000, s.Received)
		names := map[string]uint64{}
		for source, f := range s.Sources {
			name, _, _ := strings.Cut(source, ":")
			names[name] += f.Received
		}
		require.Equal(t, map[string]uint64{"a": 1000, "b": 1000}, names)
		require.Equal(t, &figures.Spread{Min: 0, Avg: units.Duration(5 * ms), Max: units.Duration(10 * ms)}, s.Delay)
	})
}

func TestValidate(t *testing.T) {
	require.NoError(t, config(nil).Validate())
	require.EqualError(t, config(func(c *stream.Config) { c.Packets = 0 }).Validate(), "how much? want duration or packets")
	for field, change := range map[string]func(*stream.Config){
		"to":       func(c *stream.Config) { c.To = ":5002" },
		"rate":     func(c *stream.Config) { c.Rate = 0 },
		"size":     func(c *stream.Config) { c.Size = 59 },
		"packets":  func(c *stream.Config) { c.Duration = 1 },
		"duration": func(c *stream.Config) { c.Packets, c.Rate, c.Duration = 0, 1e12, units.Duration(100*time.Hour) },
	} {
		var wrong *services.FieldError
		require.ErrorAs(t, config(change).Validate(), &wrong)
		require.Equal(t, field, wrong.Field)
	}
}
