package units

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Table is the data of an empirical distribution: durations that were measured,
// each with a weight. It does not change after ParseTable.
type Table struct {
	values []time.Duration // ascending, no two equal
	// sums[i] is the weight of values[0] to values[i] together, so that the last
	// one is the weight of all.
	sums []float64
	mean time.Duration
}

const (
	// maxTable is how many lines with a value a table has at most.
	maxTable = 1_000_000
	// minShare is the smallest share of all weights that a weight may be, 2^-52:
	// the sums would not grow by less, and the value would never occur.
	minShare = 1.0 / (1 << 52)
)

// ParseTable reads a table, one duration a line ("12.5ms"), which a positive
// weight may follow after white space ("12.5ms 3"); without one it is 1. Empty
// lines are skipped, and so is what follows a "#". There must be at least one
// value and at most 1,000,000, and no weight may be so small that its value would
// never occur: less than 2^-52 of all weights. An error about a line names it.
func ParseTable(r io.Reader) (*Table, error) {
	type row struct {
		value  time.Duration
		weight float64
	}
	var rows []row
	err := readLines(r, func(line string) error {
		if len(rows) == maxTable {
			return fmt.Errorf("want at most %d values", maxTable)
		}
		fields := strings.Fields(line)
		if len(fields) > 2 {
			return fmt.Errorf(`%s: want a duration and perhaps a weight, such as "12.5ms 3"`, quote(line))
		}
		value, err := ParseDuration(fields[0])
		if err != nil {
			return err
		}
		weight := 1.0
		if len(fields) == 2 {
			if weight, err = parseWeight(fields[1]); err != nil {
				return err
			}
		}
		rows = append(rows, row{value.Std(), weight})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New(`there is no value: want one duration a line, such as "12.5ms"`)
	}
	// Stable, so that the weights of equal values are added in the file's order
	// and the sums are the same on every machine.
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.value, b.value) })
	t := new(Table)
	sum, moment := 0.0, 0.0 // moment is around the smallest value
	for i, row := range rows {
		sum += row.weight
		moment += float64(row.weight * float64(row.value-rows[0].value))
		if i > 0 && row.value == rows[i-1].value {
			t.sums[len(t.sums)-1] = sum
			continue
		}
		t.values = append(t.values, row.value)
		t.sums = append(t.sums, sum)
	}
	if math.IsInf(sum, 0) || math.IsInf(moment, 0) {
		return nil, errors.New("the weights are too large")
	}
	for _, row := range rows {
		if row.weight < sum*minShare {
			return nil, fmt.Errorf("the weight of %v, %v, is too small beside the others, which together are %v", Duration(row.value), row.weight, sum)
		}
	}
	smallest, largest := t.values[0], t.values[len(t.values)-1]
	// A rounding error must not carry the mean beyond the largest value.
	t.mean = smallest + min(nanoseconds(moment/sum), largest-smallest)
	return t, nil
}

// parseWeight reads a weight: a number above 0, such as "3", "0.25" or "1e-3".
func parseWeight(s string) (float64, error) {
	number, exponent := splitNumber(s)
	weight, err := strconv.ParseFloat(s, 64)
	if number == "" || exponent != "" && !isExponent(exponent) || err != nil || weight == 0 {
		return 0, fmt.Errorf("%s is not a weight: want a number above 0, such as 3 or 0.25", quote(s))
	}
	return weight, nil
}

// Len returns how many different values there are.
func (t *Table) Len() int { return len(t.values) }

// quantile returns the smallest value that, with the smaller ones, has at least
// the share p of the weight.
func (t *Table) quantile(p float64) time.Duration {
	last := len(t.values) - 1
	at := p * t.sums[last]
	return t.values[sort.Search(last, func(i int) bool { return t.sums[i] >= at })]
}

// sample returns the value that the number u, uniform on [0, 1), chooses.
func (t *Table) sample(u float64) time.Duration {
	last := len(t.values) - 1
	at := u * t.sums[last]
	return t.values[sort.Search(last, func(i int) bool { return t.sums[i] > at })]
}
