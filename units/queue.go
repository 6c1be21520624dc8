package units

import (
	"fmt"
	"strconv"
	"strings"
)

// QueueLimit is how much a queue holds: a number of bytes or a number of
// packets, exactly one of them and more than zero. The zero value is no limit.
// It is written "64KiB", "100 packets" or "unlimited".
type QueueLimit struct {
	// Bytes is the limit in bytes of frames, or 0.
	Bytes Bytes
	// Packets is the limit in frames of any size, or 0.
	Packets int
}

const (
	unlimited = "unlimited"
	queueWant = `want a size such as "64KiB", a number of packets such as "100 packets", or "unlimited"`
)

// ParseQueueLimit reads a limit such as "64KiB" or "100 packets"; the space may
// be left out. An error is a *ParseError: what ParseBytes refuses, zero, or not
// a whole number of packets.
func ParseQueueLimit(s string) (QueueLimit, error) {
	if s == unlimited {
		return QueueLimit{}, nil
	}
	wrong := &ParseError{Found: s, Problem: "is not a queue limit", Want: queueWant}
	number, rest := splitNumber(s)
	if number == "" || len(s) > maxText {
		word := strings.TrimSpace(s)
		if word == "" || word == s {
			wrong.Suggestion = Suggest(word, []string{unlimited})
		} else if _, err := ParseQueueLimit(word); err == nil {
			wrong.Suggestion = word
		}
		return QueueLimit{}, wrong
	}
	switch word := strings.TrimPrefix(rest, " "); word {
	case "packet", "packets":
		return parsePackets(s, number)
	case "":
		if rest == "" {
			wrong.Problem = "has no unit"
			return QueueLimit{}, wrong
		}
	default:
		if name := strings.TrimSpace(word); isPackets(name) {
			if _, err := parsePackets(s, number); err == nil {
				wrong.Suggestion = number + " packets"
			}
			return QueueLimit{}, wrong
		}
	}
	size, err := ParseBytes(s)
	if err, ok := err.(*ParseError); ok {
		// What is right for a size may be zero, which is wrong here.
		if _, wrong := ParseQueueLimit(err.Suggestion); wrong != nil {
			err.Suggestion = ""
		}
		return QueueLimit{}, err
	}
	if size == 0 {
		return QueueLimit{}, zeroQueue(s)
	}
	return QueueLimit{Bytes: size}, nil
}

// isPackets tells whether a word is likely to mean packets. Short ones are left
// to the units of sizes.
func isPackets(word string) bool {
	switch strings.ToLower(word) {
	case "p", "pkt", "pkts", "frame", "frames":
		return true
	}
	return Suggest(word, []string{"packet", "packets"}) != ""
}

func parsePackets(s, number string) (QueueLimit, error) {
	if strings.Contains(number, ".") {
		return QueueLimit{}, &ParseError{Found: s, Problem: "is not a whole number of packets"}
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return QueueLimit{}, &ParseError{Found: s, Problem: "is too large"}
	}
	if n == 0 {
		return QueueLimit{}, zeroQueue(s)
	}
	return QueueLimit{Packets: n}, nil
}

func zeroQueue(s string) *ParseError {
	return &ParseError{Found: s, Problem: "is not a queue limit", Want: `want more than zero, or "unlimited"`}
}

// IsZero tells whether there is no limit.
func (q QueueLimit) IsZero() bool { return q == QueueLimit{} }

// String writes q the way it is read: "64KiB", "100 packets", "unlimited".
func (q QueueLimit) String() string {
	switch {
	case q.IsZero():
		return unlimited
	case q.Packets == 0:
		return q.Bytes.String()
	case q.Bytes != 0:
		return fmt.Sprintf("%v and %d packets", q.Bytes, q.Packets)
	case q.Packets == 1:
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", q.Packets)
}

// MarshalText writes what String writes. A limit with both fields set, or with
// a negative one, is an error.
func (q QueueLimit) MarshalText() ([]byte, error) {
	if q.Bytes < 0 || q.Packets < 0 || q.Bytes > 0 && q.Packets > 0 {
		return nil, invalid("queue limit", q, "bytes or packets, and more than zero")
	}
	return []byte(q.String()), nil
}

// UnmarshalText reads what ParseQueueLimit reads.
func (q *QueueLimit) UnmarshalText(text []byte) error {
	v, err := ParseQueueLimit(string(text))
	return parsed(q, v, err)
}
