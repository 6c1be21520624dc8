package tier

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// entry is a value as the server handles it.
type entry struct {
	version uint64
	found   bool // the store has the key
	body    []byte
	delta   time.Duration // how long it took to load
	expires time.Duration // when the cache forgets it, since the start of the run; 0 for never
}

// encode writes an entry for the cache: a line of numbers and the body.
func (e *entry) encode() string {
	found := 0
	if e.found {
		found = 1
	}
	return fmt.Sprintf("%d %d %d %d\n%s", e.version, found, e.delta, e.expires, e.body)
}

var errEntry = errors.New("the cache holds something that this server did not write")

// decode reads what encode wrote.
func decode(b []byte) (entry, error) {
	head, body, ok := bytes.Cut(b, []byte{'\n'})
	var e entry
	var found int
	if !ok || len(head) > 100 {
		return e, errEntry
	}
	n, err := fmt.Sscanf(string(head), "%d %d %d %d", &e.version, &found, &e.delta, &e.expires)
	if err != nil || n != 4 || found>>1 != 0 || e.delta < 0 || e.expires < 0 {
		return e, errEntry
	}
	e.found, e.body = found == 1, body
	if len(body) == 0 {
		e.body = nil
	}
	return e, nil
}
