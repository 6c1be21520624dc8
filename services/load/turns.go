package load

import "sync"

// turns are the requests that the users of a host may still make.
type turns struct {
	mu      sync.Mutex
	left    int
	limited bool
}

// take takes one; false means that there is none.
func (t *turns) take() bool {
	if !t.limited {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == 0 {
		return false
	}
	t.left--
	return true
}
