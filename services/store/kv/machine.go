// Package kv is the state machine of a store: keys with values in a storage engine, changed by the entries of a log one after the other.
//
// Each entry has a position, and the engine keeps the position in the same batch as the data. So after a crash the machine is what it was
// at its last flush, and goes on with the entry after that. What an entry does depends on nothing but the state and the entry: each member
// of a group comes to the same state (Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach", 1990).
package kv

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"

	"netlab/services/store/engine"
	"netlab/services/store/storepb"
)

// The first bytes of keys in the engine, which tell spaces apart.
const (
	spaceConfig   = 'c' // of the replication: what it must keep together with the data
	spaceDecision = 'd' // what became of a transaction over several shards, by its id
	spaceUser     = 'k' // values of users' keys
	spaceLock     = 'l' // the transaction that has locked a key
	spaceShard    = 's' // which keys the group has
	spacePrepared = 't' // prepared transactions, by id
)

func userKey(key []byte) []byte { return append([]byte{spaceUser}, key...) }

func named(space byte, name string) []byte { return append([]byte{space}, name...) }

// Machine is the state machine of one member. Entries are applied by one goroutine at a time; others may read meanwhile.
type Machine struct {
	engine *engine.Engine
	point  func(key []byte) []byte // nil when the group has all keys

	mu      sync.Mutex
	applied uint64
	waiters []waiter
	spans   *storepb.Spans // nil when the group has all keys
	failed  error
}

type waiter struct {
	position uint64
	done     chan struct{}
}

// New returns the machine whose state is in an engine.
func New(e *engine.Engine) (*Machine, error) {
	m := &Machine{engine: e, applied: e.Applied()}
	return m, m.reload()
}

// Shard makes the machine one of a group that has a part of the keys. point is where in the key space a key lies; spans are those of the
// start, which hold until an entry of the log says otherwise. It is called before anything is applied.
func (m *Machine) Shard(point func(key []byte) []byte, spans *storepb.Spans) error {
	m.point = point
	if err := m.reload(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.spans == nil {
		m.spans = proto.Clone(spans).(*storepb.Spans)
	}
	return nil
}

// reload reads what the machine keeps in memory.
func (m *Machine) reload() error {
	b, ok, err := m.engine.Get([]byte{spaceShard})
	if err != nil || !ok {
		return err
	}
	spans := new(storepb.Spans)
	if err := proto.Unmarshal(b, spans); err != nil {
		return fmt.Errorf("the shards in the engine: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spans = spans
	return nil
}

// Applied is the position of the last entry.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

// Spans returns the parts of the key space as the group knows them, nil if there are none.
func (m *Machine) Spans() *storepb.Spans {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spans
}

// Wait waits until an entry has been applied, or ctx ends.
func (m *Machine) Wait(ctx context.Context, position uint64) error {
	m.mu.Lock()
	if m.applied >= position {
		m.mu.Unlock()
		return nil
	}
	w := waiter{position, make(chan struct{})}
	m.waiters = append(m.waiters, w)
	m.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// moved takes down that entries up to a position are applied.
func (m *Machine) moved(position uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = position
	left := m.waiters[:0]
	for _, w := range m.waiters {
		if w.position <= position {
			close(w.done)
		} else {
			left = append(left, w)
		}
	}
	m.waiters = left
}

// Skip takes an entry that changes nothing, but may have something for the replication to keep: names and values for [Machine.Config].
func (m *Machine) Skip(position uint64, config map[string][]byte) error {
	b := m.engine.NewBatch()
	for name, value := range config {
		if err := b.Set(named(spaceConfig, name), value); err != nil {
			return err
		}
	}
	if err := m.engine.Commit(b, position); err != nil {
		return err
	}
	m.moved(position)
	return nil
}

// Config returns what Skip was given.
func (m *Machine) Config(name string) ([]byte, error) {
	b, _, err := m.engine.Get(named(spaceConfig, name))
	return b, err
}

// Apply applies an entry. The reply has a code when it is refused. The error is one of the engine.
func (m *Machine) Apply(position uint64, c *storepb.Command) (*storepb.Reply, error) {
	b := m.engine.NewBatch()
	reply, err := m.command(b, c, position)
	if err != nil {
		return nil, err
	}
	if reply.Code != "" {
		b = m.engine.NewBatch()
	}
	if err := m.engine.Commit(b, position); err != nil {
		return nil, err
	}
	if shift := c.GetShift(); shift != nil && reply.Code == "" {
		if err := m.reload(); err != nil {
			return nil, err
		}
	}
	m.moved(position)
	return reply, nil
}

func (m *Machine) command(b *engine.Batch, c *storepb.Command, position uint64) (*storepb.Reply, error) {
	switch kind := c.Kind.(type) {
	case *storepb.Command_Transaction:
		return m.transact(b, kind.Transaction, position)
	case *storepb.Command_Prepare:
		return m.prepare(b, kind.Prepare, position)
	case *storepb.Command_Finish:
		return m.finish(b, kind.Finish, position)
	case *storepb.Command_Decide:
		return m.decide(b, kind.Decide)
	case *storepb.Command_Shift:
		return m.shift(b, kind.Shift)
	case *storepb.Command_Import:
		return m.take(b, kind.Import)
	}
	return &storepb.Reply{}, nil
}

// transact carries out a transaction of one shard.
func (m *Machine) transact(b *engine.Batch, t *storepb.Transaction, position uint64) (*storepb.Reply, error) {
	if refused, err := m.admit(b, t, Writes(t), false); refused != nil || err != nil {
		return refused, err
	}
	return m.execute(b, t, position)
}

// execute carries out a transaction on a batch.
func (m *Machine) execute(b *engine.Batch, t *storepb.Transaction, position uint64) (*storepb.Reply, error) {
	reply := &storepb.Reply{}
	for _, c := range t.Conditions {
		if ok, err := holds(b, c); err != nil || !ok {
			return reply, err
		}
	}
	reply.Applied = true
	for _, o := range t.Operations {
		var r *storepb.Result
		var err error
		if writes(o.Verb) {
			r, err = write(b, o, position)
		} else {
			r, err = m.read(b, o)
		}
		if err != nil {
			return nil, err
		}
		reply.Results = append(reply.Results, r)
	}
	return reply, nil
}

// Query carries out a transaction that changes nothing. With stale, keys that a prepared transaction has locked are read as they were
// before it, and otherwise they are refused.
func (m *Machine) Query(t *storepb.Transaction, stale bool) (*storepb.Reply, error) {
	s := m.engine.Snapshot()
	defer s.Close()
	if refused, err := m.admit(s, t, false, stale); refused != nil || err != nil {
		return refused, err
	}
	reply := &storepb.Reply{Position: Token(s.Applied())}
	for _, c := range t.Conditions {
		if ok, err := holds(s, c); err != nil || !ok {
			return reply, err
		}
	}
	reply.Applied = true
	for _, o := range t.Operations {
		r, err := m.read(s, o)
		if err != nil {
			return nil, err
		}
		reply.Results = append(reply.Results, r)
	}
	return reply, nil
}

// Value returns what a key holds, nil if nothing.
func (m *Machine) Value(key []byte) (*storepb.Value, error) { return load(m.engine, key) }

// Flush makes durable what has been applied. Entries of the log up to the position that it returns aren't needed any more for that.
func (m *Machine) Flush(ctx context.Context) (uint64, error) {
	err := m.engine.Flush(ctx)
	return m.engine.Durable(), err
}

// Snapshot returns the whole state.
func (m *Machine) Snapshot(epoch uint64) (*storepb.Snapshot, error) {
	s := m.engine.Snapshot()
	defer s.Close()
	out := &storepb.Snapshot{Position: s.Applied(), Epoch: epoch}
	err := s.Scan(nil, nil, func(key, value []byte) bool {
		out.Pairs = append(out.Pairs, &storepb.Pair{Key: bytes.Clone(key), Value: bytes.Clone(value)})
		return true
	})
	return out, err
}

// Restore makes a snapshot the state, durable. The error may be one of the disk.
func (m *Machine) Restore(ctx context.Context, s *storepb.Snapshot) error {
	if err := m.engine.Clear(); err != nil {
		return err
	}
	b := m.engine.NewBatch()
	for _, p := range s.Pairs {
		if err := b.Set(p.Key, p.Value); err != nil {
			return err
		}
	}
	if err := m.engine.Commit(b, s.Position); err != nil {
		return err
	}
	if err := m.engine.Flush(ctx); err != nil {
		return err
	}
	if err := m.reload(); err != nil {
		return err
	}
	m.moved(s.Position)
	return nil
}
