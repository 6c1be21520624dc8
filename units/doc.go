// Package units is the small language in which netlab's files write values:
// how long, how much, how fast, how likely.
//
//	"50ms"  "1m30s"               a [Duration]
//	"64KiB"  "5MB"  "1500B"       [Bytes]: kB MB GB TB are powers of 1000, KiB MiB GiB TiB of 1024
//	"10Mbit/s"  "1MB/s"           a [BitRate]: bits and bytes are told apart
//	"1%"  "0.01"                  a [Probability]
//	"50/s"  "3000/min"            a [Rate] of events
//	"64KiB"  "100 packets"        a [QueueLimit]
//	"20ms"  "normal(20ms, 3ms)"   a [Distribution] of durations
//	"1%"  "burst(3%, 4)"          a [Loss]: which frames are lost
//	"10Mbit/s"  "steps(…)"        a [LinkRate]: a bit rate that may change with time
//	"+5s"  "-200ms"               an [Offset], of a clock
//	"100ppm"  "-0.1%"             a [Drift], of a clock
//	"ef"  "46"                    a [DSCP]
//
// Each type is a plain value that can be compared with ==, reads itself from
// text (UnmarshalText, or the Parse function of its name), prints itself
// (String) and describes itself to editors (JSONSchema). What String prints
// for a value reads back as that value.
//
// Parsing is exact and strict. "21.2ms" is 21,200,000 nanoseconds, and "1.5MB"
// is 1,500,000 bytes: no floating point lies between. A text that does not
// mean a whole number of nanoseconds, bytes or bits per second is refused, as
// is a number without a unit, a negative value (but for an [Offset] and a
// [Drift], which have a sign), one that does not fit, and one with spaces around
// it. Nothing is rounded or moved into range. A [Probability], a [Rate] and a
// [Drift] are floating-point numbers, the nearest to what is written.
//
// Some values name a file with data: file("rtt.txt"). Reading such a value does
// not open the file. It tells its path (File), the data have a parser of their
// own ([ParseTable], [ParseLossTrace], [ParseOpportunities]), and the value takes
// them in (WithTable, WithTrace, WithOpportunities). A path is relative, with "/"
// between folders and without "..", on every system ([io/fs.ValidPath]).
//
// Every error of a Parse function is a [*ParseError]. It says what was found
// and what was wanted, and it suggests what was probably meant; [Suggest] does
// that for names, here and in the packages above.
package units
