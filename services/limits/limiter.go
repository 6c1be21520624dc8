package limits

import (
	"math"
	"net"
	nethttp "net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"netlab/services"
)

// Limiter limits what a server does. Several goroutines may use it. What it counts outlives a crash of the host; what it remembers of
// clients and connections doesn't.
type Limiter struct {
	config Config

	mu       sync.Mutex
	env      *services.Env
	run      int // how often it was started
	buckets  *buckets
	total    *rate.Limiter
	conns    int
	byClient map[netip.Addr]int // connections
	inFlight int
	adaptive adaptive
	count    Result
}

// New returns a limiter for a valid configuration, or nil if that limits nothing. All methods of a nil limiter let everything pass.
func New(config Config) *Limiter {
	if config.Empty() {
		return nil
	}
	return &Limiter{config: config}
}

// Start lets it begin on a host, or anew on the host's next incarnation.
func (l *Limiter) Start(env *services.Env) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.env = env
	l.run++
	l.conns, l.inFlight, l.byClient = 0, 0, map[netip.Addr]int{}
	c := &l.config
	if c.Rate > 0 {
		l.buckets = newBuckets(rate.Limit(c.Rate), burst(c.Burst, float64(c.Rate)), or(c.MaxClients, DefaultClients))
	}
	if c.TotalRate > 0 {
		l.total = rate.NewLimiter(rate.Limit(c.TotalRate), burst(c.TotalBurst, float64(c.TotalRate)))
	}
	l.adaptive = adaptive{limit: firstAdaptive, target: c.TargetLatency.Std()}
}

// burst is the size of a bucket.
func burst(given int, perSecond float64) int {
	return or(given, max(1, int(math.Ceil(perSecond))))
}

// clientAddress is the network of an address that makes a client.
func (c *Config) clientAddress(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := or(c.Prefix6, DefaultPrefix6)
	if a.Is4() {
		bits = or(c.Prefix4, DefaultPrefix4)
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a
	}
	return p.Addr()
}

// client says who a request comes from.
func (c *Config) client(r *nethttp.Request) string {
	if name, ok := strings.CutPrefix(c.Client, headerPrefix); ok {
		return r.Header.Get(name)
	}
	text := r.RemoteAddr
	if c.Client == forwarded {
		values := r.Header.Values(forwardedForName)
		if len(values) > 0 {
			last := values[len(values)-1]
			text = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
		}
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return text
	}
	return c.clientAddress(a).String()
}

// exempt says whether a path is not limited.
func (c *Config) exempt(path string) bool {
	for _, e := range c.Exempt {
		if path == e || strings.HasSuffix(e, "/") && strings.HasPrefix(path, e) {
			return true
		}
	}
	return false
}

// verdict is what becomes of a request.
type verdict struct {
	status int // 0 lets it pass
	retry  time.Duration
	run    int
	begun  time.Duration
}

// enter decides about a request. One that may pass is followed by leave.
func (l *Limiter) enter(client string) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now() // the bubble's time, which doesn't go back
	retry := or(l.config.RetryAfter, DefaultRetry).Std()
	if l.buckets != nil {
		if wait := l.buckets.take(client, now); wait > 0 {
			l.count.RateLimited++
			return verdict{status: nethttp.StatusTooManyRequests, retry: wait}
		}
	}
	if l.total != nil && !l.total.AllowN(now, 1) {
		l.count.TotalLimited++
		return verdict{status: nethttp.StatusServiceUnavailable, retry: retry}
	}
	limit := l.config.MaxInFlight
	if l.config.TargetLatency > 0 {
		limit = int(l.adaptive.limit)
	}
	if limit > 0 && l.inFlight >= limit {
		l.count.Shed++
		return verdict{status: nethttp.StatusServiceUnavailable, retry: retry}
	}
	l.inFlight++
	l.count.Passed++
	l.count.MaxInFlight = max(l.count.MaxInFlight, uint64(l.inFlight))
	return verdict{run: l.run, begun: l.env.Elapsed()}
}

// leave notes that a request is over.
func (l *Limiter) leave(v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.run != l.run {
		return // it began before the host crashed
	}
	now := l.env.Elapsed()
	if l.config.TargetLatency > 0 {
		l.adaptive.observe(now, now-v.begun, l.inFlight)
	}
	l.inFlight--
}

// Admit says whether a request may pass, and answers it itself if not. leave is to be called when one that passes is over.
func (l *Limiter) Admit(w nethttp.ResponseWriter, r *nethttp.Request) (leave func(), ok bool) {
	if l == nil || l.config.exempt(r.URL.Path) {
		return func() {}, true
	}
	v := l.enter(l.config.client(r))
	if v.status != 0 {
		Refuse(w, v.status, v.retry)
		return nil, false
	}
	return func() { l.leave(v) }, true
}

// Handler answers requests that are too much itself and passes the others on.
func (l *Limiter) Handler(next nethttp.Handler) nethttp.Handler {
	if l == nil {
		return next
	}
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if leave, ok := l.Admit(w, r); ok {
			defer leave()
			next.ServeHTTP(w, r)
		}
	})
}

// Refuse answers with a status and Retry-After, in whole seconds.
func Refuse(w nethttp.ResponseWriter, status int, retry time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(int64((retry+time.Second-1)/time.Second), 10))
	nethttp.Error(w, nethttp.StatusText(status), status)
}

// adaptive finds the limit of requests under way.
type adaptive struct {
	target time.Duration
	limit  float64
	shrunk time.Duration // when it was last reduced
}

// observe learns from a request that took so long while so many were under way.
func (a *adaptive) observe(now, took time.Duration, inFlight int) {
	switch {
	case took > a.target:
		if now-a.shrunk >= took || a.shrunk == 0 {
			a.limit = max(1, a.limit*decrease)
			a.shrunk = now
		}
	case float64(inFlight) >= a.limit/2: // a limit that nobody reaches says nothing
		a.limit = min(mostAdaptive, a.limit+1/a.limit)
	}
}
