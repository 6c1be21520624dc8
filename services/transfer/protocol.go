package transfer

import (
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"netlab/units"
)

// maxLine is the longest line of the protocol, with its newline.
const maxLine = 128

// errLine is what the reader of a request or an answer gets when there is none.
var errLine = errors.New("not a line of the transfer protocol")

// request is the first line of a connection.
type request struct {
	get bool
	// bytes is how much is transferred; -1 when it is not known before.
	bytes int64
	// duration is how long the server sends, when it does not send so many bytes.
	duration time.Duration
	// until is when an upload without a number of bytes is over: a time since the start of the run.
	until time.Duration
	seed  uint64 // of what the server sends
	// dscp is what the server's packets are to say.
	dscp units.DSCP
}

// String returns the line with its newline.
func (r request) String() string {
	class := ""
	if r.dscp != 0 {
		class = " dscp " + r.dscp.String()
	}
	switch {
	case r.get && r.bytes >= 0:
		return fmt.Sprintf("GET %d seed %d%s\n", r.bytes, r.seed, class)
	case r.get:
		return fmt.Sprintf("GET %s seed %d%s\n", units.Duration(r.duration), r.seed, class)
	case r.bytes >= 0:
		return fmt.Sprintf("PUT %d%s\n", r.bytes, class)
	}
	return fmt.Sprintf("PUT until %s%s\n", units.Duration(r.until), class)
}

// parseRequest reads a line with its newline.
func parseRequest(line string) (request, error) {
	text, ok := strings.CutSuffix(line, "\n")
	if !ok || len(line) > maxLine {
		return request{}, errLine
	}
	word := strings.Split(text, " ")
	r := request{bytes: -1, get: word[0] == "GET"}
	var err error
	if n := len(word); n > 3 && word[n-2] == "dscp" {
		if r.dscp, err = units.ParseDSCP(word[n-1]); err != nil {
			return request{}, errLine
		}
		word = word[:n-2]
	}
	switch {
	case len(word) == 3 && word[0] == "PUT" && word[1] == "until":
		r.until, err = parseTime(word[2])
	case len(word) == 2 && word[0] == "PUT":
		r.bytes, err = parseCount(word[1])
	case len(word) == 4 && word[0] == "GET" && word[2] == "seed":
		if r.seed, err = strconv.ParseUint(word[3], 10, 64); err != nil {
			break
		}
		if r.bytes, err = parseCount(word[1]); err != nil {
			r.bytes = -1
			r.duration, err = parseTime(word[1])
		}
	default:
		return request{}, errLine
	}
	if err != nil {
		return request{}, errLine
	}
	return r, nil
}

func parseTime(text string) (time.Duration, error) {
	d, err := units.ParseDuration(text)
	return d.Std(), err
}

func parseCount(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	return int64(n), err
}

// answer is what the server says after an upload.
type answer struct {
	bytes int64
	sum   uint32 // CRC-32C of what arrived
}

// newSum returns the checksum of uploads: CRC-32C (RFC 3720, appendix B.4). Its only task is to find what a link has damaged and TCP's
// checksum has missed, and unlike a cryptographic hash it costs next to nothing.
func newSum() hash.Hash32 { return crc32.New(castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumDigits is how many hexadecimal digits a sum has.
const sumDigits = 8

// String returns the line with its newline.
func (a answer) String() string { return fmt.Sprintf("OK %d crc32c %0*x\n", a.bytes, sumDigits, a.sum) }

// parseAnswer reads a line with its newline.
func parseAnswer(line string) (a answer, err error) {
	text, ok := strings.CutSuffix(line, "\n")
	word := strings.Split(text, " ")
	if !ok || len(line) > maxLine || len(word) != 4 || word[0] != "OK" || word[2] != "crc32c" || len(word[3]) != sumDigits {
		return a, errLine
	}
	if a.bytes, err = parseCount(word[1]); err != nil {
		return answer{}, errLine
	}
	sum, err := strconv.ParseUint(word[3], 16, 32)
	if err != nil {
		return answer{}, errLine
	}
	a.sum = uint32(sum)
	return a, nil
}
