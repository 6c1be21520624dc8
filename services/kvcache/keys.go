package kvcache

import (
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/services/resp"
)

func del(_ *session, s *store, args [][]byte) resp.Reply {
	n := int64(0)
	for _, key := range args[1:] {
		if s.delete(string(key)) {
			n++
		}
	}
	return integer(n)
}

func exists(_ *session, s *store, args [][]byte) resp.Reply {
	n := int64(0)
	for _, key := range args[1:] {
		if s.peek(key) != nil {
			n++
		}
	}
	return integer(n)
}

func typeOf(_ *session, s *store, args [][]byte) resp.Reply {
	if s.peek(args[1]) == nil {
		return simple("none")
	}
	return simple("string")
}

func dbsize(_ *session, s *store, _ [][]byte) resp.Reply { return integer(int64(s.len())) }

// flush is FLUSHDB and FLUSHALL [ASYNC|SYNC].
func flush(_ *session, s *store, args [][]byte) resp.Reply {
	if len(args) == 2 {
		if how := strings.ToLower(string(args[1])); how != "async" && how != "sync" {
			return errSyntax
		}
	}
	s.flush()
	return ok
}

func expire(_ *session, s *store, args [][]byte) resp.Reply {
	return s.expireIn("expire", args, time.Second)
}

func pexpire(_ *session, s *store, args [][]byte) resp.Reply {
	return s.expireIn("pexpire", args, time.Millisecond)
}

// expireIn is EXPIRE and PEXPIRE key time [NX|XX|GT|LT]. A time that is over deletes the key.
func (s *store) expireIn(name string, args [][]byte, unit time.Duration) resp.Reply {
	n, isNumber := number(args[2])
	if !isNumber {
		return errInteger
	}
	if n > int64((math.MaxInt64-s.now)/unit) {
		return fail("ERR invalid expire time in '" + name + "' command")
	}
	at := s.now
	if n > 0 {
		at += time.Duration(n) * unit
	}
	e := s.peek(args[1])
	may := e != nil
	var nx, xx, gt, lt bool
	for _, a := range args[3:] {
		switch strings.ToLower(string(a)) {
		case "nx":
			nx, may = true, may && e.expires == 0
		case "xx":
			xx, may = true, may && e.expires > 0
		case "gt":
			gt, may = true, may && e.expires > 0 && at > e.expires
		case "lt":
			lt, may = true, may && (e.expires == 0 || at < e.expires)
		default:
			return fail("ERR Unsupported option " + text(a, 64))
		}
	}
	if nx && (xx || gt || lt) {
		return fail("ERR NX and XX, GT or LT options at the same time are not compatible")
	}
	if gt && lt {
		return fail("ERR GT and LT options at the same time are not compatible")
	}
	switch {
	case !may:
	case n <= 0:
		s.delete(e.key)
	default:
		s.expire(e, at)
	}
	return flag(may)
}

func persist(_ *session, s *store, args [][]byte) resp.Reply {
	e := s.peek(args[1])
	if e == nil || e.expires == 0 {
		return integer(0)
	}
	s.expire(e, 0)
	return integer(1)
}

// ttl rounds to seconds as Redis does.
func ttl(_ *session, s *store, args [][]byte) resp.Reply {
	left := s.left(args[1])
	if left < 0 {
		return integer(int64(left))
	}
	return integer(int64((left.Milliseconds() + 500) / 1000))
}

func pttl(_ *session, s *store, args [][]byte) resp.Reply {
	left := s.left(args[1])
	if left < 0 {
		return integer(int64(left))
	}
	return integer(left.Milliseconds())
}

// left is how long a key has to live, -1 for ever, -2 if there is none.
func (s *store) left(key []byte) time.Duration {
	e := s.peek(key)
	switch {
	case e == nil:
		return -2
	case e.expires == 0:
		return -1
	}
	return e.expires - s.now
}

// keys is KEYS pattern, the oldest first.
func keys(_ *session, s *store, args [][]byte) resp.Reply {
	var list []resp.Reply
	for _, e := range s.order {
		if !e.gone && match(args[1], []byte(e.key)) {
			list = append(list, bulk([]byte(e.key)))
		}
	}
	return array(list)
}

// scan is SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]. The cursor is the number of the next key in the order in which they
// came, so that a scan sees each key that is there all the while exactly once.
func scan(_ *session, s *store, args [][]byte) resp.Reply {
	cursor, err := strconv.ParseUint(string(args[1]), 10, 64)
	if err != nil {
		return fail("ERR invalid cursor")
	}
	count, pattern, kind := int64(10), []byte("*"), "string"
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			return errSyntax
		}
		switch strings.ToLower(string(args[i])) {
		case "match":
			pattern = args[i+1]
		case "count":
			n, isNumber := number(args[i+1])
			if !isNumber {
				return errInteger
			}
			if count = n; count < 1 {
				return errSyntax
			}
		case "type":
			kind = strings.ToLower(string(args[i+1]))
		default:
			return errSyntax
		}
	}
	found := []resp.Reply{}
	next := uint64(0)
	for _, e := range s.from(cursor) {
		if e.gone {
			continue
		}
		if count == 0 {
			next = e.id
			break
		}
		count--
		if kind == "string" && match(pattern, []byte(e.key)) {
			found = append(found, bulk([]byte(e.key)))
		}
	}
	return array([]resp.Reply{bulk(strconv.AppendUint(nil, next, 10)), array(found)})
}

// match says whether a key matches a pattern: * is anything, ? one byte, [a-c] and [^a] one of some or none of some, and \ takes the
// meaning off what follows (stringmatchlen in Redis's util.c). It goes back to the last * only, so that its time is
// bounded by the product of the lengths.
func match(pattern, key []byte) bool {
	p, k := 0, 0
	star, from := -1, 0
	for k < len(key) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, k
			p++
			continue
		}
		if p < len(pattern) {
			if ok, width := matchOne(pattern[p:], key[k]); ok {
				p, k = p+width, k+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, k = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// matchOne says whether a byte matches what a pattern begins with, and how long that is. The pattern is not empty.
func matchOne(pattern []byte, b byte) (ok bool, width int) {
	switch {
	case pattern[0] == '?':
		return true, 1
	case pattern[0] == '[':
		return matchClass(pattern, b)
	case pattern[0] == '\\' && len(pattern) > 1:
		return pattern[1] == b, 2
	}
	return pattern[0] == b, 1
}

// matchClass matches [...]. Without its end the class goes to the end of the pattern.
func matchClass(pattern []byte, b byte) (ok bool, width int) {
	i := 1
	not := i < len(pattern) && pattern[i] == '^'
	if not {
		i++
	}
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
			ok = ok || pattern[i] == b
			continue
		}
		if i+2 < len(pattern) && pattern[i+1] == '-' {
			low, high := pattern[i], pattern[i+2]
			ok = ok || min(low, high) <= b && b <= max(low, high)
			i += 2
			continue
		}
		ok = ok || pattern[i] == b
	}
	return ok != not, min(i+1, len(pattern))
}
