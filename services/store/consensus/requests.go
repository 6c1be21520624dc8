package consensus

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"netlab/services/store/kv"
	"netlab/services/store/node"
	"netlab/services/store/storepb"
)

// Do implements node.Node.
func (n *Node) Do(ctx context.Context, r *storepb.Request) (*storepb.Reply, error) {
	if kv.Writes(r.Transaction) {
		return n.propose(ctx, &storepb.Command{Kind: &storepb.Command_Transaction{Transaction: r.Transaction}})
	}
	switch r.Guarantee {
	case storepb.Guarantee_LOCAL:
		return n.query(r, 0)
	case storepb.Guarantee_SESSION:
		after, err := kv.Position(r.After)
		if err != nil {
			return nil, node.Errorf(node.Err, "%v", err)
		}
		if err := n.patience(ctx, after); err != nil {
			return nil, err
		}
		return n.query(r, 0)
	case storepb.Guarantee_BOUNDED:
		age, known := n.staleness()
		if !known || age > time.Duration(r.MaxStaleness) {
			return nil, node.MovedTo(n.elsewhere())
		}
		return n.query(r, age)
	}
	return n.linearizable(ctx, r)
}

// elsewhere is the leader, if it isn't this member.
func (n *Node) elsewhere() string {
	if l := n.known(); l != n.place.Self {
		return l
	}
	return ""
}

// patience waits for an entry, for an election timeout at most.
func (n *Node) patience(ctx context.Context, position uint64) error {
	inner, cancel := n.place.Env.WithTimeout(ctx, n.config.Election())
	defer cancel()
	if n.place.Machine.Wait(inner, position) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return node.Errorf(node.TryAgain, "this member isn't at position %d yet", position)
}

func (n *Node) query(r *storepb.Request, age time.Duration) (*storepb.Reply, error) {
	reply, err := n.place.Machine.Query(r.Transaction)
	if err != nil {
		return nil, err
	}
	reply.Staleness = int64(age)
	if r.Guarantee == storepb.Guarantee_LOCAL || r.Guarantee == storepb.Guarantee_SESSION {
		reply.Staleness = -1
		if age, known := n.staleness(); known {
			reply.Staleness = int64(age)
		}
	}
	return reply, nil
}

// propose has a command written into the log and applied.
func (n *Node) propose(ctx context.Context, c *storepb.Command) (*storepb.Reply, error) {
	p := &proposal{done: make(chan struct{})}
	n.post(func() {
		if lead := n.raft.BasicStatus().Lead; lead != n.place.ID(n.place.Self) {
			p.end(nil, node.MovedTo(n.place.Member(lead)))
			return
		}
		n.ticket++
		c.Origin, c.Ticket = n.place.Origin(), n.ticket
		if err := n.raft.Propose(node.Marshal(c)); err != nil {
			p.end(nil, node.Errorf(node.ClusterDown, "%v", err))
			return
		}
		n.pending[n.ticket] = p
	})
	select {
	case <-p.done:
		return p.reply, p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// reads are linearizable reads that wait for the index from which on they may be served. One question to a majority is under way at a time;
// it serves all reads that came before it was asked. Only the loop's goroutine uses it.
type reads struct {
	waiting []*read
	asked   []*read
	round   uint64
	sent    time.Duration // when the round began
	wall    time.Time     // by the host's clock
	ticks   int           // since then
	under   bool          // a round is under way

	lease     time.Duration // until when the lease holds, by the monotonic clock
	leaseWall time.Time     // or by the wall clock
	leaseTerm uint64
}

type read struct{ done chan error }

func (r *reads) fail(err error) {
	for _, list := range [][]*read{r.asked, r.waiting} {
		for _, one := range list {
			one.done <- err
		}
	}
	r.asked, r.waiting, r.under = nil, nil, false
}

// lost is called when this member doesn't lead any more.
func (r *reads) lost() {
	r.lease, r.leaseWall = 0, time.Time{}
	r.waiting = append(r.asked, r.waiting...)
	r.asked, r.under = nil, false
}

// next begins a round if somebody waits for one.
func (r *reads) next(n *Node) {
	if r.under || len(r.waiting) == 0 {
		return
	}
	if n.raft.BasicStatus().Lead == raft.None {
		list := r.waiting
		r.waiting = nil
		for _, one := range list {
			one.done <- node.Errorf(node.ClusterDown, "there is no leader that is known")
		}
		return
	}
	r.begin(n)
}

func (r *reads) begin(n *Node) {
	r.asked, r.waiting = r.waiting, nil
	r.round++
	r.under, r.ticks = true, 0
	r.sent, r.wall = n.place.Env.Elapsed(), n.place.Env.Host.Now()
	n.raft.ReadIndex(binary.BigEndian.AppendUint64([]byte(n.place.Origin()+" "), r.round))
	n.post(func() {}) // what raft has to say now
}

// tick gives a round up that was lost on the way, and renews a lease.
func (r *reads) tick(n *Node) {
	if r.under {
		if r.ticks++; r.ticks >= n.config.ElectionTicks() {
			r.fail(node.Errorf(node.ClusterDown, "no majority answers"))
		}
	}
	if n.config.Lease && n.state == raft.StateLeader && !r.under {
		r.begin(n)
	}
}

// confirmed takes the answer to a round.
func (r *reads) confirmed(n *Node, s raft.ReadState) {
	if len(s.RequestCtx) < 8 || !r.under || binary.BigEndian.Uint64(s.RequestCtx[len(s.RequestCtx)-8:]) != r.round {
		return
	}
	list := r.asked
	r.asked, r.under = nil, false
	if n.config.Lease && n.state == raft.StateLeader && n.raft.Status().LeadTransferee == raft.None {
		length := time.Duration(n.config.ElectionTicks()-1) * n.config.heartbeat()
		r.lease, r.leaseWall, r.leaseTerm = r.sent+length, r.wall.Add(length), n.raft.BasicStatus().GetTerm()
	}
	for _, one := range list {
		n.place.Env.Go(func() { one.done <- n.patience(n.ctx, s.Index) })
	}
}

// leased says whether the leader may answer from its own state.
func (r *reads) leased(n *Node) bool {
	if !n.config.Lease || n.state != raft.StateLeader || r.leaseTerm != n.raft.BasicStatus().GetTerm() {
		return false
	}
	if n.config.LeaseClock == "wall" {
		return n.place.Env.Host.Now().Before(r.leaseWall)
	}
	return n.place.Env.Elapsed() < r.lease
}

// linearizable serves a read that sees every write that was answered before it was asked.
func (n *Node) linearizable(ctx context.Context, r *storepb.Request) (*storepb.Reply, error) {
	one := &read{done: make(chan error, 1)}
	n.post(func() {
		if n.reads.leased(n) {
			n.place.Count.Add("reads_by_lease", 1)
			one.done <- nil
			return
		}
		n.place.Count.Add("reads_by_index", 1)
		n.reads.waiting = append(n.reads.waiting, one)
	})
	select {
	case err := <-one.done:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return n.query(r, 0)
}

// fresh is what a follower knows of the age of its data.
type fresh struct {
	at        time.Duration // when the leader's heartbeat came
	committed uint64
	term      uint64
}

// freshen takes note of what a leader says.
func (n *Node) freshen(m *pb.Message) {
	if t := m.GetType(); t != pb.MsgHeartbeat && t != pb.MsgApp || m.GetTerm() < n.raft.BasicStatus().GetTerm() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fresh = fresh{at: n.place.Env.Elapsed(), committed: max(n.fresh.committed, m.GetCommit()), term: m.GetTerm()}
}

// staleness is how long ago the leader said up to where entries are committed, if this member has applied them since.
func (n *Node) staleness() (age time.Duration, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leader == n.place.ID(n.place.Self) {
		return 0, true
	}
	if n.fresh.term == 0 || n.place.Machine.Applied() < n.fresh.committed {
		return 0, false
	}
	return n.place.Env.Elapsed() - n.fresh.at, true
}

// Admin implements node.Node.
func (n *Node) Admin(ctx context.Context, args []string) (string, bool, error) {
	if len(args) != 3 || !strings.EqualFold(args[0], "RAFT") {
		return "", false, nil
	}
	id := n.place.ID(args[2])
	if id == 0 {
		return "", true, node.Errorf(node.Err, "%q is not a member: want one of %s", args[2], strings.Join(n.place.Members, ", "))
	}
	change := &pb.ConfChangeV2{}
	single := &pb.ConfChangeSingle{NodeId: proto.Uint64(id)}
	switch strings.ToUpper(args[1]) {
	case "TRANSFER":
		n.post(func() { n.reads.lease, n.reads.leaseWall = 0, time.Time{}; n.raft.TransferLeader(id) })
		return "OK", true, nil
	case "ADD":
		single.Type = pb.ConfChangeAddNode.Enum()
	case "LEARN":
		single.Type = pb.ConfChangeAddLearnerNode.Enum()
	case "REMOVE":
		single.Type = pb.ConfChangeRemoveNode.Enum()
	default:
		return "", true, node.Errorf(node.Err, "found RAFT %s, wanted ADD, LEARN, REMOVE or TRANSFER", args[1])
	}
	change.Changes = []*pb.ConfChangeSingle{single}
	done := make(chan error, 1)
	n.post(func() {
		if lead := n.raft.BasicStatus().Lead; lead != n.place.ID(n.place.Self) {
			done <- node.MovedTo(n.place.Member(lead))
			return
		}
		if err := n.raft.ProposeConfChange(change); err != nil {
			done <- node.Errorf(node.ClusterDown, "%v", err)
			return
		}
		n.changes = append(n.changes, done)
	})
	select {
	case err := <-done:
		return "OK", true, err
	case <-ctx.Done():
		return "", true, context.Cause(ctx)
	}
}

// Info implements node.Node.
func (n *Node) Info(ctx context.Context) [][2]string {
	done := make(chan [][2]string, 1)
	n.post(func() {
		s := n.raft.BasicStatus()
		done <- [][2]string{
			{"role", strings.ToLower(strings.TrimPrefix(s.RaftState.String(), "State"))},
			{"leader", n.place.Member(s.Lead)},
			{"term", strconv.FormatUint(s.GetTerm(), 10)},
			{"commit", strconv.FormatUint(s.GetCommit(), 10)},
			{"applied", strconv.FormatUint(n.place.Machine.Applied(), 10)},
			{"last", strconv.FormatUint(n.place.Entries.Last(), 10)},
		}
	})
	select {
	case list := <-done:
		return list
	case <-ctx.Done():
		return nil
	}
}
