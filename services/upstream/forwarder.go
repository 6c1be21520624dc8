package upstream

import (
	"context"
	"errors"
	nethttp "net/http"
	"slices"
	"sync"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/backend"
	"netlab/services/balance"
)

// Errors of a request that could not be forwarded, beside those of [backend.Pool.Pick] and of sockets.
var (
	// ErrTimeout means that the request took longer than timeout.
	ErrTimeout = errors.New("the request took too long")
	// ErrFirstByte means that a backend's response didn't begin within first_byte_timeout.
	ErrFirstByte = errors.New("the backend took too long to answer")
	// ErrRequestBody means that the client's body broke off or made no sense.
	ErrRequestBody = errors.New("the body of the request is broken")
	// ErrDrained means that the request was cut off because its backend is drained.
	ErrDrained = errors.New("the backend is being drained")

	errLost = errors.New("another answer was faster")
	errDone = errors.New("the response is complete")
)

// Options are what the program, and not the file, says of a forwarder.
type Options struct {
	// Part tells several forwarders of one service on one host apart; it must be different for each. Empty is fine for one.
	Part string
	// Balancing is that of the pool: its hash_key says what the algorithm hashes.
	Balancing balance.Config
	// Counters count over all forwarders that follow each other. Nil drops what is counted.
	Counters *Counters
}

// Forwarder sends requests to the backends of a pool. It is an http.RoundTripper. Several goroutines may use it.
type Forwarder struct {
	env       *services.Env
	config    Config
	pool      *backend.Pool
	part      string
	keyKind   balance.KeyKind
	keyName   string
	version   http.Version
	transport *nethttp.Transport
	gates     *http.Gates     // nil where none are needed
	life      context.Context // of dials: net/http goes on with one whose request has gone
	end       context.CancelFunc
	count     *Counters

	mu     sync.Mutex
	number uint64  // of the last request
	tokens float64 // of the retry budget
	recent recent
}

// maxTokens is how many retries can be saved.
const maxTokens = 10

// New returns a forwarder of a valid and expanded configuration. The end of ctx ends what it does in the background. It is to be
// closed.
func New(ctx context.Context, env *services.Env, config Config, pool *backend.Pool, o Options) (*Forwarder, error) {
	f := &Forwarder{env: env, config: config, pool: pool, part: o.Part, count: o.Counters, tokens: maxTokens,
		version: versions[config.HTTPVersion]}
	f.keyKind, f.keyName = o.Balancing.Key()
	if !o.Balancing.Hashes() {
		f.keyKind = balance.KeySource
	}
	if f.count == nil {
		f.count = NewCounters()
	}
	options := &http.TransportOptions{
		NoKeepAlive: !config.keepAlive(), MaxConnsPerServer: config.MaxConnections, IdlePerServer: config.IdleConnections,
		IdleTimeout: or(config.IdleTimeout, DefaultIdleTimeout), Dial: f.dial, Version: f.version,
	}
	if config.TLS.On {
		secure, err := config.TLS.Config(env, o.Part)
		if err != nil {
			return nil, err
		}
		secure.ServerName = string(config.TLS.ServerName)
		options.TLS, options.DialTLS = secure, f.dialTLS
	}
	f.life, f.end = context.WithCancel(ctx)
	f.transport = http.NewTransport(env.Host, options)
	f.transport.ExpectContinueTimeout = expectContinue
	if f.version != http.HTTP1 && config.keepAlive() {
		f.gates = http.NewGates(env.Host)
	}
	return f, nil
}

// expectContinue is how long the body of a request with Expect: 100-continue is held back for a backend that says nothing.
const expectContinue = time.Second

// Close closes the connections. Nothing may be under way, but dials that nobody waits for.
func (f *Forwarder) Close() {
	f.end()
	f.transport.CloseIdleConnections()
}

// CloseIdle closes the connections that no request is using.
func (f *Forwarder) CloseIdle() { f.transport.CloseIdleConnections() }

// Result returns what was counted.
func (f *Forwarder) Result() *Result { return f.count.Result() }

// next numbers a request, and pays into the budget of retries.
func (f *Forwarder) next() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.config.Retry != nil {
		f.tokens = min(f.tokens+f.config.Retry.Budget.Float(), maxTokens)
	}
	f.number++
	return f.number
}

// afford says whether the budget has a retry left, and takes it.
func (f *Forwarder) afford() bool {
	if f.config.Retry.Budget == 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	const rounding = 1e-9
	if f.tokens < 1-rounding {
		return false
	}
	f.tokens--
	return true
}

// pick asks the pool for a backend that hasn't been tried, or one that has if there is no other.
func (f *Forwarder) pick(ctx context.Context, r *nethttp.Request, call *Call, tried []int) (*backend.Lease, error) {
	if call.Prefer != "" && len(tried) == 0 {
		if l, err := f.pool.Take(call.Prefer); err == nil {
			return l, nil
		}
	}
	want := balance.Request{Source: call.Source.Addr(), Key: call.Key, Location: call.Location, HasLocation: call.Located}
	if !want.HasLocation && want.Source.IsValid() {
		want.Location, want.HasLocation = f.env.LocationOf(want.Source)
	}
	if want.Key == "" {
		want.Key = f.key(r, call)
	}
	if len(tried) > 0 && slices.ContainsFunc(f.pool.Members(), func(m backend.Member) bool {
		return (m.State == backend.Up || m.State == backend.HalfOpen) && !m.Backup && !slices.Contains(tried, m.Index)
	}) {
		want.Exclude = func(i int) bool { return slices.Contains(tried, i) }
	}
	return f.pool.Pick(ctx, want)
}

// key is what the algorithm hashes, "" for the source.
func (f *Forwarder) key(r *nethttp.Request, call *Call) string {
	switch f.keyKind {
	case balance.KeyFlow:
		return call.Source.String() + " " + call.Destination.String()
	case balance.KeyPath:
		return r.URL.EscapedPath()
	case balance.KeyURI:
		return r.URL.RequestURI()
	case balance.KeyHost:
		return r.Host
	case balance.KeyHeader:
		return r.Header.Get(f.keyName)
	case balance.KeyCookie:
		if c, err := r.Cookie(f.keyName); err == nil {
			return c.Value
		}
	case balance.KeyQuery:
		return r.URL.Query().Get(f.keyName)
	}
	return ""
}

// recent keeps the latencies of the last answers for a quantile.
type recent struct {
	list [256]time.Duration
	n    int
}

// enough is how many latencies a quantile needs.
const enough = 20

func (f *Forwarder) answered(took time.Duration) {
	if f.config.Hedge == nil || f.config.Hedge.Quantile == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recent.list[f.recent.n%len(f.recent.list)] = took
	f.recent.n++
}

// hedgeAfter returns after how long a request is hedged; false is never.
func (f *Forwarder) hedgeAfter() (time.Duration, bool) {
	h := f.config.Hedge
	if h.Quantile > 0 {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.recent.n >= enough {
			known := slices.Clone(f.recent.list[:min(f.recent.n, len(f.recent.list))])
			slices.Sort(known)
			rank := int(h.Quantile.Float()*float64(len(known))+0.999999) - 1 // nearest rank
			// In virtual time many are equal to the nanosecond, and a hedge is for those that take longer.
			return known[min(max(rank, 0), len(known)-1)] + time.Microsecond, true
		}
	}
	return h.Delay.Std(), h.Delay > 0
}

func (h *Hedge) max() int {
	if h.Max == 0 {
		return 1
	}
	return h.Max
}
