package kv

import (
	"bytes"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/proto"

	"netlab/services/store/engine"
	"netlab/services/store/storepb"
)

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

func refuse(code, format string, args ...any) *storepb.Reply {
	return &storepb.Reply{Code: code, Text: fmt.Sprintf(format, args...)}
}

// In says whether a point lies in a span.
func In(s *storepb.Span, point []byte) bool {
	return bytes.Compare(s.From, point) <= 0 && (len(s.To) == 0 || bytes.Compare(point, s.To) < 0)
}

// Find returns the span that a point lies in, nil if none.
func Find(spans *storepb.Spans, point []byte) *storepb.Span {
	for _, s := range spans.GetSpans() {
		if In(s, point) {
			return s
		}
	}
	return nil
}

// admit returns why a transaction may not touch its keys: the group hasn't got them, they move, or another transaction has locked them.
func (m *Machine) admit(v view, t *storepb.Transaction, write, stale bool) (*storepb.Reply, error) {
	if m.point == nil {
		return nil, nil
	}
	spans := m.Spans()
	for _, key := range Keys(t) {
		s := Find(spans, m.point(key))
		switch {
		case s == nil:
			return refuse("CLUSTERDOWN", "no group has the key"), nil
		case s.Group != "":
			return &storepb.Reply{Code: "MOVED", Text: "the key is in another group", Member: s.Group}, nil
		case s.Frozen && write:
			return refuse("TRYAGAIN", "the key is about to move to another group"), nil
		}
		if stale {
			continue
		}
		b, locked, err := v.Get(append([]byte{spaceLock}, key...))
		if err != nil {
			return nil, err
		}
		if locked {
			return refuse("TRYAGAIN", "transaction %s has locked the key", b), nil
		}
	}
	return nil, nil
}

// prepare locks the keys of a part of a transaction and says whether it can be carried out: applied in the reply. Its results are those
// that it would have.
func (m *Machine) prepare(b *engine.Batch, p *storepb.Prepare, position uint64) (*storepb.Reply, error) {
	if _, ok, err := b.Get(named(spacePrepared, p.Id)); err != nil || ok {
		return &storepb.Reply{Applied: ok}, err
	}
	if refused, err := m.admit(b, p.Transaction, true, false); refused != nil || err != nil {
		return refused, err
	}
	trial := m.engine.NewBatch()
	reply, err := m.execute(trial, p.Transaction, position)
	if err != nil || !reply.Applied {
		return reply, err
	}
	for _, key := range Keys(p.Transaction) {
		if err := b.Set(append([]byte{spaceLock}, key...), []byte(p.Id)); err != nil {
			return nil, err
		}
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	if err != nil {
		return nil, err
	}
	return reply, b.Set(named(spacePrepared, p.Id), text)
}

// finish carries out a prepared transaction, or drops it, and unlocks its keys. One that isn't known has been finished already.
func (m *Machine) finish(b *engine.Batch, f *storepb.Finish, position uint64) (*storepb.Reply, error) {
	text, ok, err := b.Get(named(spacePrepared, f.Id))
	if err != nil || !ok {
		return &storepb.Reply{}, err
	}
	p := new(storepb.Prepare)
	if err := proto.Unmarshal(text, p); err != nil {
		return nil, err
	}
	reply := &storepb.Reply{}
	if f.Commit {
		if reply, err = m.execute(b, p.Transaction, position); err != nil {
			return nil, err
		}
	}
	for _, key := range Keys(p.Transaction) {
		if err := b.Delete(append([]byte{spaceLock}, key...)); err != nil {
			return nil, err
		}
	}
	return reply, b.Delete(named(spacePrepared, f.Id))
}

// decide writes down a decision unless there is one, and replies with the one that holds: applied means commit.
func (m *Machine) decide(b *engine.Batch, d *storepb.Decide) (*storepb.Reply, error) {
	text, ok, err := b.Get(named(spaceDecision, d.Id))
	if err != nil {
		return nil, err
	}
	if ok {
		return &storepb.Reply{Applied: string(text) == "commit"}, nil
	}
	text = []byte("abort")
	if d.Commit {
		text = []byte("commit")
	}
	return &storepb.Reply{Applied: d.Commit}, b.Set(named(spaceDecision, d.Id), text)
}

// Prepared returns the transactions that are prepared and not finished, by id.
func (m *Machine) Prepared() ([]*storepb.Prepare, error) {
	var list []*storepb.Prepare
	var failed error
	err := m.engine.Scan([]byte{spacePrepared}, []byte{spacePrepared + 1}, func(_, value []byte) bool {
		p := new(storepb.Prepare)
		failed = proto.Unmarshal(value, p)
		list = append(list, p)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	return list, err
}

// shift changes the spans. Keys of a span that is released are removed.
func (m *Machine) shift(b *engine.Batch, s *storepb.Shift) (*storepb.Reply, error) {
	spans := proto.Clone(m.Spans()).(*storepb.Spans)
	piece := &storepb.Span{From: s.From, To: s.To}
	before := Find(spans, s.From)
	switch {
	case before == nil || len(s.To) > 0 && bytes.Compare(s.From, s.To) >= 0:
		return refuse("ERR", "there is no such part of the key space"), nil
	case len(before.To) > 0 && (len(s.To) == 0 || bytes.Compare(s.To, before.To) > 0):
		return refuse("ERR", "the part reaches over the end of a span"), nil
	case s.Version < before.Version:
		return refuse("ERR", "found version %d, and the span has %d already", s.Version, before.Version), nil
	}
	piece.Version = s.Version
	switch s.Step {
	case storepb.Shift_FREEZE:
		if before.Group != "" {
			return &storepb.Reply{Code: "MOVED", Member: before.Group}, nil
		}
		piece.Frozen = true
	case storepb.Shift_THAW:
	case storepb.Shift_OWN:
	case storepb.Shift_RELEASE:
		piece.Group = s.Group
		if err := m.drop(b, piece); err != nil {
			return nil, err
		}
	}
	spans.Spans = cut(spans.Spans, piece)
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(spans)
	if err != nil {
		return nil, err
	}
	return &storepb.Reply{Applied: true}, b.Set([]byte{spaceShard}, text)
}

// cut puts a piece in place of what is there now.
func cut(spans []*storepb.Span, piece *storepb.Span) []*storepb.Span {
	var out []*storepb.Span
	for _, s := range spans {
		if !In(s, piece.From) {
			out = append(out, s)
			continue
		}
		if !bytes.Equal(s.From, piece.From) {
			left := proto.Clone(s).(*storepb.Span)
			left.To = piece.From
			out = append(out, left)
		}
		out = append(out, piece)
		if !bytes.Equal(s.To, piece.To) {
			right := proto.Clone(s).(*storepb.Span)
			right.From = piece.To
			out = append(out, right)
		}
	}
	return out
}

// drop removes the keys of a span.
func (m *Machine) drop(b *engine.Batch, s *storepb.Span) error {
	keys, err := m.within(s, 0)
	for _, p := range keys {
		if err := b.Delete(userKey(p.Key)); err != nil {
			return err
		}
	}
	return err
}

// within returns what lies in a span and was modified after a position.
func (m *Machine) within(s *storepb.Span, after uint64) ([]*storepb.Pair, error) {
	var list []*storepb.Pair
	var failed error
	err := m.engine.Scan([]byte{spaceUser}, []byte{spaceUser + 1}, func(key, value []byte) bool {
		if !In(s, m.point(key[1:])) {
			return true
		}
		v := new(storepb.Value)
		if failed = proto.Unmarshal(value, v); failed != nil {
			return false
		}
		if v.Modified > after {
			list = append(list, &storepb.Pair{Key: bytes.Clone(key[1:]), Value: bytes.Clone(value)})
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return list, err
}

// Export returns the data of a span that was modified after a position, and all keys that there are, so that the receiver knows which ones
// have gone since.
func (m *Machine) Export(s *storepb.Span, after uint64) (pairs []*storepb.Pair, keys [][]byte, err error) {
	all, err := m.within(s, 0)
	for _, p := range all {
		keys = append(keys, p.Key)
		v := new(storepb.Value)
		if err := proto.Unmarshal(p.Value, v); err != nil {
			return nil, nil, err
		}
		if v.Modified > after {
			pairs = append(pairs, p)
		}
	}
	return pairs, keys, err
}

// Locked says whether a prepared transaction has locked keys of a span.
func (m *Machine) Locked(s *storepb.Span) (bool, error) {
	found := false
	err := m.engine.Scan([]byte{spaceLock}, []byte{spaceLock + 1}, func(key, _ []byte) bool {
		found = In(s, m.point(key[1:]))
		return !found
	})
	return found, err
}

// take takes what comes from another group.
func (m *Machine) take(b *engine.Batch, i *storepb.Import) (*storepb.Reply, error) {
	for _, p := range i.Pairs {
		if err := b.Set(userKey(p.Key), p.Value); err != nil {
			return nil, err
		}
	}
	for _, key := range i.Removed {
		if err := b.Delete(userKey(key)); err != nil {
			return nil, err
		}
	}
	return &storepb.Reply{Applied: true}, nil
}
