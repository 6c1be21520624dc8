package kvcache

import (
	"math"
	"strconv"
	"strings"
	"time"

	"netlab/services/resp"
)

func get(_ *session, s *store, args [][]byte) resp.Reply { return valueOf(s.use(args[1])) }

func strlen(_ *session, s *store, args [][]byte) resp.Reply {
	if e := s.peek(args[1]); e != nil {
		return integer(int64(len(e.value)))
	}
	return integer(0)
}

func getDel(_ *session, s *store, args [][]byte) resp.Reply {
	e := s.use(args[1])
	if e != nil {
		s.delete(e.key)
	}
	return valueOf(e)
}

// getSet is GETSET key value: it takes the time to live away, as SET does.
func getSet(_ *session, s *store, args [][]byte) resp.Reply {
	before := valueOf(s.use(args[1]))
	if r := s.put(args[1], args[2], setOptions{}); r.Kind == resp.Failure {
		return r
	}
	return before
}

func mget(_ *session, s *store, args [][]byte) resp.Reply {
	var list []resp.Reply
	for _, key := range args[1:] {
		list = append(list, valueOf(s.use(key)))
	}
	return array(list)
}

// mset is MSET key value ...: all or none.
func mset(_ *session, s *store, args [][]byte) resp.Reply {
	if len(args)%2 == 0 {
		return fail("ERR wrong number of arguments for 'mset' command")
	}
	for i := 1; i < len(args); i += 2 {
		if !s.fits(args[i], args[i+1]) {
			s.count.oom++
			return errMemory
		}
	}
	for i := 1; i < len(args); i += 2 {
		if r := s.put(args[i], args[i+1], setOptions{}); r.Kind == resp.Failure {
			return r // without eviction: each fits, but not all of them
		}
	}
	return ok
}

// setOptions are those of SET.
type setOptions struct {
	nx, xx, get, keep, persist bool
	expires                    time.Duration // since the start of the run, 0 for never
}

// put sets a key, with the time to live that the options say.
func (s *store) put(key, value []byte, o setOptions) resp.Reply {
	if !s.fits(key, value) {
		s.count.oom++
		return errMemory
	}
	if e := s.set(key, value); e != nil && !o.keep {
		s.expire(e, o.expires)
	}
	return ok
}

// set is SET key value [NX|XX] [GET] [EX seconds|PX milliseconds|KEEPTTL].
func set(_ *session, s *store, args [][]byte) resp.Reply {
	o, problem := s.options("set", args[3:], "nx xx get keepttl")
	if problem != nil {
		return *problem
	}
	if o.nx && o.xx {
		return errSyntax
	}
	before := s.peek(args[1])
	result := ok
	if o.get {
		result = valueOf(before)
	}
	if o.nx && before != nil || o.xx && before == nil {
		if o.get {
			return result
		}
		return none
	}
	if r := s.put(args[1], args[2], o); r.Kind == resp.Failure {
		return r
	}
	return result
}

// getEx is GETEX key [EX seconds|PX milliseconds|PERSIST].
func getEx(_ *session, s *store, args [][]byte) resp.Reply {
	o, problem := s.options("getex", args[2:], "persist")
	if problem != nil {
		return *problem
	}
	e := s.use(args[1])
	if e != nil && (o.persist || o.expires > 0) {
		s.expire(e, o.expires)
	}
	return valueOf(e)
}

// options reads the options of SET and GETEX. allowed are those that the command has besides EX and PX.
func (s *store) options(name string, args [][]byte, allowed string) (o setOptions, problem *resp.Reply) {
	flags := map[string]*bool{"nx": &o.nx, "xx": &o.xx, "get": &o.get, "keepttl": &o.keep, "persist": &o.persist}
	times := 0
	for i := 0; i < len(args); i++ {
		option := strings.ToLower(string(args[i]))
		if flags[option] != nil && strings.Contains(allowed, option) {
			*flags[option] = true
			if option == "keepttl" || option == "persist" {
				times++
			}
			continue
		}
		if option != "ex" && option != "px" || i+1 == len(args) {
			return o, &errSyntax
		}
		times++
		i++
		unit := time.Second
		if option == "px" {
			unit = time.Millisecond
		}
		if o.expires, problem = s.after(name, args[i], unit); problem != nil {
			return o, problem
		}
	}
	if times > 1 {
		return o, &errSyntax
	}
	return o, nil
}

// after is the time of an expiry that a command gives as a number of units from now, which must be positive.
func (s *store) after(name string, n []byte, unit time.Duration) (time.Duration, *resp.Reply) {
	count, isNumber := number(n)
	if !isNumber {
		return 0, &errInteger
	}
	if count <= 0 || count > int64((math.MaxInt64-s.now)/unit) {
		r := fail("ERR invalid expire time in '" + name + "' command")
		return 0, &r
	}
	return s.now + time.Duration(count)*unit, nil
}

func setNX(_ *session, s *store, args [][]byte) resp.Reply {
	if s.peek(args[1]) != nil {
		return integer(0)
	}
	if r := s.put(args[1], args[2], setOptions{}); r.Kind == resp.Failure {
		return r
	}
	return integer(1)
}

func setEx(_ *session, s *store, args [][]byte) resp.Reply {
	return s.setFor("setex", args, time.Second)
}

func psetEx(_ *session, s *store, args [][]byte) resp.Reply {
	return s.setFor("psetex", args, time.Millisecond)
}

// setFor is SETEX and PSETEX key time value.
func (s *store) setFor(name string, args [][]byte, unit time.Duration) resp.Reply {
	at, problem := s.after(name, args[2], unit)
	if problem != nil {
		return *problem
	}
	return s.put(args[1], args[3], setOptions{expires: at})
}

// appendTo is APPEND key value: a time to live stays.
func appendTo(c *session, s *store, args [][]byte) resp.Reply {
	var value []byte
	if e := s.peek(args[1]); e != nil {
		value = e.value
	}
	if int64(len(value)+len(args[2])) > int64(c.server.config.MaxValue) {
		return fail("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
	}
	value = append(value[:len(value):len(value)], args[2]...)
	if r := s.put(args[1], value, setOptions{keep: true}); r.Kind == resp.Failure {
		return r
	}
	return integer(int64(len(value)))
}

func incr(_ *session, s *store, args [][]byte) resp.Reply { return s.add(args[1], 1) }
func decr(_ *session, s *store, args [][]byte) resp.Reply { return s.add(args[1], -1) }

func incrBy(_ *session, s *store, args [][]byte) resp.Reply {
	n, isNumber := number(args[2])
	if !isNumber {
		return errInteger
	}
	return s.add(args[1], n)
}

func decrBy(_ *session, s *store, args [][]byte) resp.Reply {
	n, isNumber := number(args[2])
	if !isNumber {
		return errInteger
	}
	if n == math.MinInt64 {
		return fail("ERR decrement would overflow")
	}
	return s.add(args[1], -n)
}

// add adds to a number, which is 0 if there is none: a time to live stays.
func (s *store) add(key []byte, by int64) resp.Reply {
	n := int64(0)
	if e := s.peek(key); e != nil {
		var isNumber bool
		if n, isNumber = number(e.value); !isNumber {
			return errInteger
		}
	}
	if by > 0 && n > math.MaxInt64-by || by < 0 && n < math.MinInt64-by {
		return fail("ERR increment or decrement would overflow")
	}
	n += by
	if r := s.put(key, strconv.AppendInt(nil, n, 10), setOptions{keep: true}); r.Kind == resp.Failure {
		return r
	}
	return integer(n)
}
