package resp

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"

	"github.com/tidwall/redcon"
)

// Kind is the type of a reply.
type Kind byte

// The types of replies. Those of RESP2 are named after their first byte.
const (
	Simple  Kind = '+' // a short text, such as OK
	Failure Kind = '-' // an error
	Integer Kind = ':'
	Bulk    Kind = '$' // any bytes
	Array   Kind = '*'
	Null    Kind = '_' // nothing; RESP2 writes it as a bulk or an array of length -1
	Map     Kind = '%' // RESP3: names and values in turn
)

// Reply is an answer of a server.
type Reply struct {
	Kind Kind
	// Text is a simple text, an error or a bulk.
	Text []byte
	// Integer is an integer.
	Integer int64
	// List holds the members of an array or a map.
	List []Reply
}

// ServerError is an error that a server answered with, "ERR wrong number of arguments" for example.
type ServerError string

// Error implements error.
func (e ServerError) Error() string { return string(e) }

// Err is the error that the reply is, or nil.
func (r Reply) Err() error {
	if r.Kind == Failure {
		return ServerError(r.Text)
	}
	return nil
}

// OK says whether the reply is the text OK.
func (r Reply) OK() bool { return r.Kind == Simple && string(r.Text) == "OK" }

// maxDepth is how deep arrays lie in arrays.
const maxDepth = 8

// ReadReply reads the next reply. Strings are at most limit long.
func ReadReply(r *bufio.Reader, limit int64) (Reply, error) { return readReply(r, limit, maxDepth) }

func readReply(r *bufio.Reader, limit int64, depth int) (reply Reply, err error) {
	line, err := readLine(r, "too long line")
	if err != nil {
		return reply, err
	}
	if len(line) == 0 {
		return reply, wrong("an empty line is no reply")
	}
	reply.Kind = Kind(line[0])
	switch reply.Kind {
	case Simple, Failure:
		reply.Text = append([]byte(nil), line[1:]...)
		return reply, nil
	case Null:
		if len(line) > 1 {
			return reply, wrong("null has no content")
		}
		return reply, nil
	case Integer, Bulk, Array, Map:
	default:
		return reply, wrong(fmt.Sprintf("no reply begins with '%s'", printable(line[0])))
	}
	n, ok := number(line[1:])
	switch {
	case !ok:
		return reply, wrong("invalid number")
	case reply.Kind == Integer:
		reply.Integer = n
		return reply, nil
	case n == -1 && reply.Kind != Map:
		reply.Kind = Null
		return reply, nil
	case n < 0:
		return reply, wrong("negative length")
	case reply.Kind == Bulk:
		if n > limit {
			return reply, wrong("bulk too long")
		}
		reply.Text, err = readString(r, n)
		return reply, err
	}
	return readList(r, reply, n, limit, depth)
}

// readList reads the members of an array or a map.
func readList(r *bufio.Reader, reply Reply, n, limit int64, depth int) (Reply, error) {
	if n > MaxArguments || depth == 0 {
		return reply, wrong("array too long or too deep")
	}
	if reply.Kind == Map {
		n *= 2
	}
	for range n {
		member, err := readReply(r, limit, depth-1)
		if err != nil {
			return reply, unexpected(err)
		}
		reply.List = append(reply.List, member)
	}
	return reply, nil
}

// AppendRequest appends a request to b.
func AppendRequest[T ~string | ~[]byte](b []byte, args ...T) []byte {
	b = redcon.AppendArray(b, len(args))
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, '\r', '\n')
		b = append(b, a...)
		b = append(b, '\r', '\n')
	}
	return b
}

// AppendReply appends a reply to b as RESP3 writes it, or as RESP2 does.
func AppendReply(b []byte, r Reply, three bool) []byte {
	switch r.Kind {
	case Simple:
		return redcon.AppendString(b, string(r.Text))
	case Failure:
		return redcon.AppendError(b, string(r.Text))
	case Integer:
		return redcon.AppendInt(b, r.Integer)
	case Bulk:
		return redcon.AppendBulk(b, r.Text)
	case Null:
		if three {
			return append(b, "_\r\n"...)
		}
		return redcon.AppendNull(b)
	case Map:
		if !three {
			b = redcon.AppendArray(b, len(r.List))
			break
		}
		b = append(b, '%')
		b = strconv.AppendInt(b, int64(len(r.List)/2), 10)
		b = append(b, '\r', '\n')
	case Array:
		b = redcon.AppendArray(b, len(r.List))
	default:
		panic(fmt.Sprintf("resp: a reply of kind %q", r.Kind))
	}
	for _, member := range r.List {
		b = AppendReply(b, member, three)
	}
	return b
}

// IsProtocol says whether an error is about what a peer sent.
func IsProtocol(err error) bool {
	var p *ProtocolError
	return errors.As(err, &p)
}
