package netem

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const sec = time.Second

func TestSwitchLearns(t *testing.T) {
	var l *lan
	bubble(t, Config{}, func(n *Network) {
		l = newLAN(t, n, 4, 0)
		l.send(1*sec, 0, mac(1), mac(0)) // nobody knows 1 yet
		l.send(2*sec, 1, mac(0), mac(1))
		l.send(3*sec, 0, mac(1), mac(0))
	})
	require.Equal(t, []received{{1, sec, 0}, {2, sec, 0}, {3, sec, 0}, {0, 2 * sec, 1}, {1, 3 * sec, 0}}, l.got)
	require.EqualValues(t, 1, l.sw.stats.Flooded)
	require.EqualValues(t, 2, l.sw.stats.Forwarded)
	require.Zero(t, l.sw.stats.Filtered)
}

// Group addresses go to all ports but one each time, and are never learnt, even from a station that has one as its source.
func TestSwitchFloodsGroupAddresses(t *testing.T) {
	multicast := [6]byte{0x33, 0x33, 0, 0, 0, 1}
	for _, dst := range [][6]byte{broadcast, multicast} {
		var l *lan
		bubble(t, Config{}, func(n *Network) {
			l = newLAN(t, n, 3, 0)
			l.send(1*sec, 1, mac(9), dst)
			l.send(2*sec, 0, dst, mac(0))
		})
		require.Len(t, l.got, 4)
		require.Equal(t, []received{{1, 2 * sec, 0}, {2, 2 * sec, 0}}, l.got[2:])
		require.Equal(t, SwitchStats{Flooded: 2}, l.sw.stats)
		require.Len(t, l.sw.table, 1)
	}
}

// A frame for a station at the port that it came from stays there.
func TestSwitchFilters(t *testing.T) {
	var l *lan
	bubble(t, Config{}, func(n *Network) {
		l = newLAN(t, n, 3, 0)
		l.send(1*sec, 0, broadcast, mac(7)) // 7 is behind port 0 too
		l.send(2*sec, 0, mac(7), mac(0))
		l.send(3*sec, 0, mac(0), mac(0))
	})
	require.Len(t, l.got, 2)
	require.Equal(t, SwitchStats{Flooded: 1, Filtered: 2}, l.sw.stats)
}

// A station is remembered for exactly the configured time after it was last seen, and then forgotten.
func TestSwitchForgets(t *testing.T) {
	for _, ageing := range []time.Duration{0, 10 * sec} {
		var l *lan
		var stations [2]int
		age := ageing
		if age == 0 {
			age = DefaultAgeing
		}
		bubble(t, Config{}, func(n *Network) {
			l = newLAN(t, n, 3, ageing)
			l.send(1*sec, 0, broadcast, mac(0))
			l.send(1*sec+age/2, 0, broadcast, mac(0)) // seen again
			last := 1*sec + age/2
			l.send(last+age, 1, mac(0), mac(1))
			after := l.NewOwner() // whose events come after those of the links
			l.At(after, KindWake, last+age, func() { stations[0] = l.sw.Stats().Stations })
			l.send(last+age+1, 1, mac(0), mac(1))
			l.At(after, KindWake, last+age+1, func() { stations[1] = l.sw.Stats().Stations })
		})
		require.EqualValues(t, 1, l.sw.stats.Forwarded)
		require.EqualValues(t, 3, l.sw.stats.Flooded)
		require.Equal(t, [2]int{2, 1}, stations)
	}
}

func TestSwitchFollowsAStationThatMoves(t *testing.T) {
	var l *lan
	bubble(t, Config{}, func(n *Network) {
		l = newLAN(t, n, 3, 0)
		l.send(1*sec, 0, broadcast, mac(7))
		l.send(2*sec, 1, broadcast, mac(7))
		l.send(3*sec, 2, mac(7), mac(2))
	})
	require.Equal(t, received{1, 3 * sec, 2}, l.got[len(l.got)-1])
	require.Len(t, l.got, 5)
}

// Two switches in a row: each learns what is behind the other.
func TestSwitchBehindSwitch(t *testing.T) {
	var l, r *lan
	bubble(t, Config{}, func(n *Network) {
		l, r = newLAN(t, n, 2, 0), newLAN(t, n, 2, 0)
		l.join(t, r.sw.NewPort(n, PortConfig{Node: 101, Name: "trunk"}))
		l.send(1*sec, 0, mac(2), mac(0))
		r.send(2*sec, 0, mac(0), mac(2))
		l.send(3*sec, 0, mac(2), mac(0))
	})
	require.Equal(t, []received{{1, sec, 0}, {0, 2 * sec, 2}}, l.got)
	require.Equal(t, []received{{0, sec, 0}, {1, sec, 0}, {0, 3 * sec, 0}}, r.got)
	for _, sw := range []*Switch{l.sw, r.sw} {
		require.Equal(t, SwitchStats{Forwarded: 2, Flooded: 1}, sw.stats)
	}
}

func TestSwitchWithOnePortAndShortFrames(t *testing.T) {
	bubble(t, Config{}, func(n *Network) {
		check := stock(t, n.Engine)
		l := newLAN(t, n, 1, 0)
		l.send(1*sec, 0, broadcast, mac(0))
		l.At(0, KindControl, 2*sec, func() { l.ports[0].Forward(2*sec, l.NewFrame(13)) })
		l.At(0, KindWake, 3*sec, func() {
			check()
			require.Equal(t, SwitchStats{Flooded: 1, Stations: 1}, l.sw.Stats())
		})
	})
}

func TestSwitchConfig(t *testing.T) {
	_, err := NewSwitch(-1)
	require.EqualError(t, err, "ageing of -1ns: want a positive duration")
	sw, err := NewSwitch(0)
	require.NoError(t, err)
	require.Zero(t, sw.Stats())
}

// A switch makes as many copies of a frame as there are ports to send it to, and gives up none.
func FuzzSwitch(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 14))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06"))
	f.Add([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00rest"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > DefaultMTU {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			n := NewNetwork(NewEngine(Config{}), 1)
			l := newLAN(t, n, 4, 0)
			check := stock(t, n.Engine)
			for i := range l.ports {
				l.ports[i].SetReceive(func(at time.Duration, got *Frame) {
					if at > 0 {
						require.Equal(t, string(data), string(got.Data))
					}
					l.got = append(l.got, received{port: i})
					got.Release()
				})
			}
			l.send(0, 1, broadcast, mac(1)) // a station that is known
			for i := range 2 {              // the second time the switch may know the destination
				l.At(0, KindControl, time.Duration(i+1)*sec, func() {
					l.got = nil
					before := l.sw.stats
					frame := l.NewFrame(len(data))
					copy(frame.Data, data)
					l.ports[0].Forward(l.Elapsed(), frame)
					l.At(0, KindWake, l.Elapsed()+1, func() {
						s := l.sw.stats
						want := 3*(s.Flooded-before.Flooded) + s.Forwarded - before.Forwarded
						require.EqualValues(t, want, len(l.got))
						if len(data) >= etherHeader {
							require.EqualValues(t, 1, s.Flooded+s.Forwarded+s.Filtered-before.Flooded-before.Forwarded-before.Filtered)
						}
					})
				})
			}
			l.At(0, KindWake, 4*sec, n.Stop)
			require.NoError(t, n.Run(t.Context()))
			check()
		})
	})
}
