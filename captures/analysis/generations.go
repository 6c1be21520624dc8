package analysis

// generations is a map that remembers the entries used last: at least size of them, at most twice as many. Entries which
// were not used for as long as size others were are dropped together.
type generations[K comparable, V any] struct {
	size       int
	young, old map[K]V
	// drop takes entries that are forgotten. It may be nil.
	drop func(map[K]V)
}

func (g *generations[K, V]) get(key K) (v V, ok bool) {
	if v, ok = g.young[key]; ok {
		return v, true
	}
	if v, ok = g.old[key]; ok {
		delete(g.old, key)
		g.put(key, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(key K, v V) {
	if len(g.young) >= g.size {
		if g.drop != nil && len(g.old) > 0 {
			g.drop(g.old)
		}
		g.old, g.young = g.young, nil
	}
	if g.young == nil {
		g.young = make(map[K]V)
	}
	g.young[key] = v
}

// clear forgets everything.
func (g *generations[K, V]) clear() {
	for _, m := range []map[K]V{g.old, g.young} {
		if g.drop != nil && len(m) > 0 {
			g.drop(m)
		}
	}
	g.old, g.young = nil, nil
}
