// Package random derives independent streams of random numbers from one seed.
//
// Every random choice of a run draws from a stream that belongs to the thing that asks: the stream depends on the run's
// seed, on the thing's name and on how many times the thing was restarted, and on nothing else. So a link that is added
// to a file does not change what happens on another one.
//
// A stream is a PCG-DXSM generator (O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms
// for Random Number Generation", 2014) of 16 bytes, keyed by the SHA-256 of its address.
package random

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// Stream returns the stream of the thing with that name in a run with that seed. incarnation counts its restarts, from 0.
func Stream(seed uint64, name string, incarnation uint64) *rand.Rand {
	return rand.New(source(seed, name, incarnation))
}

func source(seed uint64, name string, incarnation uint64) *rand.PCG {
	key := make([]byte, 16, 16+len(name))
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], incarnation)
	sum := sha256.Sum256(append(key, name...))
	return rand.NewPCG(binary.LittleEndian.Uint64(sum[0:]), binary.LittleEndian.Uint64(sum[8:]))
}

// Locked is a stream that several goroutines may use. It serves the interfaces that libraries ask for: math/rand's
// Source64 and io.Reader.
type Locked struct {
	mu  sync.Mutex
	pcg *rand.PCG
}

// NewLocked returns the stream that [Stream] would, behind a mutex.
func NewLocked(seed uint64, name string, incarnation uint64) *Locked {
	return &Locked{pcg: source(seed, name, incarnation)}
}

// Uint64 implements math/rand.Source64.
func (l *Locked) Uint64() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pcg.Uint64()
}

// Int63 implements math/rand.Source.
func (l *Locked) Int63() int64 { return int64(l.Uint64() >> 1) }

// Seed implements math/rand.Source. A stream is seeded once, when it is made; a call panics.
func (l *Locked) Seed(int64) { panic("random: a stream can't be seeded again") }

// Read fills p. It never fails.
func (l *Locked) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, l.pcg.Uint64())
		p = p[8:]
	}
	if len(p) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], l.pcg.Uint64())
		copy(p, last[:])
	}
	return n, nil
}
