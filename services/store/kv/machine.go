// Package kv is the state machine of a store: keys with values in a storage engine, changed by the entries of a log one after the other.
//
// Each entry has a position, and the engine keeps the position in the same batch as the data. So after a crash the machine is what it was
// at its last flush, and goes on with the entry after that. What an entry does depends on nothing but the state and the entry: each member
// of a group comes to the same state (Schneider, "Implementing Fault-Tolerant Services Using the State Machine Approach", 1990).
package kv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"netlab/services/store/engine"
	"netlab/services/store/storepb"
)

// The first bytes of keys in the engine, which tell spaces apart.
const (
	spaceConfig = 'c' // of the replication: what it must keep together with the data
	spaceUser   = 'k' // values of users' keys
)

func userKey(key []byte) []byte { return append([]byte{spaceUser}, key...) }

func named(space byte, name string) []byte { return append([]byte{space}, name...) }

// Machine is the state machine of one member. Entries are applied by one goroutine at a time; others may read meanwhile.
type Machine struct {
	engine *engine.Engine

	mu      sync.Mutex
	applied uint64
	waiters []waiter
}

type waiter struct {
	position uint64
	done     chan struct{}
}

// New returns the machine whose state is in an engine.
func New(e *engine.Engine) *Machine { return &Machine{engine: e, applied: e.Applied()} }

// Applied is the position of the last entry.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
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
	if err := keep(b, config); err != nil {
		return err
	}
	if err := m.engine.Commit(b, position); err != nil {
		return err
	}
	m.moved(position)
	return nil
}

// keep sets what the replication keeps.
func keep(b *engine.Batch, config map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(config)) {
		if err := b.Set(named(spaceConfig, name), config[name]); err != nil {
			return err
		}
	}
	return nil
}

// Config returns what Skip was given.
func (m *Machine) Config(name string) ([]byte, error) {
	b, _, err := m.engine.Get(named(spaceConfig, name))
	return b, err
}

// Apply applies an entry. The error is one of the engine.
func (m *Machine) Apply(position uint64, c *storepb.Command) (*storepb.Reply, error) {
	b := m.engine.NewBatch()
	reply, err := execute(b, c.GetTransaction(), position)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	reply.Position = Token(position)
	if err := m.engine.Commit(b, position); err != nil {
		return nil, err
	}
	m.moved(position)
	return reply, nil
}

// execute carries out a transaction on a batch.
func execute(b *engine.Batch, t *storepb.Transaction, position uint64) (*storepb.Reply, error) {
	return run(b, t, func(o *storepb.Operation) (*storepb.Result, error) {
		if writes(o.Verb) {
			return write(b, o, position)
		}
		return read(b, o)
	})
}

// run carries out the operations of a transaction if its conditions hold.
func run(v view, t *storepb.Transaction, do func(o *storepb.Operation) (*storepb.Result, error)) (*storepb.Reply, error) {
	reply := &storepb.Reply{}
	for _, c := range t.GetConditions() {
		if ok, err := holds(v, c); err != nil || !ok {
			return reply, err
		}
	}
	reply.Applied = true
	for _, o := range t.GetOperations() {
		r, err := do(o)
		if err != nil {
			return nil, err
		}
		reply.Results = append(reply.Results, r)
	}
	return reply, nil
}

// Query carries out a transaction that changes nothing.
func (m *Machine) Query(t *storepb.Transaction) (*storepb.Reply, error) {
	s := m.engine.Snapshot()
	defer s.Close()
	reply, err := run(s, t, func(o *storepb.Operation) (*storepb.Result, error) { return read(s, o) })
	if err == nil {
		reply.Position = Token(s.Applied())
	}
	return reply, err
}

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

// Restore makes a snapshot the state, with what the replication keeps ([Machine.Config]) in place of what is in it. All of that is durable at
// once. The error may be one of the disk.
func (m *Machine) Restore(ctx context.Context, s *storepb.Snapshot, config map[string][]byte) error {
	if err := m.engine.Clear(); err != nil {
		return err
	}
	b := m.engine.NewBatch()
	for _, p := range s.Pairs {
		if err := b.Set(p.Key, p.Value); err != nil {
			return err
		}
	}
	if err := keep(b, config); err != nil {
		return err
	}
	if err := m.engine.Commit(b, s.Position); err != nil {
		return err
	}
	if err := m.engine.Flush(ctx); err != nil {
		return err
	}
	m.moved(s.Position)
	return nil
}

// Token is a position as clients see it.
func Token(position uint64) []byte { return strconv.AppendUint(nil, position, 10) }

// Position is the position of a token; the empty token is 0.
func Position(token []byte) (uint64, error) {
	if len(token) == 0 {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(token), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("found position %q, wanted a number", token)
	}
	return n, nil
}
