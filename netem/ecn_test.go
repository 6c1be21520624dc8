package netem

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// Packets that allow it are marked, and nothing else of them changes but IPv4's checksum, which stays right.
func TestMark(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		for class := range 256 {
			data := udpFrame(v6, byte(class), 1, 100)
			f := &Frame{Data: append([]byte{}, data...)}
			require.Equal(t, byte(class), trafficClass(f))
			require.Equal(t, byte(class)&3, congestion(f))
			setCongestionExperienced(f)
			require.Equal(t, udpFrame(v6, byte(class)|3, 1, 100), f.Data)
		}
	})
}

// A checksum that is wrong stays wrong by as much, whatever the header (RFC 1624).
func TestMarkKeepsAWrongChecksumWrong(t *testing.T) {
	for wrong := range 0x10000 {
		f := &Frame{Data: udpFrame(false, 2, 1, 60)}
		ip := f.Data[etherHeader:]
		binary.BigEndian.PutUint16(ip[4:], uint16(wrong)) // the identification: the checksum doesn't fit any more
		before := headerChecksum(ip[:20])
		setCongestionExperienced(f)
		require.Equal(t, zeroSum(before), zeroSum(headerChecksum(ip[:20])))
	}
}

// zeroSum makes one of ones' complement's two zeros of the other.
func zeroSum(sum uint16) uint16 {
	if sum == 0xffff {
		return 0
	}
	return sum
}

// Frames that aren't IP, or too short to be, have no ECN field.
func TestNoMarkOnWhatIsNotIP(t *testing.T) {
	whole := udpFrame(false, 3, 1, 60)
	six := udpFrame(true, 0x33, 1, 100)
	arp := append([]byte{}, whole...)
	binary.BigEndian.PutUint16(arp[etherTypeAt:], EtherTypeARP)
	for _, data := range [][]byte{nil, whole[:10], whole[:33], six[:53], arp} {
		require.EqualValues(t, notECT, congestion(&Frame{Data: data}))
	}
}

// On a link, a mark is counted by what made it and noted at both ends; Not-ECT is dropped in its place; CE counts again.
func TestMarksOnALink(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		q := Queue{Discipline: RED, MinThreshold: 1, MaxThreshold: 2000, MaxProbability: 1, Weight: 1, ECN: true}
		w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: q}, func(w *wire) {
			frame := func(ecn byte) []byte { return udpFrame(v6, 0xb8|ecn, 1, 1000) }
			// One is sent and one waits, which is half of the threshold: the third is dropped or marked with probability 1/2 or more.
			for i := range 200 {
				w.sendData(time.Duration(2*i+3)*time.Millisecond, frame(0), frame(0), frame(byte(i%4)))
			}
		})
		s := w.link.Stats(Forward)
		require.NotZero(t, s.Marked[DropRED])
		require.NotZero(t, s.Dropped[DropRED])
		require.Equal(t, s.Marked[DropRED], s.Marked.Total())
		marked := 0
		for _, tap := range w.taps {
			if tap.comment == "marked CE by RED on a--b" {
				marked++
			}
		}
		require.NotZero(t, marked)
		require.Zero(t, marked%2, "at both ends")
		require.Less(t, marked/2, int(s.Marked[DropRED]), "those with CE are counted and not marked again")
		history := w.link.QueueStats(Forward)
		var marks, drops uint64
		for _, b := range history.Buckets {
			marks, drops = marks+b.Marked, drops+b.Dropped
		}
		require.Equal(t, s.Marked.Total(), marks)
		require.Equal(t, s.Dropped.Total(), drops)
	})
}
