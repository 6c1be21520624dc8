package netem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"netlab/units"
)

// Corrupt is how a wire damages frames: each with the probability, by flipping Bits different bits behind the Ethernet header, as
// if the damage had escaped the frame check sequence. Every bit is as likely as any other. Checksums of IP, TCP and UDP may catch it.
type Corrupt struct {
	Probability units.Probability
	Bits        int // 0 means 1; at most 160, which is the shortest IP packet
}

// maxCorruptBits is how many bits the shortest IP packet has, an IPv4 header.
const maxCorruptBits = 160

func (c *Corrupt) validate() error {
	switch {
	case !share(c.Probability):
		return wrongShare("corrupt", c.Probability)
	case c.Bits < 0 || c.Bits > maxCorruptBits:
		return fmt.Errorf("corrupt by %d bits: want 1 to %d", c.Bits, maxCorruptBits)
	}
	return nil
}

// String writes it for a log.
func (c Corrupt) String() string {
	if c.Bits <= 1 {
		return fmt.Sprintf("%s by 1 bit", c.Probability)
	}
	return fmt.Sprintf("%s by %d bits", c.Probability, c.Bits)
}

// corruption draws which bits of which frames are flipped.
type corruption struct {
	Corrupt
	random *rand.Rand
	flips  []int // in the present frame, from the first bit behind the Ethernet header, ascending
}

func (c *corruption) apply(v *verdict) {
	chosen := c.random.Float64() < c.Probability.Float()
	size := 8 * (v.size - etherHeader)
	if !chosen || size <= 0 {
		return
	}
	c.draw(size, min(max(c.Bits, 1), size)) // something shorter than an IP packet has all its bits flipped
	v.damage = c
}

// draw chooses count of size bits by Floyd's algorithm (Bentley and Floyd 1987, "A Sample of Brilliance", Communications of the ACM 30(9)):
// each set of bits is equally likely, and it takes count numbers.
func (c *corruption) draw(size, count int) {
	c.flips = c.flips[:0]
	for last := size - count; last < size; last++ {
		bit := c.random.IntN(last + 1)
		at, twice := slices.BinarySearch(c.flips, bit)
		if twice {
			bit, at = last, len(c.flips)
		}
		c.flips = slices.Insert(c.flips, at, bit)
	}
}

// words tells the bits by their byte in the frame, counted from 0 as packet analysers do.
func (c *corruption) words(*Frame) string {
	var text strings.Builder
	text.WriteString("corrupted: flipped")
	for i := 0; i < len(c.flips); {
		at, mask := c.flips[i]/8, 0
		separator := ","
		if i == 0 {
			separator = ""
		}
		for ; i < len(c.flips) && c.flips[i]/8 == at; i++ {
			mask |= 0x80 >> (c.flips[i] % 8)
		}
		fmt.Fprintf(&text, "%s 0x%02x in byte %d", separator, mask, etherHeader+at)
	}
	return text.String()
}

func (c *corruption) alter(f *Frame) {
	for _, bit := range c.flips {
		f.Data[etherHeader+bit/8] ^= 0x80 >> (bit % 8)
	}
}
