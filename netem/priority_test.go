package netem

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

// Each band is served only while those before it are empty: a stream of the first that fills the link starves the others for as
// long as it lasts, to the packet.
func TestPriorityStarves(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		const ef, le = 46 << 2, 1 << 2
		w := onWire(t, Params{Rate: units.FixedRate(8 * mbit), Queue: Queue{Discipline: Priority}}, func(w *wire) {
			frame := func(class byte) []byte { return udpFrame(v6, class, 1, 1000) }
			w.sendData(0, frame(le), frame(le), frame(0), frame(0)) // 1, which is sent at once, 2, 3, 4
			for i := range 100 {                                    // 5 to 104
				w.sendData(time.Duration(i)*ms, frame(ef))
			}
		})
		want := []uint64{1}
		for i := range uint64(100) {
			want = append(want, 5+i)
		}
		want = append(want, 3, 4, 2)
		for i, a := range w.arrivals {
			require.Equal(t, want[i], a.id)
			require.Equal(t, time.Duration(i+1)*ms, a.at)
		}
	})
}

func TestDefaultBands(t *testing.T) {
	bands := DefaultBands()
	var of [3][]int
	for dscp, band := range bands {
		of[band] = append(of[band], dscp)
	}
	require.Equal(t, []int{40, 44, 46, 48, 56}, of[0], "CS5, VA, EF, CS6, CS7")
	require.Equal(t, []int{1, 8}, of[2], "LE, CS1")
	require.Len(t, of[1], 64-7)
}

// The table decides by DSCP alone; what isn't IP goes first; each band has the whole limit.
func TestPriorityBands(t *testing.T) {
	each(t, func(t *testing.T, v6 bool) {
		q := Queue{Discipline: Priority, BandCount: 64, Limit: units.QueueLimit{Packets: 2}}
		for i := range q.Bands {
			q.Bands[i] = uint8(i)
		}
		b := onBench(t, q)
		for dscp := 63; dscp >= 0; dscp-- {
			for range 3 {
				b.put(0, udpFrame(v6, byte(dscp<<2|dscp&3), 1, 100))
			}
		}
		require.Equal(t, 128, b.len())
		require.Len(t, b.drops, 64)
		require.Equal(t, gone{0, 3, DropQueueFull}, b.drops[0])
		for dscp := range 64 {
			for range 2 {
				require.EqualValues(t, dscp, trafficClass(b.dequeue(0))>>2)
			}
		}
	})
	q := Queue{Discipline: Priority}
	b := onBench(t, q)
	b.put(0, udpFrame(false, 0, 1, 100))
	arp := make([]byte, 60)
	binary.BigEndian.PutUint16(arp[etherTypeAt:], EtherTypeARP)
	b.put(0, arp)
	require.EqualValues(t, 2, b.dequeue(0).ID)
}
