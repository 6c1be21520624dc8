package store

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"netlab/services/resp"
	"netlab/services/store/storepb"
)

// command is a command that is about the connection.
type command struct {
	least, most int // arguments with the name; most 0 means any number
	do          func(ctx context.Context, s *session, args [][]byte) (resp.Reply, error)
}

// ok is a command that only does something to the connection.
func ok(do func(s *session)) func(context.Context, *session, [][]byte) (resp.Reply, error) {
	return func(_ context.Context, s *session, _ [][]byte) (resp.Reply, error) {
		do(s)
		return text("OK"), nil
	}
}

// talk are the commands that are about the connection, by name.
var talk = map[string]command{
	"PING": {1, 2, func(_ context.Context, _ *session, args [][]byte) (resp.Reply, error) {
		if len(args) == 2 {
			return bulk(args[1]), nil
		}
		return text("PONG"), nil
	}},
	"ECHO":  {2, 2, func(_ context.Context, _ *session, args [][]byte) (resp.Reply, error) { return bulk(args[1]), nil }},
	"HELLO": {1, 0, hello},
	"QUIT":  {1, 1, ok(func(s *session) { s.quit = true })},
	"SELECT": {2, 2, func(_ context.Context, _ *session, args [][]byte) (resp.Reply, error) {
		if string(args[1]) != "0" {
			return fail("ERR DB index is out of range"), nil
		}
		return text("OK"), nil
	}},
	"CLIENT": {2, 0, client},
	"COMMAND": {1, 0, func(context.Context, *session, [][]byte) (resp.Reply, error) {
		return resp.Reply{Kind: resp.Array}, nil
	}},
	"READONLY":  {1, 1, ok(func(s *session) { s.guarantee = storepb.Guarantee_LOCAL })},
	"READWRITE": {1, 1, ok(func(s *session) { s.guarantee = storepb.Guarantee_DEFAULT })},
	"CONSISTENCY": {2, 3, func(_ context.Context, s *session, args [][]byte) (resp.Reply, error) {
		return s.consistency(args), nil
	}},
	"POSITION": {1, 1, func(_ context.Context, s *session, _ [][]byte) (resp.Reply, error) { return bulk(s.position), nil }},
	"AFTER": {2, 2, func(_ context.Context, s *session, args [][]byte) (resp.Reply, error) {
		s.after = bytes.Clone(args[1])
		return text("OK"), nil
	}},
	"STALENESS": {1, 1, func(_ context.Context, s *session, _ [][]byte) (resp.Reply, error) { return integer(s.age), nil }},
	"INFO":      {1, 0, func(ctx context.Context, s *session, _ [][]byte) (resp.Reply, error) { return s.info(ctx), nil }},
	"MULTI": {1, 1, func(_ context.Context, s *session, _ [][]byte) (resp.Reply, error) {
		if s.multi {
			return fail("ERR MULTI calls can not be nested"), nil
		}
		s.multi = true
		return text("OK"), nil
	}},
	"EXEC": {1, 1, func(ctx context.Context, s *session, _ [][]byte) (resp.Reply, error) { return s.exec(ctx) }},
	"DISCARD": {1, 1, func(_ context.Context, s *session, _ [][]byte) (resp.Reply, error) {
		if !s.multi {
			return fail("ERR DISCARD without MULTI"), nil
		}
		s.discard()
		return text("OK"), nil
	}},
	"WATCH": {2, 0, func(ctx context.Context, s *session, args [][]byte) (resp.Reply, error) {
		return s.watch(ctx, args[1:])
	}},
	"UNWATCH": {1, 1, ok(func(s *session) { s.watched = nil })},
}

// client takes what libraries say of themselves when they connect.
func client(_ context.Context, _ *session, args [][]byte) (resp.Reply, error) {
	switch strings.ToUpper(string(args[1])) {
	case "SETNAME", "SETINFO":
		return text("OK"), nil
	}
	return fail("ERR found CLIENT " + string(args[1]) + ", wanted SETNAME or SETINFO"), nil
}

func hello(_ context.Context, s *session, args [][]byte) (resp.Reply, error) {
	if len(args) > 2 {
		return fail("ERR syntax error in HELLO: wanted nothing but a version"), nil
	}
	if len(args) > 1 {
		switch string(args[1]) {
		case "2":
			s.three = false
		case "3":
			s.three = true
		default:
			return fail("NOPROTO unsupported protocol version"), nil
		}
	}
	version := int64(2)
	if s.three {
		version = 3
	}
	return resp.Reply{Kind: resp.Map, List: []resp.Reply{
		bulk([]byte("server")), bulk([]byte("netlab")), bulk([]byte("proto")), integer(version),
	}}, nil
}

// plan is what a command asks of the state machine, and how the answer is made of the results.
type plan struct {
	conditions []*storepb.Condition
	operations []*storepb.Operation
	answer     func(results []*storepb.Result, applied bool) resp.Reply
}

// number reads an integer.
func number(b []byte) (int64, string) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, "ERR value is not an integer or out of range"
	}
	return n, ""
}

// reply is the answer that a result is.
func reply(r *storepb.Result) resp.Reply {
	switch r.Type {
	case storepb.Type_TEXT:
		return bulk(r.Text)
	case storepb.Type_INTEGER:
		return integer(r.Integer)
	case storepb.Type_STATUS:
		return text(string(r.Text))
	case storepb.Type_ERROR:
		return fail(string(r.Text))
	case storepb.Type_LIST:
		out := resp.Reply{Kind: resp.Array}
		for _, item := range r.Items {
			out.List = append(out.List, bulk(item))
		}
		return out
	}
	return null
}

// one is the answer of a plan with one operation.
func one(results []*storepb.Result, applied bool) resp.Reply {
	if !applied {
		return null
	}
	return reply(results[0])
}

// sum is how many there are in all.
func sum(results []*storepb.Result, _ bool) resp.Reply {
	total := int64(0)
	for _, r := range results {
		total += r.Integer
	}
	return integer(total)
}

// there counts the keys that there are.
func there(results []*storepb.Result, _ bool) resp.Reply {
	n := int64(0)
	for _, r := range results {
		if string(r.Text) != "none" {
			n++
		}
	}
	return integer(n)
}

// simple commands have one operation on one key; the others are in planFor.
var simple = map[string]struct {
	verb storepb.Verb
	args int // with the name; negative is at least
}{
	"GET": {storepb.Verb_GET, 2}, "TYPE": {storepb.Verb_TYPE, 2}, "STRLEN": {storepb.Verb_STRLEN, 2}, "SMEMBERS": {storepb.Verb_MEMBERS, 2},
	"SADD": {storepb.Verb_ADD, -3}, "SREM": {storepb.Verb_REMOVE, -3}, "RPUSH": {storepb.Verb_APPEND, -3}, "LPUSH": {storepb.Verb_PREPEND, -3},
	"DBSIZE": {storepb.Verb_SIZE, 1},
}

// planFor plans a command. The problem is what the client is told instead.
func planFor(name string, args [][]byte) (p *plan, problem string) {
	p = &plan{answer: one}
	add := func(v storepb.Verb, key []byte) *storepb.Operation {
		o := &storepb.Operation{Verb: v, Key: bytes.Clone(key)}
		p.operations = append(p.operations, o)
		return o
	}
	count := "ERR wrong number of arguments for '" + strings.ToLower(name) + "' command"
	if c, ok := simple[name]; ok {
		if c.args > 0 && len(args) != c.args || len(args) < -c.args {
			return nil, count
		}
		var key []byte
		if len(args) > 1 {
			key = args[1]
		}
		o := add(c.verb, key)
		if c.args < 0 {
			for _, item := range args[2:] {
				o.Items = append(o.Items, bytes.Clone(item))
			}
		}
		return p, ""
	}
	need := func(least, most int) bool { return len(args) >= least && (most == 0 || len(args) <= most) }
	switch name {
	case "SET":
		if !need(3, 0) {
			return nil, count
		}
		return p, p.set(args)
	case "SETNX":
		if !need(3, 3) {
			return nil, count
		}
		p.conditions = []*storepb.Condition{{Key: bytes.Clone(args[1]), Want: &storepb.Condition_Exists{}}}
		add(storepb.Verb_SET, args[1]).Text = bytes.Clone(args[2])
		p.answer = func(_ []*storepb.Result, applied bool) resp.Reply {
			if applied {
				return integer(1)
			}
			return integer(0)
		}
	case "GETSET":
		if !need(3, 3) {
			return nil, count
		}
		add(storepb.Verb_GET, args[1])
		add(storepb.Verb_SET, args[1]).Text = bytes.Clone(args[2])
	case "MGET", "DEL", "EXISTS":
		if !need(2, 0) {
			return nil, count
		}
		verb := map[string]storepb.Verb{"MGET": storepb.Verb_GET, "DEL": storepb.Verb_DELETE, "EXISTS": storepb.Verb_TYPE}[name]
		for _, key := range args[1:] {
			add(verb, key)
		}
		p.answer = map[string]func([]*storepb.Result, bool) resp.Reply{"DEL": sum, "EXISTS": there, "MGET": many}[name]
	case "MSET":
		if !need(3, 0) || len(args)%2 == 0 {
			return nil, count
		}
		for i := 1; i < len(args); i += 2 {
			add(storepb.Verb_SET, args[i]).Text = bytes.Clone(args[i+1])
		}
	case "INCR", "DECR", "INCRBY", "DECRBY":
		by := strings.HasSuffix(name, "BY")
		if by && len(args) != 3 || !by && len(args) != 2 {
			return nil, count
		}
		amount := int64(1)
		if by {
			if amount, problem = number(args[2]); problem != "" {
				return nil, problem
			}
		}
		if name[0] == 'D' {
			if amount == -1<<63 {
				return nil, "ERR decrement would overflow"
			}
			amount = -amount
		}
		add(storepb.Verb_INCREMENT, args[1]).Amount = amount
	case "SCARD", "LLEN":
		if !need(2, 2) {
			return nil, count
		}
		o := add(storepb.Verb_MEMBERS, args[1])
		if name == "LLEN" {
			o.Verb, o.Stop = storepb.Verb_ELEMENTS, -1
		}
		p.answer = func(results []*storepb.Result, _ bool) resp.Reply {
			if results[0].Type != storepb.Type_LIST {
				return reply(results[0])
			}
			return integer(int64(len(results[0].Items)))
		}
	case "SISMEMBER":
		if !need(3, 3) {
			return nil, count
		}
		add(storepb.Verb_MEMBERS, args[1])
		item := bytes.Clone(args[2])
		p.answer = func(results []*storepb.Result, _ bool) resp.Reply {
			if results[0].Type != storepb.Type_LIST {
				return reply(results[0])
			}
			for _, m := range results[0].Items {
				if bytes.Equal(m, item) {
					return integer(1)
				}
			}
			return integer(0)
		}
	case "LRANGE":
		if !need(4, 4) {
			return nil, count
		}
		o := add(storepb.Verb_ELEMENTS, args[1])
		for i, n := range []*int64{&o.Start, &o.Stop} {
			if *n, problem = number(args[2+i]); problem != "" {
				return nil, problem
			}
		}
	case "RANGE":
		if len(args) != 3 && len(args) != 5 {
			return nil, count
		}
		o := add(storepb.Verb_RANGE, args[1])
		o.End = bytes.Clone(args[2])
		if len(args) == 5 {
			n, problem := number(args[4])
			if problem != "" || n < 1 || !strings.EqualFold(string(args[3]), "LIMIT") {
				return nil, "ERR wanted RANGE from to LIMIT and a number above 0"
			}
			o.Limit = uint64(n)
		}
	default:
		return nil, "ERR unknown command '" + strings.ToLower(name[:min(len(name), 64)]) + "'"
	}
	return p, ""
}

// many is the answer of MGET: nil for what isn't there, or isn't a text.
func many(results []*storepb.Result, _ bool) resp.Reply {
	out := resp.Reply{Kind: resp.Array}
	for _, r := range results {
		if r.Type == storepb.Type_TEXT {
			out.List = append(out.List, bulk(r.Text))
		} else {
			out.List = append(out.List, null)
		}
	}
	return out
}

// set plans SET with its options.
func (p *plan) set(args [][]byte) (problem string) {
	key := bytes.Clone(args[1])
	get := false
	for i := 3; i < len(args); i++ {
		var c *storepb.Condition
		switch strings.ToUpper(string(args[i])) {
		case "NX":
			c = &storepb.Condition{Key: key, Want: &storepb.Condition_Exists{}}
		case "XX":
			c = &storepb.Condition{Key: key, Want: &storepb.Condition_Exists{Exists: true}}
		case "IFEQ":
			if i++; i == len(args) {
				return "ERR syntax error"
			}
			c = &storepb.Condition{Key: key, Want: &storepb.Condition_Text{Text: bytes.Clone(args[i])}}
		case "GET":
			get = true
			continue
		default:
			return "ERR syntax error: wanted NX, XX, IFEQ and a value, or GET"
		}
		if len(p.conditions) > 0 {
			return "ERR NX, XX and IFEQ exclude each other"
		}
		p.conditions = []*storepb.Condition{c}
	}
	if get && len(p.conditions) > 0 {
		return "ERR GET goes without NX, XX and IFEQ"
	}
	if get {
		p.operations = append(p.operations, &storepb.Operation{Verb: storepb.Verb_GET, Key: key})
	}
	p.operations = append(p.operations, &storepb.Operation{Verb: storepb.Verb_SET, Key: key, Text: bytes.Clone(args[2])})
	return ""
}
