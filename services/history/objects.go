package history

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sum is a hash of 128 bits. Elements get the first half of their SHA-256, so that two sets or lists with the same sum are taken as equal.
type sum [2]uint64

// state is the state of an object, whichever it is. The zero value is that at the beginning.
type state struct {
	// text is the value of a register behind "=", or "" if it has none; of a set, those elements that are added more than once; of the
	// accounts, their balances.
	text string
	// number is the value of a counter, or how many elements there are.
	number int64
	// sum is made of the elements.
	sum sum
}

// step is an operation as the searches use it.
type step struct {
	op      *Operation
	unknown bool
	// due is by when it must have taken effect: its completion, or of an unknown operation the first completion of one that saw it.
	due time.Duration
	// from is what a compare-and-set expects, to what it or a write leaves; amount is that of an increment or a transfer.
	from, to string
	amount   int64
	// element is that of an add or append; again says that others add the same.
	element sum
	again   bool
	// sees is the state that a read must find, or an increment leave, if answers is set.
	sees    state
	answers bool
	// class and rank: of unknown operations that do the same the one that was invoked first is tried first. class is -1 for others.
	class, rank int
}

// apply returns the state after a step, and whether the step is possible.
func (s state) apply(t *step) (state, bool) {
	switch t.op.Kind {
	case Write:
		s.text = t.to
	case CAS:
		if s.text != t.from {
			return s, t.unknown
		}
		s.text = t.to
	case Increment:
		s.number += t.amount
		return s, !t.answers || s.number == t.sees.number
	case Add:
		if t.again {
			var is bool
			if s.text, is = insert(s.text, t.to); is {
				return s, true
			}
		}
		s.number++
		for i := range s.sum {
			s.sum[i] += t.element[i]
		}
	case Append:
		s.number++
		s.sum = s.sum.chain(t.element)
	case Transfer:
		s.text = t.transfer(s.text)
	case Balances:
		return t.sees, s.text == "" || s.text == t.sees.text
	case Read:
		return s, s.text == t.sees.text
	case Count:
		return s, s.number == t.sees.number
	case Members, List:
		return s, s.number == t.sees.number && s.sum == t.sees.sum
	}
	return s, true
}

// chain returns the sum of a list with one more element (the finaliser of SplitMix64 on both halves).
func (s sum) chain(e sum) sum {
	for i := range s {
		x := bits.RotateLeft64(s[i], 23)*0x9e3779b97f4a7c15 + e[i]
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		s[i] = x ^ x>>31
	}
	return s
}

// insert adds an element to a sorted list in a text, or says that it is there.
func insert(text, element string) (string, bool) {
	var list []string
	if text != "" {
		list = strings.Split(text, "\x00")
	}
	quoted := strconv.Quote(element)
	i, found := slices.BinarySearch(list, quoted)
	if found {
		return text, true
	}
	return strings.Join(slices.Insert(list, i, quoted), "\x00"), false
}

// accountsText writes balances, which are in the order of the accounts' names, as a text.
func accountsText(output []string) string {
	pairs := make([]string, 0, len(output)/2)
	for i := 0; i+1 < len(output); i += 2 {
		if n := num(output[i+1]); n != 0 { // an account that isn't there has nothing
			pairs = append(pairs, strconv.Quote(output[i])+"="+strconv.FormatInt(n, 10))
		}
	}
	slices.Sort(pairs)
	return "\x00" + strings.Join(pairs, "\x00")
}

// transfer changes the text of balances. Before they are known, which is with the first read, it changes nothing.
func (t *step) transfer(text string) string {
	if text == "" {
		return ""
	}
	pairs := []string{}
	if text != "\x00" {
		pairs = strings.Split(text[1:], "\x00")
	}
	change := func(account string, by int64) {
		prefix := strconv.Quote(account) + "="
		for i, pair := range pairs {
			if rest, found := strings.CutPrefix(pair, prefix); found {
				by += num(rest)
				pairs = slices.Delete(pairs, i, i+1)
				break
			}
		}
		if by != 0 {
			pairs = append(pairs, prefix+strconv.FormatInt(by, 10))
		}
	}
	change(t.from, -t.amount)
	change(t.to, t.amount)
	slices.Sort(pairs)
	return "\x00" + strings.Join(pairs, "\x00")
}

// sumOf returns the hash of an element.
func (c *checker) sumOf(element string) sum {
	s, found := c.sums[element]
	if !found {
		h := sha256.Sum256([]byte(element))
		s = sum{binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])}
		c.sums[element] = s
	}
	return s
}

// newStep makes an operation ready.
func (c *checker) newStep(o *Operation) step {
	t := step{op: o, unknown: o.Outcome == Unknown, due: o.Completed, class: -1}
	if t.unknown {
		t.due = never
	}
	switch o.Kind {
	case Write:
		t.to = "=" + o.Input[0]
	case CAS:
		t.from, t.to = "="+o.Input[0], "="+o.Input[1]
	case Increment:
		t.amount = num(o.Input[0])
		if t.answers = !t.unknown && len(o.Output) == 1; t.answers {
			t.sees.number = num(o.Output[0])
		}
	case Add, Append:
		t.to, t.element = o.Input[0], c.sumOf(o.Input[0])
	case Transfer:
		t.from, t.to, t.amount = o.Input[0], o.Input[1], num(o.Input[2])
	case Read:
		if o.Found {
			t.sees.text = "=" + o.Output[0]
		}
	case Count:
		if len(o.Output) == 1 {
			t.sees.number = num(o.Output[0])
		}
	case Balances:
		t.sees.text = accountsText(o.Output)
	case List:
		for _, e := range o.Output {
			t.sees.sum = t.sees.sum.chain(c.sumOf(e))
		}
		t.sees.number = int64(len(o.Output))
	case Members:
		seen := map[string]bool{}
		for _, e := range o.Output {
			if seen[e] {
				continue
			}
			seen[e] = true
			of := c.sumOf(e)
			t.sees.sum[0], t.sees.sum[1] = t.sees.sum[0]+of[0], t.sees.sum[1]+of[1]
		}
		t.sees.number = int64(len(seen))
	}
	return t
}
