package store

import (
	"context"
	"errors"
	"sync"

	"connectrpc.com/connect"

	"netlab/ip"
	"netlab/services"
	"netlab/services/store/consensus"
	"netlab/services/store/engine"
	"netlab/services/store/kv"
	"netlab/services/store/node"
	"netlab/services/store/peer"
	"netlab/services/store/replog"
	"netlab/services/store/storepb"
	"netlab/services/store/storepb/storepbconnect"
)

// Server describes the service.
var Server = services.Type{
	Name: "store", Role: services.Service,
	Doc: "A member of a replicated key-value store. Clients speak RESP with it, as with Redis: strings, counters, sets, lists, transactions, " +
		"compare-and-set, ranges. Members speak gRPC with each other. What was synced to the host's disk survives a crash.",
	Config: func() services.Config { return NewConfig() },
	Result: func() any { return new(Result) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		c := config.(*Config)
		if err := c.validateOn(info.Hosts[0]); err != nil {
			return nil, err
		}
		return &server{config: *c, count: new(node.Counters)}, nil
	},
}

// server is the runner. What it counts outlives a crash of the host.
type server struct {
	config Config
	count  *node.Counters

	mu    sync.Mutex
	last  lastState
	why   string // the trouble that stopped it
	stops uint64
}

// lastState is what is known of the member's data when it stops.
type lastState struct {
	applied, first, last uint64
	keys                 int
}

// member is what runs for one incarnation of the host.
type member struct {
	server *server
	env    *services.Env
	place  *node.Place
	node   node.Node
	peers  map[string]string // addresses of members for clients
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	err := s.run(ctx, env)
	if err == nil || env.Over(ctx) || errors.Is(err, ip.ErrHostDown) {
		return nil
	}
	s.mu.Lock()
	s.why, s.stops = err.Error(), s.stops+1
	s.mu.Unlock()
	s.count.Happened(env.Elapsed(), "stopped", 0, "")
	env.Log.Warn("the store's member stops", "error", err)
	<-ctx.Done() // it comes back with its host
	return nil
}

func (s *server) run(ctx context.Context, env *services.Env) error {
	data, err := engine.Open(ctx, env, engine.Options{})
	if err != nil {
		return err
	}
	defer data.Close()
	machine := kv.New(data)
	entries, err := replog.Open(ctx, env, replog.Options{SegmentSize: s.config.SegmentSize, NoSync: s.config.Fsync == "never"})
	if err != nil {
		return err
	}
	if file, offset, torn := entries.Torn(); torn {
		env.Log.Info("the end of the log was torn, and is cut", "file", file, "offset", offset)
	}
	m := &member{server: s, env: env, peers: map[string]string{}}
	m.place = &node.Place{
		Env: env, Log: env.Log, Self: env.Host.Name(), Members: s.config.Members, Machine: machine, Entries: entries, Count: s.count,
	}
	if s.config.Replication == None {
		m.place.Members = []string{m.place.Self}
	}
	addresses := map[string]string{}
	for _, name := range m.place.Members {
		m.peers[name] = name + string(s.config.Listen)
		if name != m.place.Self {
			addresses[name] = name + string(s.config.PeerListen)
		}
	}
	m.place.Peers = peer.New(env, addresses, peer.Options{DialTimeout: s.config.silence(), Silence: s.config.silence()})
	err = m.serve(ctx)
	s.mu.Lock()
	s.last = lastState{applied: machine.Applied(), first: entries.First(), last: entries.Last()}
	if reply, err := machine.Query(&storepb.Transaction{Operations: []*storepb.Operation{{Verb: storepb.Verb_SIZE}}}); err == nil &&
		len(reply.Results) == 1 {
		s.last.keys = int(reply.Results[0].Integer)
	}
	s.mu.Unlock()
	return err
}

// serve runs the node, and serves members and clients, until one of them fails or ctx ends.
func (m *member) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	switch m.server.config.Replication {
	case None:
		m.node = &single{place: m.place, loop: node.NewLoop()}
	case Raft:
		m.node = consensus.New(m.place, m.server.config.raft())
	}
	failed := make(chan error, 3)
	for _, part := range []func() error{
		func() error { return m.node.Run(ctx) },
		func() error { return m.clients(ctx) },
		func() error {
			if m.server.config.Replication == None {
				<-ctx.Done()
				return nil
			}
			return peer.Serve(ctx, m.env, string(m.server.config.PeerListen), &peerHandler{member: m})
		},
	} {
		m.env.Go(func() { failed <- part() })
	}
	err := <-failed
	m.place.Peers.Close()
	cancel()
	for range 2 {
		err = errors.Join(err, <-failed)
	}
	m.env.Wait()
	return err
}

// peerHandler serves gRPC to other members: what clients asked of them, and what the node takes.
type peerHandler struct {
	storepbconnect.UnimplementedPeerHandler
	member *member
}

// Execute carries out what another member was asked.
func (p *peerHandler) Execute(ctx context.Context, r *connect.Request[storepb.Request]) (*connect.Response[storepb.Reply], error) {
	return connect.NewResponse(node.AsReply(p.member.node.Do(ctx, r.Msg))), nil
}

// Raft takes messages of raft.
func (p *peerHandler) Raft(ctx context.Context, s *connect.ClientStream[storepb.RaftMessages]) (*connect.Response[storepb.Empty], error) {
	if n, ok := p.member.node.(*consensus.Node); ok {
		return n.Raft(ctx, s)
	}
	return p.UnimplementedPeerHandler.Raft(ctx, s)
}

// do carries out what a client asks.
func (m *member) do(ctx context.Context, r *storepb.Request) (*storepb.Reply, error) {
	c := &m.server.config
	asked := r.Guarantee
	if asked == storepb.Guarantee_DEFAULT && c.Read == "latency" {
		r.Guarantee = storepb.Guarantee_LOCAL
	}
	reply, err := m.node.Do(ctx, r)
	var refused *node.Error
	if !errors.As(err, &refused) {
		return reply, err
	}
	read := !kv.Writes(r.Transaction)
	if refused.Code == node.Moved && c.Routing == "proxy" {
		reply, err = m.forward(ctx, refused.Member, r, read)
		if !errors.As(err, &refused) {
			return reply, err
		}
	}
	if read && asked == storepb.Guarantee_DEFAULT && c.Prefer == "availability" && refused.Code == node.ClusterDown {
		r.Guarantee = storepb.Guarantee_LOCAL
		m.server.count.Add("reads_degraded", 1)
		return m.node.Do(ctx, r)
	}
	return nil, refused
}

// forward asks another member.
func (m *member) forward(ctx context.Context, to string, r *storepb.Request, read bool) (*storepb.Reply, error) {
	m.server.count.Add("requests_forwarded", 1)
	answer, err := m.place.Peers.Client(to).Execute(ctx, connect.NewRequest(r))
	switch {
	case err == nil:
		return node.FromReply(answer.Msg)
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case read || peer.Down(err):
		return nil, node.Errorf(node.ClusterDown, "%s doesn't answer", to)
	}
	return nil, node.Errorf(node.InDoubt, "%s doesn't answer any more", to)
}
