// Package httpclient is the HTTP client of all workloads that speak HTTP: connection pools, versions of HTTP, TLS, redirects,
// timeouts, retries, and a record of where the time of each request went.
//
// A [Client] is what a browser or a program's http.Client is: it has a pool of connections of its own, kept alive between
// requests. [Client.Do] makes one request, which may take several attempts and follow redirects, reads the response to its end,
// compares it with its Content-Digest if there is one (RFC 9530), and says in an [Outcome] what came of it.
//
// Names are resolved for each connection, not for each request. The addresses of a name are tried one after the other:
// the next one when one refuses, is unreachable, or says nothing within [Config].ConnectTimeout. There are no two attempts at a time
// (RFC 8305).
//
// Where the server may speak HTTP/2 the first request to it goes alone, and those that start meanwhile wait until it has a
// connection: net/http would open one for each of them and, if they turn out to be HTTP/2, close all but one. With http_version
// http/1.1 nobody waits.
//
// With a cache ([Config].Cache) each client has a private one, as each browser has (package httpcache): what is fresh is answered
// without a packet and in no time, what is stale is validated. It lasts as long as the client.
//
// Left out: compression, authentication, Retry-After. Redirects are followed as RFC 9110, section 15.4, says:
// 301, 302 and 303 turn every method but HEAD into GET, which browsers do for POST only, 307 and 308 keep it.
package httpclient

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/content"
	"netlab/services/failures"
	"netlab/services/httpcache"
)

// userAgent is what requests say if the configuration doesn't.
const userAgent = "netlab"

// maxIdle is how many idle connections a client keeps to a server: all of them.
const maxIdle = 1 << 20

// Options are what the program, and not the file, says of a client. The zero value is the default.
type Options struct {
	// Part tells several clients of one workload on one host apart; it must be different for each. Empty is fine for one.
	Part string
	// Connected, when not nil, is told of each connection that is made, also of those that are not used in the end.
	Connected func(Connection)
	// Cached, when not nil, is told by Close what the client's cache did, if it has one.
	Cached func(httpcache.Result)
}

// Connection is a connection that was made.
type Connection struct {
	// Target is the server's address.
	Target string
	// DNS, Connect and TLS are how long the parts of making it took. TLS is 0 without TLS.
	DNS, Connect, TLS time.Duration
	// Secure says that there was a TLS handshake, Resumed that it resumed an earlier session.
	Secure, Resumed bool
}

// Client makes requests from one host and has a pool of connections. Several goroutines may use it.
type Client struct {
	env       *services.Env
	config    Config
	options   Options
	version   http.Version
	transport *nethttp.Transport
	proxy     *url.URL        // nil without one; its host has a port
	life      context.Context // of dials: net/http goes on with one whose request has gone
	end       context.CancelFunc
	jar       *cookiejar.Jar
	gates     *http.Gates      // nil where none are needed
	cache     *httpcache.Cache // nil without one

	mu      sync.Mutex
	urls    map[string]*url.URL
	buffers []*[bufferSize]byte // that nobody uses
	jitter  *rand.Rand          // made when it is first needed

	header nethttp.Header // of all requests; nobody changes it
	body   []byte
}

// bufferSize is that of the buffers that bodies are read into.
const bufferSize = 16 << 10

// New returns a client for a valid configuration. The end of ctx ends what it does in the background. It is to be closed.
func New(ctx context.Context, env *services.Env, config Config, o Options) (*Client, error) {
	secure, err := config.TLS.Config(env, o.Part)
	if err != nil {
		return nil, err
	}
	c := &Client{env: env, config: config, options: o, urls: map[string]*url.URL{}, header: nethttp.Header{"User-Agent": {userAgent}}}
	for name, value := range config.Headers {
		c.header.Set(name, value)
	}
	if config.Body > 0 {
		c.body = make([]byte, config.Body)
		content.New(0).Read(c.body)
	}
	if config.Cookies {
		if c.jar, err = cookiejar.New(nil); err != nil {
			return nil, err
		}
	}
	if c.version = versions[config.HTTPVersion]; c.version != http.HTTP1 && config.KeepAlive {
		c.gates = http.NewGates(env.Host)
	}
	c.life, c.end = context.WithCancel(ctx)
	c.transport = http.NewTransport(env.Host, &http.TransportOptions{
		NoKeepAlive: !config.KeepAlive, MaxConnsPerServer: config.MaxConnections, IdlePerServer: maxIdle,
		Dial: c.dial, DialTLS: c.dialTLS, TLS: secure, Version: c.version,
	})
	if err := c.useProxy(); err != nil {
		return nil, err
	}
	return c, c.startCache(c.life)
}

// Close closes the connections. Nothing may be under way, but dials that nobody waits for.
func (c *Client) Close() {
	c.end()
	c.transport.CloseIdleConnections()
	if c.cache != nil && c.options.Cached != nil {
		c.options.Cached(c.cache.Result())
	}
}

// CloseIdle closes the connections that no request is using, so that the next one makes a new one.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }

// Do makes a request for a URL and reads the response to its end.
func (c *Client) Do(ctx context.Context, url string) Outcome { return c.Read(ctx, url, nil) }

// Read is [Client.Do] that keeps the content of the response in into, unless that is nil.
func (c *Client) Read(ctx context.Context, url string, into *bytes.Buffer) Outcome {
	return c.Send(ctx, &Request{URL: url, Method: c.config.Method, Body: c.body}, into)
}

// Request is what a client asks for where it is not what the configuration says.
type Request struct {
	URL, Method string
	// Body is the content, nil for none. Nobody changes it.
	Body []byte
}

// Send is [Client.Read] of any request.
func (c *Client) Send(ctx context.Context, r *Request, into *bytes.Buffer) (o Outcome) {
	start := c.env.Elapsed()
	for {
		o.Attempts++
		c.attempt(ctx, r, into, start, &o)
		if o.Attempts >= c.config.Retry.Attempts || !c.again(r.Method, &o) {
			break
		}
		if err := c.env.Sleep(ctx, c.backoff(o.Attempts)); err != nil {
			o.Err, o.Cut = err, true
			break
		}
	}
	o.Total = c.env.Elapsed() - start
	return o
}

// again says whether a request may be made again.
func (c *Client) again(method string, o *Outcome) bool {
	r := &c.config.Retry
	if o.Cut || !r.AnyMethod && !slices.Contains(idempotent, method) {
		return false
	}
	if o.Err == nil {
		return slices.Contains(r.On, o.Status)
	}
	switch failures.Of(o.Err) {
	case failures.DNSTimeout, failures.Refused, failures.Unreachable, failures.Timeout, failures.Reset, failures.Closed:
		return true
	}
	return false
}

// backoff returns how long to wait after so many attempts.
func (c *Client) backoff(attempts int) time.Duration {
	wait := c.config.Retry.wait(attempts)
	share := c.config.Retry.Jitter.Float()
	if share == 0 || wait == 0 {
		return wait
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jitter == nil {
		c.jitter = c.env.Stream("retry" + c.options.Part)
	}
	return wait - time.Duration(share*c.jitter.Float64()*float64(wait))
}

// wait returns the wait after so many attempts, without jitter.
func (r *Retry) wait(attempts int) time.Duration {
	wait, factor, longest := r.Backoff.Std(), r.Multiplier, r.MaxBackoff.Std()
	if wait == 0 {
		wait = DefaultBackoff
	}
	if factor == 0 {
		factor = DefaultMultiplier
	}
	if longest == 0 {
		longest = max(wait, DefaultMaxBackoff)
	}
	exact := float64(wait)
	for range attempts - 1 {
		if exact *= factor; exact >= float64(longest) {
			return longest
		}
	}
	return min(time.Duration(exact), longest)
}

// parse takes a URL apart. It remembers those it has seen, up to a limit.
func (c *Client) parse(text string) (*url.URL, error) {
	const limit = 1000
	c.mu.Lock()
	defer c.mu.Unlock()
	if u, ok := c.urls[text]; ok {
		return u, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not a URL of http or https", text)
	}
	if len(c.urls) == limit {
		clear(c.urls)
	}
	c.urls[strings.Clone(text)] = u
	return u, nil
}

// buffer returns a buffer that nobody uses.
func (c *Client) buffer() *[bufferSize]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.buffers)
	if n == 0 {
		return new([bufferSize]byte)
	}
	b := c.buffers[n-1]
	c.buffers = c.buffers[:n-1]
	return b
}

// put gives a buffer back.
func (c *Client) put(b *[bufferSize]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buffers = append(c.buffers, b)
}
