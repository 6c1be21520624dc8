// Package resp speaks RESP, the protocol of Redis and of the caches that are like it: requests and replies as they are on the
// wire, and a client.
//
// A request is an array of strings, "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", or a line of words as a person would type it; a reply is a
// string, an error, an integer, an array or nothing at all (RESP2, redis.io/docs/reference/protocol-spec). Of RESP3 there are
// null and maps, which is what a cache's answers need once a client has said HELLO 3.
//
// Replies are written by package github.com/tidwall/redcon. What comes from outside is read by this package instead: redcon
// v1.6.4 keeps what a client sends without a limit, starts anew from the first byte of a request with each segment that comes in, and
// panics on a string whose announced length is the largest integer.
package resp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

// Limits of requests, which are those of Redis (networking.c).
const (
	// MaxArguments is how many strings a request has at most.
	MaxArguments = 1 << 20
	// MaxInline is how long a line is at most.
	MaxInline = 64 << 10
)

// ProtocolError is what a peer sent that is no RESP. The connection is of no more use: nobody knows where the next message begins.
type ProtocolError struct{ Problem string }

// Error implements error, in the words of Redis.
func (e *ProtocolError) Error() string { return "Protocol error: " + e.Problem }

func wrong(problem string) error { return &ProtocolError{problem} }

// RequestLimits bound what a request may hold. They are positive.
type RequestLimits struct {
	// String is how long each string is at most, Total all strings of a request together.
	String, Total int64
}

// ReadRequest reads the next request. It is empty for an empty line or array, which asks for nothing. A request that is
// not valid, or too large, is a [ProtocolError]. Memory is used for what has come, not for what was announced.
func ReadRequest(r *bufio.Reader, limits RequestLimits) ([][]byte, error) {
	line, err := readLine(r, "too big inline request")
	if err != nil {
		return nil, err
	}
	if len(line) == 0 || line[0] != '*' {
		return splitLine(line)
	}
	count, ok := number(line[1:])
	if !ok || count > MaxArguments {
		return nil, wrong("invalid multibulk length")
	}
	var args [][]byte
	left := limits.Total
	for range count {
		if line, err = readLine(r, "too big bulk count string"); err != nil {
			return nil, unexpected(err)
		}
		if len(line) == 0 || line[0] != '$' {
			found := byte('\r')
			if len(line) > 0 {
				found = line[0]
			}
			return nil, wrong("expected '$', got '" + printable(found) + "'")
		}
		size, ok := number(line[1:])
		if !ok || size < 0 || size > limits.String {
			return nil, wrong("invalid bulk length")
		}
		if left -= size; left < 0 {
			return nil, wrong("request too large")
		}
		arg, err := readString(r, size)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

// readLine reads a line and leaves its end out. The line is valid until the next read.
func readLine(r *bufio.Reader, tooLong string) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= MaxInline {
			line, err = r.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	switch {
	case len(line) > MaxInline+2:
		return nil, wrong(tooLong)
	case err == io.EOF && len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte{'\r'}), nil
}

// readString reads a string of a size and the end of its line.
func readString(r *bufio.Reader, size int64) ([]byte, error) {
	const atOnce = 64 << 10
	var b []byte
	if size <= atOnce {
		b = make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, unexpected(err)
		}
	} else {
		var grown bytes.Buffer
		if _, err := io.CopyN(&grown, r, size); err != nil {
			return nil, unexpected(err)
		}
		b = grown.Bytes()
	}
	for _, want := range []byte("\r\n") {
		if got, err := r.ReadByte(); err != nil {
			return nil, unexpected(err)
		} else if got != want {
			return nil, wrong("invalid bulk length")
		}
	}
	return b, nil
}

// unexpected is the error of a message that breaks off.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// number reads a decimal integer as Redis does: no plus sign, no leading zeros.
func number(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == string(b)
}

func printable(b byte) string {
	if b < ' ' || b > '~' {
		return "."
	}
	return string(rune(b))
}

// splitLine splits a line into words, which may be quoted: "..." with escapes, '...' with \' alone (sdssplitargs in Redis's sds.c).
func splitLine(line []byte) (args [][]byte, err error) {
	for {
		line = bytes.TrimLeft(line, " \t\r\v\f")
		if len(line) == 0 {
			return args, nil
		}
		var word []byte
		if word, line, err = splitWord(line); err != nil {
			return nil, err
		}
		args = append(args, word)
	}
}

// splitWord takes the first word off a line that begins with it.
func splitWord(line []byte) (word, rest []byte, err error) {
	word = []byte{}
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == 0 && isSpace(c):
			return word, line[i:], nil
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0:
			word = append(word, c)
		case c == quote:
			if i+1 < len(line) && !isSpace(line[i+1]) {
				return nil, nil, wrong("unbalanced quotes in request")
			}
			return word, line[i+1:], nil
		case c == '\\' && i+1 < len(line) && quote == '"':
			var n int
			c, n = escaped(line[i+1:])
			word, i = append(word, c), i+n
		case c == '\\' && i+1 < len(line) && line[i+1] == '\'':
			word, i = append(word, '\''), i+1
		default:
			word = append(word, c)
		}
	}
	if quote != 0 {
		return nil, nil, wrong("unbalanced quotes in request")
	}
	return word, nil, nil
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// escaped reads what follows a backslash and says how long it is.
func escaped(b []byte) (c byte, n int) {
	if b[0] == 'x' && len(b) >= 3 {
		if v, err := strconv.ParseUint(string(b[1:3]), 16, 8); err == nil {
			return byte(v), 3
		}
	}
	if i := bytes.IndexByte([]byte("nrtba"), b[0]); i >= 0 {
		return "\n\r\t\b\a"[i], 1
	}
	return b[0], 1
}
