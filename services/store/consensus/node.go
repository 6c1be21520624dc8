package consensus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"connectrpc.com/connect"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"netlab/services/store/node"
	"netlab/services/store/storepb"
)

// Node is a member of a raft group.
type Node struct {
	place   *node.Place
	config  Config
	loop    *node.Loop
	storage *storage
	senders map[uint64]*sender

	// Only the loop's goroutine uses these.
	raft    *raft.RawNode
	state   raft.StateType
	term    uint64
	started time.Duration
	ticket  uint64
	pending map[uint64]*proposal
	changes []chan error // of membership, that wait to be applied
	reads   reads
	flushed uint64          // entries up to here are in the engine's files
	ctx     context.Context // of Run

	mu     sync.Mutex
	leader uint64
	fresh  fresh
}

// proposal is an entry that somebody waits for.
type proposal struct {
	done  chan struct{}
	reply *storepb.Reply
	err   error
}

func (p *proposal) end(reply *storepb.Reply, err error) {
	p.reply, p.err = reply, err
	close(p.done)
}

// New returns a member.
func New(p *node.Place, c Config) *Node {
	return &Node{place: p, config: c, loop: node.NewLoop(), senders: map[uint64]*sender{}, pending: map[uint64]*proposal{}}
}

func (n *Node) post(event func()) { n.loop.Post(event) }

// voters are those of the start.
func (n *Node) voters() []uint64 {
	var list []uint64
	for _, m := range n.place.Members {
		if len(n.config.Voters) == 0 || slices.Contains(n.config.Voters, m) {
			list = append(list, n.place.ID(m))
		}
	}
	return list
}

// Run implements node.Node.
func (n *Node) Run(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil { // raft finds that what it was promised doesn't hold: a log that lost entries
			err = fmt.Errorf("raft: %v", v)
		}
		for _, t := range slices.Sorted(maps.Keys(n.pending)) {
			n.pending[t].end(nil, node.Errorf(node.InDoubt, "the member stops"))
		}
		n.reads.fail(node.Errorf(node.ClusterDown, "the member stops"))
	}()
	if n.storage, err = openStorage(ctx, n.place, n.voters()); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.ctx, n.started = ctx, n.place.Env.Elapsed()
	n.flushed = n.place.Machine.Applied()
	n.raft, err = raft.NewRawNode(&raft.Config{
		ID: n.place.ID(n.place.Self), ElectionTick: n.config.ElectionTicks(), HeartbeatTick: 1, Storage: n.storage,
		Applied: n.place.Machine.Applied(), MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, CheckQuorum: true,
		PreVote: enabled(n.config.PreVote), ReadOnlyOption: raft.ReadOnlySafe, Logger: logger{n.place.Log}, StepDownOnRemoval: true,
	})
	if err != nil {
		return err
	}
	for i, m := range n.place.Members {
		if m == n.place.Self {
			continue
		}
		s := &sender{node: n, member: m, wake: make(chan struct{}, 1)}
		n.senders[uint64(i+1)] = s
		n.place.Env.Go(func() { s.run(ctx) })
	}
	n.place.Env.Go(func() { n.ticks(ctx) })
	for {
		events := n.loop.Next(ctx)
		if events == nil {
			return nil
		}
		for _, e := range events {
			e()
		}
		for n.raft.HasReady() {
			if err := n.ready(ctx, n.raft.Ready()); err != nil {
				return err
			}
		}
		n.reads.next(n)
	}
}

// ticks makes raft's clock tick.
func (n *Node) ticks(ctx context.Context) {
	for n.place.Env.Sleep(ctx, n.config.heartbeat()) == nil {
		n.post(n.tick)
	}
}

func (n *Node) tick() {
	n.raft.Tick()
	n.reads.tick(n)
}

// early says whether a message may go before the entries are durable: those of a leader.
func early(m *pb.Message) bool {
	switch m.GetType() {
	case pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap, pb.MsgReadIndex, pb.MsgReadIndexResp, pb.MsgTimeoutNow, pb.MsgProp:
		return true
	}
	return false
}

// ready does what raft wants to be done.
func (n *Node) ready(ctx context.Context, rd raft.Ready) error {
	if rd.SoftState != nil {
		n.role(rd.SoftState)
	}
	for _, m := range rd.Messages {
		if early(m) {
			n.send(m)
		}
	}
	if err := n.persist(ctx, rd); err != nil {
		return err
	}
	for _, m := range rd.Messages {
		if !early(m) {
			n.send(m)
		}
	}
	for _, s := range rd.ReadStates {
		n.reads.confirmed(n, s)
	}
	for _, e := range rd.CommittedEntries {
		if err := n.apply(e); err != nil {
			return err
		}
	}
	n.raft.Advance(rd)
	return n.compact(ctx)
}

// persist writes down what must survive a crash.
func (n *Node) persist(ctx context.Context, rd raft.Ready) error {
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := n.restore(ctx, rd.Snapshot); err != nil {
			return err
		}
	}
	if !raft.IsEmptyHardState(rd.HardState) {
		n.term = rd.HardState.GetTerm()
		hard := proto.Clone(rd.HardState).(*pb.HardState)
		if !enabled(n.config.PersistVote) {
			hard.Vote = nil
		}
		n.place.Entries.SetState(node.Marshal(hard))
	}
	for _, e := range rd.Entries {
		n.place.Entries.Append(entry(e))
	}
	if !rd.MustSync {
		return nil
	}
	return n.place.Entries.Sync(ctx)
}

// restore takes a snapshot of the leader.
func (n *Node) restore(ctx context.Context, s *pb.Snapshot) error {
	data, err := restored(s)
	if err != nil {
		return err
	}
	n.storage.conf = s.GetMetadata().GetConfState()
	// A crash between this and the log's reset leaves a log that ends before the data: the mark says that it may.
	marks := map[string][]byte{confState: node.Marshal(n.storage.conf), restoredAt: node.Marshal(s.GetMetadata())}
	if err := n.place.Machine.Restore(ctx, data, marks); err != nil {
		return err
	}
	n.flushed = data.Position
	n.place.Count.Add("snapshots_received", 1)
	return n.place.Entries.Reset(ctx, s.GetMetadata().GetIndex(), s.GetMetadata().GetTerm())
}

// apply applies a committed entry.
func (n *Node) apply(e *pb.Entry) error {
	index := e.GetIndex()
	switch {
	case e.GetType() == pb.EntryConfChangeV2:
		change := new(pb.ConfChangeV2)
		if err := proto.Unmarshal(e.GetData(), change); err != nil {
			return err
		}
		return n.changed(index, n.raft.ApplyConfChange(change))
	case e.GetType() == pb.EntryConfChange:
		change := new(pb.ConfChange)
		if err := proto.Unmarshal(e.GetData(), change); err != nil {
			return err
		}
		return n.changed(index, n.raft.ApplyConfChange(change))
	case len(e.GetData()) == 0:
		return n.place.Machine.Skip(index, nil)
	}
	c := new(storepb.Command)
	if err := proto.Unmarshal(e.GetData(), c); err != nil {
		return err
	}
	reply, err := n.place.Machine.Apply(index, c)
	if err != nil {
		return err
	}
	if c.Origin != n.place.Origin() {
		return nil
	}
	if p := n.pending[c.Ticket]; p != nil {
		delete(n.pending, c.Ticket)
		p.end(reply, nil)
	}
	return nil
}

// changed takes down who the members are now.
func (n *Node) changed(index uint64, conf *pb.ConfState) error {
	for _, c := range n.changes {
		c <- nil
	}
	n.changes = nil
	n.storage.conf = conf
	return n.place.Machine.Skip(index, map[string][]byte{confState: node.Marshal(conf)})
}

// compact flushes the data and cuts the log once in a while.
func (n *Node) compact(ctx context.Context) error {
	applied := n.place.Machine.Applied()
	if applied < n.flushed+n.config.keep() {
		return nil
	}
	if err := n.place.Entries.Sync(ctx); err != nil { // that what is applied is committed must not be forgotten
		return err
	}
	durable, err := n.place.Machine.Flush(ctx)
	if err != nil {
		return err
	}
	n.flushed = durable
	n.place.Count.Add("flushes", 1)
	return n.place.Entries.Compact(ctx, durable)
}

// role follows what raft makes of this member.
func (n *Node) role(s *raft.SoftState) {
	n.mu.Lock()
	n.leader = s.Lead
	n.mu.Unlock()
	if s.RaftState == n.state {
		return
	}
	was := n.state
	n.state = s.RaftState
	term := n.raft.BasicStatus().GetTerm()
	now := n.place.Env.Elapsed()
	switch n.state {
	case raft.StateLeader:
		n.place.Count.Add("elections_won", 1)
		n.place.Count.Happened(now, "leader", term, n.place.Self)
	case raft.StateCandidate:
		n.place.Count.Add("elections", 1)
		n.place.Count.Happened(now, "candidate", term, n.place.Self)
	case raft.StatePreCandidate:
		n.place.Count.Happened(now, "suspects", term, "")
	default:
		n.place.Count.Happened(now, "follower", term, n.place.Member(s.Lead))
	}
	n.place.Log.Debug("raft: new role", "role", n.state.String(), "term", term)
	if was == raft.StateLeader {
		for _, t := range slices.Sorted(maps.Keys(n.pending)) {
			n.pending[t].end(nil, node.Errorf(node.InDoubt, "this member doesn't lead any more, and the write may still come to be"))
		}
		clear(n.pending)
		n.reads.lost()
	}
}

func (n *Node) send(m *pb.Message) {
	s := n.senders[m.GetTo()]
	if s == nil {
		return
	}
	if m.GetType() == pb.MsgSnap {
		n.place.Count.Add("snapshots_sent", 1)
		n.post(func() { n.raft.ReportSnapshot(m.GetTo(), raft.SnapshotFinish) }) // it is sent again if it gets lost
	}
	s.add(m)
}

func (n *Node) unreachable(member string) { n.raft.ReportUnreachable(n.place.ID(member)) }

// step takes a message of another member.
func (n *Node) step(b []byte) {
	m := new(pb.Message)
	if proto.Unmarshal(b, m) != nil {
		return
	}
	if t := m.GetType(); (t == pb.MsgVote || t == pb.MsgPreVote) && n.config.Lease &&
		n.place.Env.Host.Incarnation() > 0 && n.place.Env.Elapsed() < n.started+n.config.Election() {
		return // it may have promised a leader's lease before its restart
	}
	n.freshen(m)
	if err := n.raft.Step(m); err != nil && !errors.Is(err, raft.ErrProposalDropped) && !errors.Is(err, raft.ErrStepPeerNotFound) {
		n.place.Log.Debug("raft: message refused", "error", err)
	}
}

// Raft takes the messages of another member: it is a part of the gRPC service.
func (n *Node) Raft(ctx context.Context, stream *connect.ClientStream[storepb.RaftMessages]) (*connect.Response[storepb.Empty], error) {
	for stream.Receive() {
		list := stream.Msg().Messages
		n.post(func() {
			for _, m := range list {
				n.step(m)
			}
		})
	}
	return connect.NewResponse(&storepb.Empty{}), stream.Err()
}

// known is the leader as far as this member knows, "" if it knows none.
func (n *Node) known() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.place.Member(n.leader)
}

// logger takes what raft logs. What it panics about is what it can't go on with.
type logger struct{ log *slog.Logger }

func (l logger) Debug(v ...any)              {}
func (l logger) Debugf(string, ...any)       {}
func (l logger) Info(v ...any)               {}
func (l logger) Infof(string, ...any)        {}
func (l logger) Warning(v ...any)            { l.log.Debug("raft: " + fmt.Sprint(v...)) }
func (l logger) Warningf(f string, v ...any) { l.log.Debug("raft: " + fmt.Sprintf(f, v...)) }
func (l logger) Error(v ...any)              { l.log.Debug("raft: " + fmt.Sprint(v...)) }
func (l logger) Errorf(f string, v ...any)   { l.log.Debug("raft: " + fmt.Sprintf(f, v...)) }
func (l logger) Fatal(v ...any)              { panic(fmt.Sprint(v...)) }
func (l logger) Fatalf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
func (l logger) Panic(v ...any)              { panic(fmt.Sprint(v...)) }
func (l logger) Panicf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
