package limits

import (
	"container/list"
	"time"

	"golang.org/x/time/rate"
)

// buckets holds the token buckets of clients, the one that was used last first.
type buckets struct {
	limit rate.Limit
	burst int
	most  int
	order *list.List // of *bucket
	by    map[string]*list.Element
}

type bucket struct {
	client string
	tokens *rate.Limiter
}

func newBuckets(limit rate.Limit, burst, most int) *buckets {
	return &buckets{limit: limit, burst: burst, most: most, order: list.New(), by: map[string]*list.Element{}}
}

// take takes a token of a client, or says when there will be one.
func (b *buckets) take(client string, now time.Time) (wait time.Duration) {
	e := b.by[client]
	if e == nil {
		if b.order.Len() >= b.most {
			oldest := b.order.Back()
			delete(b.by, oldest.Value.(*bucket).client)
			b.order.Remove(oldest)
		}
		e = b.order.PushFront(&bucket{client, rate.NewLimiter(b.limit, b.burst)})
		b.by[client] = e
	}
	b.order.MoveToFront(e)
	tokens := e.Value.(*bucket).tokens
	if tokens.AllowN(now, 1) {
		return 0
	}
	missing := 1 - tokens.TokensAt(now)
	return max(1, time.Duration(missing/float64(b.limit)*float64(time.Second)))
}
