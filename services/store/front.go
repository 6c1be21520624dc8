package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"netlab/services/resp"
	"netlab/services/store/kv"
	"netlab/services/store/node"
	"netlab/services/store/storepb"
	"netlab/tcp"
)

// maxRequest is how long a request may be.
const maxRequest = 64 << 20

// clients serves clients until ctx ends.
func (m *member) clients(ctx context.Context) error {
	listener, err := tcp.Listen(m.env.Host, string(m.server.config.Listen))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		m.env.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Abort() })()
			defer conn.Close()
			m.session(ctx, conn)
		})
	}
}

// session is a client's connection.
type session struct {
	member    *member
	guarantee storepb.Guarantee
	staleness time.Duration // that the client puts up with
	after     []byte
	position  []byte
	age       int64
	three     bool // it speaks RESP3
	quit      bool

	watched []*storepb.Condition
	multi   bool
	queue   []queued
	broken  bool // a command that couldn't be queued
}

// queued is a command between MULTI and EXEC.
type queued struct {
	plan *plan
	from int // its first operation
}

// session answers the requests of a connection.
func (m *member) session(ctx context.Context, conn *tcp.Conn) {
	s := &session{member: m, age: -1}
	r := bufio.NewReaderSize(conn, 16<<10)
	var out []byte
	for !s.quit {
		args, err := resp.ReadRequest(r, resp.RequestLimits{String: maxRequest, Total: maxRequest})
		if err != nil {
			if resp.IsProtocol(err) {
				out = resp.AppendReply(out, fail("ERR "+err.Error()), s.three)
			}
			conn.Write(out)
			return
		}
		if len(args) == 0 {
			continue
		}
		reply, err := s.answer(ctx, args)
		if err != nil {
			return // nobody is there any more who could know
		}
		if reply.Kind == resp.Failure {
			code, _, _ := strings.Cut(string(reply.Text), " ")
			m.server.count.Add("errors", 1)
			m.server.count.Add("code "+code, 1)
		}
		out = resp.AppendReply(out, reply, s.three)
		if r.Buffered() > 0 && !s.quit {
			continue // the client doesn't wait for this answer
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
		out = out[:0]
	}
}

func fail(text string) resp.Reply { return resp.Reply{Kind: resp.Failure, Text: []byte(text)} }

func text(t string) resp.Reply { return resp.Reply{Kind: resp.Simple, Text: []byte(t)} }

func bulk(b []byte) resp.Reply { return resp.Reply{Kind: resp.Bulk, Text: b} }

func integer(n int64) resp.Reply { return resp.Reply{Kind: resp.Integer, Integer: n} }

var null = resp.Reply{Kind: resp.Null}

// failure is the answer that an error is.
func (m *member) failure(err error) (resp.Reply, error) {
	var refused *node.Error
	if !errors.As(err, &refused) {
		return resp.Reply{}, err
	}
	if refused.Code == node.Moved {
		address := m.peers[refused.Member]
		return fail("MOVED 0 " + address), nil
	}
	return fail(refused.Code + " " + refused.Text), nil
}

// answer works on a request. The error is why there is no answer.
func (s *session) answer(ctx context.Context, args [][]byte) (resp.Reply, error) {
	s.member.server.count.Add("requests", 1)
	name := strings.ToUpper(string(args[0]))
	if c, ok := talk[name]; ok {
		if len(args) < c.least || c.most > 0 && len(args) > c.most {
			return s.wrong(name), nil
		}
		return c.do(ctx, s, args)
	}
	if s.multi {
		return s.enqueue(name, args), nil
	}
	p, problem := planFor(name, args)
	if problem != "" {
		if strings.HasPrefix(problem, "ERR unknown command") {
			if words, ok, err := s.member.node.Admin(ctx, words(args)); ok {
				if err != nil {
					return s.member.failure(err)
				}
				return text(words), nil
			}
		}
		return fail(problem), nil
	}
	reply, err := s.execute(ctx, &storepb.Transaction{Conditions: p.conditions, Operations: p.operations})
	if err != nil {
		return s.member.failure(err)
	}
	return p.answer(reply.Results, reply.Applied), nil
}

func words(args [][]byte) []string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = string(a)
	}
	return out
}

func (s *session) wrong(name string) resp.Reply {
	s.broken = s.multi
	return fail("ERR wrong number of arguments for '" + strings.ToLower(name) + "' command")
}

// execute carries out a transaction for the client.
func (s *session) execute(ctx context.Context, t *storepb.Transaction) (*storepb.Reply, error) {
	what := "reads"
	if kv.Writes(t) {
		what = "writes"
	}
	s.member.server.count.Add(what, 1)
	reply, err := s.member.do(ctx, &storepb.Request{
		Transaction: t, Guarantee: s.guarantee, After: s.after, MaxStaleness: int64(s.staleness),
	})
	if err != nil {
		return nil, err
	}
	s.position, s.age = reply.Position, reply.Staleness
	return reply, nil
}

// enqueue takes a command of a transaction.
func (s *session) enqueue(name string, args [][]byte) resp.Reply {
	p, problem := planFor(name, args)
	if problem == "" && len(p.conditions) > 0 {
		problem = "ERR conditions of a single command can't be part of a transaction: want WATCH"
	}
	if problem != "" {
		s.broken = true
		return fail(problem)
	}
	from := 0
	if n := len(s.queue); n > 0 {
		from = s.queue[n-1].from + len(s.queue[n-1].plan.operations)
	}
	s.queue = append(s.queue, queued{p, from})
	return text("QUEUED")
}

// exec carries out a transaction.
func (s *session) exec(ctx context.Context) (resp.Reply, error) {
	if !s.multi {
		return fail("ERR EXEC without MULTI"), nil
	}
	queue, broken, watched := s.queue, s.broken, s.watched
	s.discard()
	if broken {
		return fail("EXECABORT Transaction discarded because of previous errors."), nil
	}
	t := &storepb.Transaction{Conditions: watched}
	for _, q := range queue {
		t.Operations = append(t.Operations, q.plan.operations...)
	}
	if len(t.Operations) == 0 {
		return resp.Reply{Kind: resp.Array}, nil
	}
	reply, err := s.execute(ctx, t)
	if err != nil {
		return s.member.failure(err)
	}
	if !reply.Applied {
		return null, nil
	}
	out := resp.Reply{Kind: resp.Array}
	for _, q := range queue {
		out.List = append(out.List, q.plan.answer(reply.Results[q.from:q.from+len(q.plan.operations)], true))
	}
	return out, nil
}

func (s *session) discard() { s.multi, s.broken, s.queue, s.watched = false, false, nil, nil }

// watch takes down how keys are now, by the latest value that there is.
func (s *session) watch(ctx context.Context, keys [][]byte) (resp.Reply, error) {
	if s.multi {
		return fail("ERR WATCH inside MULTI is not allowed"), nil
	}
	t := &storepb.Transaction{}
	for _, k := range keys {
		t.Operations = append(t.Operations, &storepb.Operation{Verb: storepb.Verb_TYPE, Key: k})
	}
	reply, err := s.execute(ctx, t)
	if err != nil {
		return s.member.failure(err)
	}
	for i, k := range keys {
		s.watched = append(s.watched, &storepb.Condition{Key: k, Want: &storepb.Condition_Modified{Modified: reply.Results[i].Modified}})
	}
	return text("OK"), nil
}

// consistency sets what is asked of reads.
func (s *session) consistency(args [][]byte) resp.Reply {
	levels := map[string]storepb.Guarantee{
		"default": storepb.Guarantee_DEFAULT, "linearizable": storepb.Guarantee_LINEARIZABLE, "local": storepb.Guarantee_LOCAL,
		"session": storepb.Guarantee_SESSION, "bounded": storepb.Guarantee_BOUNDED,
	}
	level, ok := levels[strings.ToLower(string(args[1]))]
	if !ok {
		return fail(fmt.Sprintf("ERR found CONSISTENCY %q, wanted default, linearizable, local, session or bounded and milliseconds", args[1]))
	}
	if (level == storepb.Guarantee_BOUNDED) != (len(args) == 3) {
		return fail("ERR milliseconds belong to CONSISTENCY bounded, and only there")
	}
	if len(args) == 3 {
		ms, problem := number(args[2])
		if problem != "" || ms < 1 || ms > 1<<40 {
			return fail("ERR found " + string(args[2]) + ", wanted milliseconds, 1 or more")
		}
		s.staleness = time.Duration(ms) * time.Millisecond
	}
	s.guarantee = level
	return text("OK")
}

// info is the answer to INFO.
func (s *session) info(ctx context.Context) resp.Reply {
	var b strings.Builder
	b.WriteString("# Server\r\nstore:netlab\r\n# Replication\r\n")
	for _, p := range s.member.node.Info(ctx) {
		b.WriteString(p[0] + ":" + p[1] + "\r\n")
	}
	return bulk([]byte(b.String()))
}
