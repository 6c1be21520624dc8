package topology

import (
	"encoding"
	"reflect"
	"slices"

	"netlab/netem"
	"netlab/units"
)

// textShorthand is implemented by types that may also be written as a text, which stands for the most important of their fields.
type textShorthand interface {
	// setText reads the text.
	setText(text string) error
}

var disciplines = []string{
	string(netem.DropTail), string(netem.RED), string(netem.CoDel), string(netem.FQCoDel), string(netem.PIE), string(netem.Priority),
}

func (q *Queue) setText(text string) error {
	if slices.Contains(disciplines, text) {
		q.Type = netem.Discipline(text)
		return nil
	}
	limit, err := units.ParseQueueLimit(text)
	if err != nil {
		if near := units.Suggest(text, disciplines); near != "" {
			return &units.ParseError{Found: text, Problem: "is not a queue", Suggestion: near}
		}
		return err
	}
	q.Limit = &limit
	return nil
}

func (q Queue) asText() (encoding.TextMarshaler, bool) {
	if q.Limit == nil || !reflect.DeepEqual(q, Queue{Limit: q.Limit}) {
		return nil, false
	}
	return *q.Limit, true
}

func (r *Reorder) setText(text string) error { return r.Share.UnmarshalText([]byte(text)) }

func (r Reorder) asText() (encoding.TextMarshaler, bool) {
	return r.Share, r == Reorder{Share: r.Share}
}

func (c *Corrupt) setText(text string) error { return c.Share.UnmarshalText([]byte(text)) }

func (c Corrupt) asText() (encoding.TextMarshaler, bool) {
	return c.Share, c == Corrupt{Share: c.Share}
}

func (t *Truncate) setText(text string) error { return t.Share.UnmarshalText([]byte(text)) }

func (t Truncate) asText() (encoding.TextMarshaler, bool) {
	return t.Share, t == Truncate{Share: t.Share}
}

// MarshalJSON writes a queue that has nothing but a limit as that limit.
func (q Queue) MarshalJSON() ([]byte, error) { type object Queue; return shortest(q, object(q)) }

// MarshalJSON writes just the share if that is all.
func (r Reorder) MarshalJSON() ([]byte, error) { type object Reorder; return shortest(r, object(r)) }

// MarshalJSON writes just the share if that is all.
func (c Corrupt) MarshalJSON() ([]byte, error) { type object Corrupt; return shortest(c, object(c)) }

// MarshalJSON writes just the share if that is all.
func (t Truncate) MarshalJSON() ([]byte, error) { type object Truncate; return shortest(t, object(t)) }

// MarshalJSON writes just the mode if that is all.
func (r Routing) MarshalJSON() ([]byte, error) {
	if r == (Routing{Mode: r.Mode}) {
		return marshal(r.Mode)
	}
	type object Routing
	return marshal(object(r))
}

// setString makes Routing a shorthand of its mode.
func (r *Routing) setString(text string) { r.Mode = RoutingMode(text) }

// shortest writes a value as its text, or as an object where that doesn't say all.
func shortest(v interface {
	asText() (encoding.TextMarshaler, bool)
}, object any) ([]byte, error) {
	if text, ok := v.asText(); ok {
		return marshal(text)
	}
	return marshal(object)
}
