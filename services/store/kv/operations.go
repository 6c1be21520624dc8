package kv

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/proto"

	"netlab/services/store/storepb"
)

// view is what operations work on: a snapshot of the engine, or a batch on top of it.
type view interface {
	Get(key []byte) ([]byte, bool, error)
	Scan(from, to []byte, fn func(key, value []byte) bool) error
}

// writer is a view that can be changed.
type writer interface {
	view
	Set(key, value []byte) error
	Delete(key []byte) error
}

// maxText is how long a text may be, as with Redis.
const maxText = 512 << 20

// Writes says whether a transaction can change anything.
func Writes(t *storepb.Transaction) bool {
	return slices.ContainsFunc(t.GetOperations(), func(o *storepb.Operation) bool { return writes(o.Verb) })
}

func writes(v storepb.Verb) bool {
	switch v {
	case storepb.Verb_SET, storepb.Verb_DELETE, storepb.Verb_INCREMENT, storepb.Verb_ADD, storepb.Verb_REMOVE, storepb.Verb_APPEND,
		storepb.Verb_PREPEND:
		return true
	}
	return false
}

// fail is the result of an operation that has none.
func fail(text string) *storepb.Result {
	return &storepb.Result{Type: storepb.Type_ERROR, Text: []byte(text)}
}

var (
	wrongType  = "WRONGTYPE Operation against a key holding the wrong kind of value"
	notInteger = "ERR value is not an integer or out of range"
	overflow   = "ERR increment or decrement would overflow"
	tooLong    = "ERR string exceeds maximum allowed size (512MB)"
)

func integer(n int) *storepb.Result {
	return &storepb.Result{Type: storepb.Type_INTEGER, Integer: int64(n)}
}

// load reads a value, nil if there is none.
func load(v view, key []byte) (*storepb.Value, error) {
	b, ok, err := v.Get(userKey(key))
	if err != nil || !ok {
		return nil, err
	}
	value := new(storepb.Value)
	return value, proto.Unmarshal(b, value)
}

func save(w writer, key []byte, v *storepb.Value) error {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	if err != nil {
		return err
	}
	return w.Set(userKey(key), b)
}

// holds says whether a condition does.
func holds(v view, c *storepb.Condition) (bool, error) {
	value, err := load(v, c.Key)
	if err != nil {
		return false, err
	}
	switch want := c.Want.(type) {
	case *storepb.Condition_Modified:
		return value.GetModified() == want.Modified, nil
	case *storepb.Condition_Exists:
		return (value != nil) == want.Exists, nil
	case *storepb.Condition_Text:
		_, text := value.GetData().(*storepb.Value_Text)
		return text && bytes.Equal(value.GetText(), want.Text), nil
	}
	return true, nil
}

// read carries out an operation that changes nothing.
func read(v view, o *storepb.Operation) (*storepb.Result, error) {
	switch o.Verb {
	case storepb.Verb_RANGE:
		return scan(v, o)
	case storepb.Verb_SIZE:
		n := 0
		err := each(v, nil, nil, func(_ []byte, _ *storepb.Value) bool { n++; return true })
		return integer(n), err
	}
	value, err := load(v, o.Key)
	if err != nil {
		return nil, err
	}
	r := &storepb.Result{Modified: value.GetModified()}
	switch data := value.GetData().(type) {
	case nil:
		switch o.Verb {
		case storepb.Verb_MEMBERS, storepb.Verb_ELEMENTS:
			r.Type = storepb.Type_LIST
		case storepb.Verb_TYPE:
			r.Type, r.Text = storepb.Type_STATUS, []byte("none")
		case storepb.Verb_STRLEN:
			r.Type = storepb.Type_INTEGER
		}
	case *storepb.Value_Text:
		switch o.Verb {
		case storepb.Verb_GET:
			r.Type, r.Text = storepb.Type_TEXT, data.Text
		case storepb.Verb_STRLEN:
			r.Type, r.Integer = storepb.Type_INTEGER, int64(len(data.Text))
		case storepb.Verb_TYPE:
			r.Type, r.Text = storepb.Type_STATUS, []byte("string")
		default:
			return fail(wrongType), nil
		}
	case *storepb.Value_Set:
		switch o.Verb {
		case storepb.Verb_MEMBERS:
			r.Type, r.Items = storepb.Type_LIST, data.Set.Items
		case storepb.Verb_TYPE:
			r.Type, r.Text = storepb.Type_STATUS, []byte("set")
		default:
			return fail(wrongType), nil
		}
	case *storepb.Value_List:
		switch o.Verb {
		case storepb.Verb_ELEMENTS:
			r.Type, r.Items = storepb.Type_LIST, slice(data.List.Items, o.Start, o.Stop)
		case storepb.Verb_TYPE:
			r.Type, r.Text = storepb.Type_STATUS, []byte("list")
		default:
			return fail(wrongType), nil
		}
	}
	return r, nil
}

// slice is the part from start to stop, both included and counted from the end if negative, as LRANGE has it.
func slice(items [][]byte, start, stop int64) [][]byte {
	n := int64(len(items))
	if start < 0 {
		start = max(start+n, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop {
		return nil
	}
	return items[start : stop+1]
}

// scan lists keys with texts.
func scan(v view, o *storepb.Operation) (*storepb.Result, error) {
	r := &storepb.Result{Type: storepb.Type_LIST}
	err := each(v, o.Key, o.End, func(key []byte, value *storepb.Value) bool {
		if o.Limit > 0 && uint64(len(r.Items)) >= 2*o.Limit {
			return false
		}
		if _, text := value.Data.(*storepb.Value_Text); text {
			r.Items = append(r.Items, bytes.Clone(key), value.GetText())
			r.Modified = max(r.Modified, value.Modified)
		}
		return true
	})
	return r, err
}

// each calls fn for the keys from ≤ key < to, in order; an empty to is the end.
func each(v view, from, to []byte, fn func(key []byte, value *storepb.Value) bool) error {
	end := []byte{spaceUser + 1}
	if len(to) > 0 {
		end = userKey(to)
	}
	var failed error
	err := v.Scan(userKey(from), end, func(key, b []byte) bool {
		value := new(storepb.Value)
		if failed = proto.Unmarshal(b, value); failed != nil {
			return false
		}
		return fn(key[1:], value)
	})
	if failed != nil {
		return failed
	}
	return err
}

// write carries out an operation that changes something, at a position.
func write(w writer, o *storepb.Operation, position uint64) (*storepb.Result, error) {
	old, err := load(w, o.Key)
	if err != nil {
		return nil, err
	}
	value := &storepb.Value{Modified: position}
	r := &storepb.Result{Type: storepb.Type_INTEGER, Modified: position}
	switch o.Verb {
	case storepb.Verb_SET:
		if len(o.Text) > maxText {
			return fail(tooLong), nil
		}
		value.Data = &storepb.Value_Text{Text: o.Text}
		r.Type, r.Text = storepb.Type_STATUS, []byte("OK")
	case storepb.Verb_DELETE:
		if old == nil {
			return r, nil
		}
		r.Integer = 1
		return r, w.Delete(userKey(o.Key))
	case storepb.Verb_INCREMENT:
		n, problem := number(old)
		if problem != "" {
			return fail(problem), nil
		}
		if o.Amount > 0 && n > math.MaxInt64-o.Amount || o.Amount < 0 && n < math.MinInt64-o.Amount {
			return fail(overflow), nil
		}
		r.Integer = n + o.Amount
		value.Data = &storepb.Value_Text{Text: strconv.AppendInt(nil, r.Integer, 10)}
	case storepb.Verb_ADD, storepb.Verb_REMOVE:
		set, ok := old.GetData().(*storepb.Value_Set)
		if old != nil && !ok {
			return fail(wrongType), nil
		}
		var items [][]byte
		if ok {
			items = set.Set.Items
		}
		before := len(items)
		for _, item := range o.Items {
			i, found := slices.BinarySearchFunc(items, item, bytes.Compare)
			switch {
			case o.Verb == storepb.Verb_ADD && !found:
				items = slices.Insert(items, i, item)
			case o.Verb == storepb.Verb_REMOVE && found:
				items = slices.Delete(items, i, i+1)
			}
		}
		r.Integer = int64(max(len(items)-before, before-len(items)))
		if len(items) == before {
			r.Modified = old.GetModified()
			return r, nil
		}
		if len(items) == 0 {
			return r, w.Delete(userKey(o.Key))
		}
		value.Data = &storepb.Value_Set{Set: &storepb.Members{Items: items}}
	case storepb.Verb_APPEND, storepb.Verb_PREPEND:
		list, ok := old.GetData().(*storepb.Value_List)
		if old != nil && !ok {
			return fail(wrongType), nil
		}
		var items [][]byte
		if ok {
			items = list.List.Items
		}
		for _, item := range o.Items {
			if o.Verb == storepb.Verb_APPEND {
				items = append(items, item)
			} else {
				items = slices.Insert(items, 0, item)
			}
		}
		r.Integer = int64(len(items))
		value.Data = &storepb.Value_List{List: &storepb.Members{Items: items}}
	}
	return r, save(w, o.Key, value)
}

// number is the integer that a value is; nothing is 0.
func number(v *storepb.Value) (n int64, problem string) {
	switch data := v.GetData().(type) {
	case nil:
		return 0, ""
	case *storepb.Value_Text:
		n, err := strconv.ParseInt(string(data.Text), 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != string(data.Text) {
			return 0, notInteger
		}
		return n, ""
	}
	return 0, wrongType
}
