package store

import (
	"context"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"netlab/services/store/kv"
	"netlab/services/store/node"
	"netlab/services/store/replog"
	"netlab/services/store/storepb"
)

// flushEvery is after how many entries a store without replication flushes the data and cuts its log.
const flushEvery = 10_000

// single is a store without replication: the log, and then the data.
type single struct {
	place   *node.Place
	loop    *node.Loop
	flushed uint64
}

// written is a command that waits for the log to be durable.
type written struct {
	index   uint64
	command *storepb.Command
	done    chan struct{}
	reply   *storepb.Reply
	err     error
}

// Run implements node.Node.
func (s *single) Run(ctx context.Context) error {
	if err := s.replay(); err != nil {
		return err
	}
	for {
		events := s.loop.Next(ctx)
		if events == nil {
			return nil
		}
		for _, e := range events {
			e()
		}
	}
}

// replay applies what is in the log and not in the data.
func (s *single) replay() error {
	from, last := s.place.Machine.Applied()+1, s.place.Entries.Last()
	if last+1 < from {
		return fmt.Errorf("the log ends with entry %d, and the data has all up to %d: entries that were synced are lost", last, from-1)
	}
	s.flushed = from - 1
	for _, e := range s.place.Entries.Entries(from, last+1, 1<<62) {
		c := new(storepb.Command)
		if err := proto.Unmarshal(e.Data, c); err != nil {
			return err
		}
		if _, err := s.place.Machine.Apply(e.Index, c); err != nil {
			return err
		}
	}
	return nil
}

// Do implements node.Node.
func (s *single) Do(ctx context.Context, r *storepb.Request) (*storepb.Reply, error) {
	if !kv.Writes(r.Transaction) {
		return s.place.Machine.Query(r.Transaction)
	}
	c := &storepb.Command{Kind: &storepb.Command_Transaction{Transaction: r.Transaction}}
	w := &written{command: c, done: make(chan struct{})}
	s.loop.Post(func() { s.write(ctx, w) })
	select {
	case <-w.done:
		return w.reply, w.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// write logs a command, syncs and applies it.
func (s *single) write(ctx context.Context, w *written) {
	defer close(w.done)
	w.index = s.place.Entries.Last() + 1
	if err := s.place.Entries.Err(); err != nil {
		w.err = node.Errorf(node.Misconf, "%v", err)
		return
	}
	s.place.Entries.Append(replog.Entry{Index: w.index, Epoch: 1, Data: node.Marshal(w.command)})
	if err := s.place.Entries.Sync(ctx); err != nil {
		w.err = node.Errorf(node.InDoubt, "%v", err)
		return
	}
	reply, err := s.place.Machine.Apply(w.index, w.command)
	if err != nil {
		w.err = node.Errorf(node.InDoubt, "%v", err)
		return
	}
	w.reply = reply
	if w.index >= s.flushed+flushEvery {
		durable, err := s.place.Machine.Flush(ctx)
		if err == nil {
			s.flushed = durable
			err = s.place.Entries.Compact(ctx, durable)
		}
		if err != nil {
			s.place.Log.Warn("the data can't be flushed", "error", err)
		}
	}
}

// Admin implements node.Node.
func (s *single) Admin(context.Context, []string) (string, bool, error) { return "", false, nil }

// Info implements node.Node.
func (s *single) Info(context.Context) [][2]string {
	return [][2]string{{"role", "leader"}, {"applied", strconv.FormatUint(s.place.Machine.Applied(), 10)}}
}
