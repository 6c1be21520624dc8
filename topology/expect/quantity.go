package expect

import (
	"errors"
	"math"
	"math/big"
	"strconv"
)

// quantity is a number in an expression: an exact fraction, in nanoseconds, bytes, bits per second and so on.
type quantity struct {
	*big.Rat
	// measured says that it came from a floating-point figure. That is taken for the decimal number that it prints as,
	// which may be off by half of its last bit; so it is compared as a floating-point number.
	measured bool
}

// errZero is a division by zero.
var errZero = errors.New("division by zero")

// quantityOf returns a figure's value as a number; ok is false if it has none.
func quantityOf(value any) (q quantity, ok bool) {
	switch v := value.(type) {
	case int64:
		return quantity{Rat: new(big.Rat).SetInt64(v)}, true
	case uint64:
		return quantity{Rat: new(big.Rat).SetUint64(v)}, true
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return quantity{}, false
		}
		r, ok := new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64))
		return quantity{Rat: r, measured: true}, ok
	}
	return quantity{}, false
}

func (q quantity) compare(other quantity) int {
	if q.measured || other.measured {
		a, _ := q.Float64()
		b, _ := other.Float64()
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	return q.Cmp(other.Rat)
}

func add(a, b quantity) (quantity, error) {
	return quantity{new(big.Rat).Add(a.Rat, b.Rat), a.measured || b.measured}, nil
}

func subtract(a, b quantity) (quantity, error) {
	return quantity{new(big.Rat).Sub(a.Rat, b.Rat), a.measured || b.measured}, nil
}

func multiply(a, b quantity) (quantity, error) {
	return quantity{new(big.Rat).Mul(a.Rat, b.Rat), a.measured || b.measured}, nil
}

func divide(a, b quantity) (quantity, error) {
	if b.Sign() == 0 {
		return quantity{}, errZero
	}
	return quantity{new(big.Rat).Quo(a.Rat, b.Rat), a.measured || b.measured}, nil
}

func negate(a quantity) quantity { return quantity{new(big.Rat).Neg(a.Rat), a.measured} }

// The functions of the language; their names are reserved.

func largest(list ...quantity) quantity {
	best := list[0]
	for _, q := range list[1:] {
		if q.compare(best) > 0 {
			best = q
		}
	}
	return best
}

func smallest(list ...quantity) quantity {
	best := list[0]
	for _, q := range list[1:] {
		if q.compare(best) < 0 {
			best = q
		}
	}
	return best
}

func sum(list ...quantity) quantity {
	total := quantity{Rat: new(big.Rat)}
	for _, q := range list {
		total, _ = add(total, q)
	}
	return total
}

func mean(list ...quantity) quantity {
	total := sum(list...)
	total.Quo(total.Rat, new(big.Rat).SetInt64(int64(len(list))))
	return total
}

func abs(q quantity) quantity { return quantity{new(big.Rat).Abs(q.Rat), q.measured} }
