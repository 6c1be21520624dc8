package consensus

import (
	"context"
	"fmt"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"netlab/services/store/node"
	"netlab/services/store/replog"
	"netlab/services/store/storepb"
)

// The names under which the machine keeps who the members are, and which snapshot was taken last.
const (
	confState  = "members"
	restoredAt = "snapshot"
)

// storage is what raft reads of the log.
type storage struct {
	place *node.Place
	hard  *pb.HardState
	conf  *pb.ConfState
}

// openStorage reads what is on the disk. voters are those of the start.
func openStorage(ctx context.Context, p *node.Place, voters []uint64) (*storage, error) {
	s := &storage{place: p, hard: &pb.HardState{}}
	if b := p.Entries.State(); len(b) > 0 {
		if err := proto.Unmarshal(b, s.hard); err != nil {
			return nil, fmt.Errorf("the state of raft in the log: %w", err)
		}
	}
	applied := p.Machine.Applied()
	mark, err := p.Machine.Config(restoredAt)
	if err != nil {
		return nil, err
	}
	snapshot := new(pb.SnapshotMetadata)
	if err := proto.Unmarshal(mark, snapshot); err != nil {
		return nil, fmt.Errorf("the last snapshot of raft: %w", err)
	}
	if p.Entries.Last() < applied && snapshot.GetIndex() == applied {
		if err := p.Entries.Reset(ctx, applied, snapshot.GetTerm()); err != nil {
			return nil, err
		}
	}
	if last := p.Entries.Last(); last < applied {
		return nil, fmt.Errorf("the log ends with entry %d, and the data has all up to %d: entries that were synced are lost", last, applied)
	}
	if s.hard.GetCommit() < applied {
		s.hard.Commit = proto.Uint64(applied)
	}
	if s.hard.GetCommit() > p.Entries.Last() {
		s.hard.Commit = proto.Uint64(p.Entries.Last())
	}
	conf, err := p.Machine.Config(confState)
	if err != nil {
		return nil, err
	}
	s.conf = &pb.ConfState{Voters: voters}
	if len(conf) > 0 {
		s.conf = new(pb.ConfState)
		err = proto.Unmarshal(conf, s.conf)
	}
	return s, err
}

// InitialState implements raft.Storage.
func (s *storage) InitialState() (*pb.HardState, *pb.ConfState, error) { return s.hard, s.conf, nil }

// Entries implements raft.Storage.
func (s *storage) Entries(lo, hi, size uint64) ([]*pb.Entry, error) {
	switch {
	case lo < s.place.Entries.First():
		return nil, raft.ErrCompacted
	case hi > s.place.Entries.Last()+1:
		return nil, raft.ErrUnavailable
	}
	list := s.place.Entries.Entries(lo, hi, size)
	out := make([]*pb.Entry, len(list))
	for i, e := range list {
		out[i] = &pb.Entry{Index: proto.Uint64(e.Index), Term: proto.Uint64(e.Epoch), Type: pb.EntryType(e.Kind).Enum(), Data: e.Data}
	}
	return out, nil
}

// Term implements raft.Storage.
func (s *storage) Term(i uint64) (uint64, error) {
	if i == 0 {
		return 0, nil
	}
	if term, ok := s.place.Entries.EpochAt(i); ok {
		return term, nil
	}
	if i < s.place.Entries.First() {
		return 0, raft.ErrCompacted
	}
	return 0, raft.ErrUnavailable
}

// LastIndex implements raft.Storage.
func (s *storage) LastIndex() (uint64, error) { return s.place.Entries.Last(), nil }

// FirstIndex implements raft.Storage.
func (s *storage) FirstIndex() (uint64, error) { return s.place.Entries.First(), nil }

// Snapshot implements raft.Storage: the state as it is now.
func (s *storage) Snapshot() (*pb.Snapshot, error) {
	snap, err := s.place.Machine.Snapshot(0)
	if err != nil {
		return nil, err
	}
	term, err := s.Term(snap.Position)
	if err != nil {
		return nil, err
	}
	snap.Epoch = term
	return &pb.Snapshot{
		Data:     node.Marshal(snap),
		Metadata: &pb.SnapshotMetadata{Index: proto.Uint64(snap.Position), Term: proto.Uint64(term), ConfState: s.conf},
	}, nil
}

// entry is an entry as the log has it.
func entry(e *pb.Entry) replog.Entry {
	return replog.Entry{Index: e.GetIndex(), Epoch: e.GetTerm(), Kind: uint8(e.GetType()), Data: e.GetData()}
}

// restored is what a snapshot holds.
func restored(s *pb.Snapshot) (*storepb.Snapshot, error) {
	out := new(storepb.Snapshot)
	return out, proto.Unmarshal(s.GetData(), out)
}
