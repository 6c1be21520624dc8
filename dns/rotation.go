package dns

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// rotation is a list of addresses and the order in which the next answer gives them.
type rotation struct {
	addresses []netip.Addr
	way       Rotation
	next      int        // round-robin: where the next answer begins
	random    *rand.Rand // random
}

func newRotation(addresses []netip.Addr, way Rotation, stream func(string) *rand.Rand, name string) (*rotation, error) {
	r := &rotation{addresses: addresses, way: way}
	switch way {
	case RoundRobin, Fixed:
	case Shuffled:
		if stream == nil {
			return nil, fmt.Errorf("the rotation %q needs a random stream", way)
		}
		r.random = stream(name)
	default:
		return nil, fmt.Errorf("the rotation %q is not one of %s, %s, %s", way, RoundRobin, Fixed, Shuffled)
	}
	return r, nil
}

// turn returns the addresses for the next answer.
func (r *rotation) turn() []netip.Addr {
	list := make([]netip.Addr, 0, len(r.addresses))
	switch {
	case len(r.addresses) == 0:
	case r.way == RoundRobin:
		list = append(append(list, r.addresses[r.next:]...), r.addresses[:r.next]...)
		r.next = (r.next + 1) % len(r.addresses)
	default:
		list = append(list, r.addresses...)
		if r.way == Shuffled {
			r.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	}
	return list
}
