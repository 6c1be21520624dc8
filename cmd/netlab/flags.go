package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"netlab"
	"netlab/units"
)

// value makes a flag of a function that reads text.
type value struct {
	kind  string
	text  string
	parse func(string) error
}

var _ pflag.Value = (*value)(nil)

// String returns what was given.
func (v *value) String() string { return v.text }

// Type is what the help calls the value.
func (v *value) Type() string { return v.kind }

// Set implements pflag.Value.
func (v *value) Set(s string) error {
	if err := v.parse(s); err != nil {
		return err
	}
	v.text = s
	return nil
}

// seedFlag reads a seed, which is 1 or more as in a file.
func seedFlag(to **uint64) pflag.Value {
	return &value{kind: "N", parse: func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is not a seed: want 1 to %d", s, uint64(math.MaxUint64))
		}
		*to = &n
		return nil
	}}
}

// durationFlag reads a duration as a file has it, more than 0.
func durationFlag(to **units.Duration) pflag.Value {
	return &value{kind: "D", parse: func(s string) error {
		d, err := units.ParseDuration(s)
		if err == nil && d == 0 {
			err = fmt.Errorf("%q is too short: want more than 0s", s)
		}
		*to = &d
		return err
	}}
}

// timeFlag reads a time from the start of a run or a capture.
func timeFlag(to **time.Duration) pflag.Value {
	return &value{kind: "T", parse: func(s string) error {
		d, err := units.ParseDuration(s)
		at := d.Std()
		*to = &at
		return err
	}}
}

// checkTimes refuses a time that ends before it begins. nil is no limit.
func checkTimes(from, to *time.Duration) error {
	if from != nil && to != nil && *from > *to {
		return fmt.Errorf("--from %s is after --to %s", printDuration(*from), printDuration(*to))
	}
	return nil
}

// speedFlag reads a speed: a number followed by x.
func speedFlag(to *float64) pflag.Value {
	return &value{kind: "X", parse: func(s string) error {
		number, ok := strings.CutSuffix(s, "x")
		plain := strings.Trim(number, "0123456789.") == ""
		f, err := strconv.ParseFloat(number, 64)
		if !ok || !plain || err != nil || f <= 0 {
			return fmt.Errorf("%q is not a speed: want a number followed by x, such as 1x, 0.1x or 10x", s)
		}
		*to = f
		return nil
	}}
}

// forwardFlag reads a port that is forwarded, as often as it is given.
func forwardFlag(to *[]netlab.Forward) pflag.Value {
	return &value{kind: "FORWARD", parse: func(s string) error {
		f, err := netlab.ParseForward(s)
		if err == nil {
			*to = append(*to, f)
		}
		return err
	}}
}
