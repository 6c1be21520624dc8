package kvcache

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"sync"

	"netlab/ip"
	"netlab/services"
	"netlab/services/capacity"
	"netlab/services/resp"
	"netlab/tcp"
)

// Server describes the service.
var Server = services.Type{
	Name: "kv-cache", Role: services.Service,
	Doc: "A key-value cache that speaks RESP, so that Redis clients and Wireshark understand it: strings with a time to live, in memory up to " +
		"a bound, and a policy that decides what goes when it is reached: fifo, lru, lfu, perfect-lfu, random, 2q, arc or tinylfu. A crash " +
		"of its host leaves it empty.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &server{config: *config.(*Config), count: counters{commands: map[string]uint64{}}}, nil
	},
}

// server is the runner. What it counts outlives a crash of the host; what it holds does not.
type server struct {
	config Config
	cores  *capacity.Cores // nil without a model
	env    *services.Env

	mu    sync.Mutex // held for one command at a time, and never while anything is waited for
	store *store
	count counters
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	s.env = env
	held, err := newStore(&s.config, env.Stream("eviction"), &s.count)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.store, s.count.clients = held, 0
	s.mu.Unlock()
	switch {
	case s.config.Capacity.Empty():
	case s.cores == nil:
		s.cores = capacity.New(env, s.config.Capacity, "service_time")
	default:
		s.cores.Start(env)
	}
	err = env.ServeTCP(ctx, string(s.config.Listen), func(conn *tcp.Conn) { s.serve(ctx, conn) })
	if s.cores != nil {
		s.cores.Stop()
	}
	s.mu.Lock()
	s.store.advance(env.Elapsed())
	if errors.Is(env.Host.Err(), ip.ErrHostDown) {
		s.store.flush() // what a host holds in memory is gone with it
	}
	s.mu.Unlock()
	if env.Over(ctx) {
		return nil
	}
	return err
}

// session is a connection.
type session struct {
	server *server
	id     uint64
	remote string
	name   string
	three  bool // it speaks RESP3
	known  bool // it has said the password, or there is none
	quit   bool
	out    []byte
}

// flushAt is how much is written at once where a client sends several requests without waiting.
const flushAt = 64 << 10

// serve answers the requests of a connection until it is closed.
func (s *server) serve(ctx context.Context, conn *tcp.Conn) {
	c := s.open(conn)
	if c == nil {
		conn.Write(resp.AppendReply(nil, fail("ERR max number of clients reached"), false))
		return
	}
	defer s.close()
	limits := resp.RequestLimits{String: int64(s.config.MaxValue), Total: max(int64(s.config.MaxValue)+1<<20, 64<<20)}
	r := bufio.NewReaderSize(conn, 16<<10)
	for !c.quit {
		args, err := resp.ReadRequest(r, limits)
		if err != nil {
			s.broken(conn, c, err)
			return
		}
		if len(args) == 0 {
			continue
		}
		reply, err := s.answer(ctx, c, args)
		if err != nil {
			return
		}
		c.out = resp.AppendReply(c.out, reply, c.three)
		if r.Buffered() > 0 && len(c.out) < flushAt && !c.quit {
			continue // the client does not wait for this answer
		}
		if _, err := conn.Write(c.out); err != nil {
			return
		}
		if c.out = c.out[:0]; cap(c.out) > flushAt {
			c.out = nil
		}
	}
}

// open counts a connection. It returns nil if there are too many.
func (s *server) open(conn *tcp.Conn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.connections++
	if s.count.clients >= s.config.maxClients() {
		s.count.rejected++
		return nil
	}
	s.count.clients++
	return &session{server: s, id: s.count.connections, remote: conn.RemoteAddr().String(), known: s.config.Password == ""}
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.clients--
}

// broken ends a connection whose next request can't be read, and tells the client why if it is to blame.
func (s *server) broken(conn *tcp.Conn, c *session, err error) {
	if resp.IsProtocol(err) {
		s.mu.Lock()
		s.count.protocol++
		s.mu.Unlock()
		c.out = resp.AppendReply(c.out, fail("ERR "+err.Error()), c.three)
	}
	conn.Write(c.out)
}

// answer works on a request. The error is why nobody is there any more who wants an answer.
func (s *server) answer(ctx context.Context, c *session, args [][]byte) (resp.Reply, error) {
	if s.cores != nil {
		if err := s.cores.Do(ctx); errors.Is(err, capacity.ErrFull) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.count.requests++
			s.count.errors++
			return fail("BUSY " + err.Error()), nil
		} else if err != nil {
			return resp.Reply{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count.requests++
	s.store.advance(s.env.Elapsed())
	reply := s.command(c, args)
	if reply.Kind == resp.Failure {
		s.count.errors++
	}
	return reply, nil
}

// command finds and calls a command. The server is locked.
func (s *server) command(c *session, args [][]byte) resp.Reply {
	name := strings.ToLower(string(args[0]))
	cmd, ok := commands[name]
	if !ok {
		if !c.known {
			return fail("NOAUTH Authentication required.")
		}
		return fail("ERR unknown command '" + text(args[0], 128) + "', with args beginning with: " + first(args[1:]))
	}
	if len(args) < cmd.least || cmd.most > 0 && len(args) > cmd.most {
		return fail("ERR wrong number of arguments for '" + name + "' command")
	}
	if !c.known && !cmd.open {
		return fail("NOAUTH Authentication required.")
	}
	s.count.commands[name]++
	return cmd.do(c, s.store, args)
}

// text is what a client sent, for an error: printable and not too long.
func text(b []byte, most int) string {
	b = b[:min(len(b), most)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return ' '
		}
		return r
	}, string(b))
}

// first quotes the first arguments as Redis does.
func first(args [][]byte) string {
	var b strings.Builder
	for _, a := range args {
		if b.Len() >= 128 {
			break
		}
		b.WriteString("'" + text(a, 128-b.Len()) + "' ")
	}
	return b.String()
}
