package captures

// chunkSize is the size of the pieces in which a set keeps frames until they are flushed.
const chunkSize = 64 << 10

// maxSpare is how many emptied chunks a set keeps for later.
const maxSpare = 64

// buffer holds the blocks of all files between two flushes, in the order in which they came. A block lies in one chunk.
// Memory so depends on the number of bytes and not on the number of files.
type buffer struct {
	chunks [][]byte
	spare  [][]byte
	used   int
}

// extent is a run of whole blocks of one file in one chunk.
type extent struct{ chunk, from, to int }

// room returns a chunk with at least n free bytes: its number and what it holds, to be appended to.
func (b *buffer) room(n int) (int, []byte) {
	last := len(b.chunks) - 1
	if last >= 0 && cap(b.chunks[last])-len(b.chunks[last]) >= n {
		return last, b.chunks[last]
	}
	switch spare := len(b.spare) - 1; {
	case n > chunkSize:
		b.chunks = append(b.chunks, make([]byte, 0, n))
	case spare >= 0:
		b.chunks = append(b.chunks, b.spare[spare])
		b.spare = b.spare[:spare]
	default:
		b.chunks = append(b.chunks, make([]byte, 0, chunkSize))
	}
	return last + 1, b.chunks[last+1]
}

// keep stores a chunk to which something was appended and returns where that lies.
func (b *buffer) keep(chunk int, data []byte) extent {
	from := len(b.chunks[chunk])
	b.chunks[chunk] = data
	b.used += len(data) - from
	return extent{chunk, from, len(data)}
}

func (b *buffer) bytes(e extent) []byte { return b.chunks[e.chunk][e.from:e.to] }

// reset forgets everything and keeps some chunks for later.
func (b *buffer) reset() {
	for i, c := range b.chunks {
		if cap(c) == chunkSize && len(b.spare) < maxSpare {
			b.spare = append(b.spare, c[:0])
		}
		b.chunks[i] = nil
	}
	b.chunks = b.chunks[:0]
	b.used = 0
}
