// Package expect is the language of a file's expect lines: what has to hold about the results of a run.
//
//	upload.intact
//	upload.goodput > 0.8Mbit/s
//	browse.success_rate >= 99.9%
//	probe.rtt.max - probe.rtt.min <= 1ms
//	max(nodes.web3.tcp.retransmits, nodes.web1.tcp.retransmits) < 20
//	a.intact and not b.intact
//
// A name is a figure of the results: a workload's, or one of nodes.<node> and links.<id>. Literals are written like all
// values of a file (package units): 150ms, 5MB, 10Mbit/s, 50/s, 99.9%, and plain numbers. The operators are
//
//	or ||                 lowest precedence; what is on the right isn't looked at if the left side decides
//	and &&
//	not !
//	< <= > >= == !=       once in a row; == and != also between yes-or-no figures, and texts in quotes
//	+ -                   between the same kinds
//	* /                   with plain numbers; / also between the same kinds
//	-                     before a value
//
// and the functions max, min, sum, mean and abs. Names may contain hyphens; a minus between two names needs spaces around
// it where the whole could be a name.
//
// Kinds are checked when a line is compiled: a goodput compares with a bit rate and with nothing else. Counts, shares,
// percentages and plain numbers are one kind, 99.9% being 0.999.
//
// Calculation is exact, with fractions: 0.1 + 0.2 == 0.3 holds. Figures that are floating-point numbers count as the
// decimal number that the results show, and are compared as floating-point numbers.
//
// A line may be inconclusive: when it looks at a figure without a value (a run without a single answer has no latency),
// or divides by zero.
package expect

import "fmt"

// Error says why a line isn't an expectation.
type Error struct {
	// Offset is the place in the text, in bytes.
	Offset int
	// Message says what was found and what was wanted.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func fail(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Message: fmt.Sprintf(format, args...)}
}

// Dimension is what kind of thing a figure is.
type Dimension uint8

// The dimensions. Number, Count and Share are plain numbers and mix.
const (
	Number Dimension = iota
	Count
	Share    // 0 to 1, written as a percentage
	Duration // nanoseconds
	Size     // bytes
	BitRate  // bits per second
	Rate     // events per second
	Flag     // yes or no
	Text
)

// String returns the dimension as it is called in messages: "a bit rate".
func (d Dimension) String() string {
	return [...]string{"a number", "a count", "a share", "a duration", "a size", "a bit rate", "a rate", "a yes or no",
		"a text"}[d]
}

// plain says whether a dimension is one of the plain numbers.
func (d Dimension) plain() bool { return d <= Share }

// numeric says whether one can calculate with a dimension.
func (d Dimension) numeric() bool { return d < Flag }

// mixes says whether two dimensions can be added and compared.
func (d Dimension) mixes(other Dimension) bool { return d == other || d.plain() && other.plain() }

// example is a literal of a dimension, for messages.
func (d Dimension) example() string {
	return [...]string{"0.5", "20", "99.9%", "150ms", "64KiB", "10Mbit/s", "50/s", "true", `"text"`}[d]
}
