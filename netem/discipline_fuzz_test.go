package netem

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzQueues puts frames of any content into every discipline, changes its parameters and moves what waits into another one. Nothing
// is lost, whatever the frames hold. Each byte of the steps is one step.
func FuzzQueues(f *testing.F) {
	f.Add(udpFrame(false, 1, 1, 60), []byte{0, 1, 2, 40, 250, 3, 9, 251})
	f.Add(udpFrame(true, 2, 1, 100), []byte{0, 0, 0, 0, 252, 2, 2, 2, 253})
	f.Add([]byte{}, []byte{0, 5, 254, 255})
	f.Add([]byte{12: 8}, []byte{1, 1, 1, 1, 1, 3, 3})
	list := queues()
	names := sortedKeys(list)
	f.Fuzz(func(t *testing.T, data, steps []byte) {
		b := onBench(t, list[names[0]])
		p := Params{MTU: DefaultMTU, Queue: list[names[0]].withDefaults(DefaultMTU)}
		at, left := time.Duration(0), 0
		for _, step := range steps {
			at += time.Duration(step) * 100 * time.Microsecond
			switch {
			case step >= 240: // another queue
				before := p.Queue.kind()
				p.Queue = list[names[int(b.ids+uint64(step))%len(names)]].withDefaults(DefaultMTU)
				if before == p.Queue.kind() && b.tune(at, &p) {
					break
				}
				old := b.discipline
				b.discipline = newDiscipline(at, &p, &b.sink, &streams{net: NewNetwork(NewEngine(Config{RealTime: true}), 1)})
				for old.len() > 0 {
					b.enqueue(at, old.empty(at))
				}
				require.Zero(t, old.size())
			case step%3 == 2:
				if b.dequeue(at) != nil {
					left++
				}
			default:
				frame := append([]byte{}, data...)
				if len(frame) > 0 {
					frame[int(step)%len(frame)] ^= step
				}
				b.put(at, frame)
			}
			require.Equal(t, int(b.ids), b.len()+left+len(b.drops))
		}
		for b.empty(at) != nil {
			left++
		}
		require.Equal(t, int(b.ids), left+len(b.drops))
		require.Zero(t, b.size())
	})
}
