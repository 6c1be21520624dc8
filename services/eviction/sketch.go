package eviction

import (
	"fmt"
	"math/bits"
	"reflect"
)

// The sketch's measures: rows of counters, the value at which a counter stays, the fewest entries that it is made for, how many counters a
// row has for each entry, and after how many uses for each entry all are halved.
const (
	rows       = 4
	countLimit = 15
	fewest     = 64
	perEntry   = 4
	period     = 10
)

// sketch is a count-min sketch of the recent uses of keys: an estimate is never less than the count, up to 15 and halvings aside.
type sketch[K comparable] struct {
	entries  int // a power of two
	counters [rows][]uint8
	uses     int // since the last halving
}

func newSketch[K comparable]() sketch[K] {
	s := sketch[K]{entries: fewest}
	for i := range s.counters {
		s.counters[i] = make([]uint8, fewest*perEntry)
	}
	return s
}

// fit makes the sketch as large as a cache of this many entries needs. A counter of the smaller one becomes two of the larger one, so
// that no estimate changes.
func (s *sketch[K]) fit(entries int) {
	for s.entries < entries {
		s.entries *= 2
		for i, row := range s.counters {
			s.counters[i] = append(row, row...)
		}
	}
}

// place is the index of a key's counter in a row.
func (s *sketch[K]) place(hash uint64, row int) uint64 {
	return mix(hash+uint64(row)*0x9e3779b97f4a7c15) & uint64(len(s.counters[row])-1)
}

func (s *sketch[K]) increment(key K) {
	h := hash(key)
	for i := range s.counters {
		if c := &s.counters[i][s.place(h, i)]; *c < countLimit {
			*c++
		}
	}
	s.uses++
	if s.uses < s.entries*period {
		return
	}
	for _, row := range s.counters {
		for i := range row {
			row[i] /= 2
		}
	}
	s.uses /= 2
}

func (s *sketch[K]) estimate(key K) uint8 {
	h, least := hash(key), uint8(countLimit)
	for i := range s.counters {
		least = min(least, s.counters[i][s.place(h, i)])
	}
	return least
}

// hash is the same in every run, which that of package hash/maphash is not.
func hash[K comparable](key K) uint64 {
	switch k := any(key).(type) {
	case string:
		return hashString(k)
	case int:
		return mix(uint64(k))
	case uint64:
		return mix(k)
	}
	switch v := reflect.ValueOf(key); {
	case v.CanInt():
		return mix(uint64(v.Int()))
	case v.CanUint():
		return mix(v.Uint())
	case v.Kind() == reflect.String:
		return hashString(v.String())
	}
	return hashString(fmt.Sprintf("%#v", key))
}

// hashString multiplies eight bytes at a time (after wyhash's mixing function).
func hashString(s string) uint64 {
	h := uint64(len(s)) ^ 0xa0761d6478bd642f
	for len(s) > 0 {
		var word uint64
		n := min(8, len(s))
		for i := range n {
			word |= uint64(s[i]) << (8 * i)
		}
		high, low := bits.Mul64(h^word, 0xe7037ed1a0b428db)
		h = high ^ low ^ word
		s = s[n:]
	}
	return mix(h)
}

// mix is the finalizer of splitmix64.
func mix(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
