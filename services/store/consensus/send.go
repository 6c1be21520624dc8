package consensus

import (
	"context"
	"sync"

	pb "go.etcd.io/raft/v3/raftpb"

	"connectrpc.com/connect"

	"netlab/services/store/node"
	"netlab/services/store/storepb"
)

// maxQueued is how many messages wait for a member at most; older ones are dropped then, as a network does.
const maxQueued = 4096

// sender sends messages to one member, in order, over one stream for as long as it goes well.
type sender struct {
	node   *Node
	member string

	mu    sync.Mutex
	queue [][]byte
	wake  chan struct{}
}

func (s *sender) add(m *pb.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= maxQueued {
		s.queue = s.queue[1:]
		s.node.place.Count.Add("messages_dropped", 1)
	}
	s.queue = append(s.queue, node.Marshal(m))
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *sender) take() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.queue
	s.queue = nil
	return list
}

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		s.node.post(func() { s.node.unreachable(s.member) })
		s.node.place.Env.Sleep(ctx, s.node.config.heartbeat())
		s.take() // what was for the connection before is of no use any more
	}
}

// stream sends over one stream until that fails.
func (s *sender) stream(ctx context.Context) {
	var stream *connect.ClientStreamForClient[storepb.RaftMessages, storepb.Empty]
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
		list := s.take()
		if len(list) == 0 {
			continue
		}
		if stream == nil {
			stream = s.node.place.Peers.Client(s.member).Raft(inner)
		}
		if err := stream.Send(&storepb.RaftMessages{Messages: list}); err != nil {
			_, err = stream.CloseAndReceive()
			s.node.place.Log.Debug("stream to another member is broken", "member", s.member, "error", err)
			return
		}
		s.node.place.Count.Add("messages_sent", uint64(len(list)))
	}
}
