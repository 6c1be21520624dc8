package slowstore

import (
	"math/rand/v2"
	"time"

	"netlab/services"
)

// times draws how long operations take, reads and writes from streams of their own.
type times struct{ reads, writes *rand.Rand }

func (t *times) start(env *services.Env) {
	t.reads, t.writes = env.Stream("read_time"), env.Stream("write_time")
}

func (t *times) next(c *Config, write bool) time.Duration {
	if write {
		return c.WriteTime.Sample(t.writes)
	}
	return c.ReadTime.Sample(t.reads)
}
