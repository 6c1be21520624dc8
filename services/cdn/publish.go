package cdn

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash/fnv"
	"io"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"netlab/http"
	"netlab/services"
	"netlab/services/content"
	"netlab/services/secure"
	"netlab/services/target"
	"netlab/tcp"
	"netlab/units"
)

// maxPush is the largest object that is pushed: it is held in memory.
const maxPush units.Bytes = 64 << 20

// PublishConfig configures the workload "cdn-publish".
type PublishConfig struct {
	Edges        services.Targets `json:"edges" jsonschema_description:"The edges that are told, with ports. Of a cluster one server is enough." jsonschema:"required"`
	Shields      services.Targets `json:"shields,omitempty" jsonschema_description:"Edges that others have as parents. They are purged first: an edge that is purged before its shield may fetch the old object again. Default: none."`
	Token        string           `json:"token" jsonschema_description:"The edges' token." jsonschema:"required"`
	TLS          bool             `json:"tls,omitempty" jsonschema_description:"Whether edges are asked over TLS. Default false."`
	Push         []string         `json:"push,omitempty" jsonschema_description:"Paths of objects that are pushed to all edges, one after the other, before anything is purged."`
	Size         *units.Bytes     `json:"size,omitempty" jsonschema_description:"push: size of each object, up to 64MiB. Its content is that of an http-server's object at the same path and of the same size. Default 10kB."`
	CacheControl string           `json:"cache_control,omitempty" jsonschema_description:"push: Cache-Control of the objects. Default max-age=3600."`
	Tags         []string         `json:"tags,omitempty" jsonschema_description:"push: tags of the objects, by which they can be purged. Default: none."`
	Purge        []string         `json:"purge,omitempty" jsonschema_description:"Paths of objects that are removed from all edges; one that ends in * stands for all that begin so."`
	PurgeTags    []string         `json:"purge_tags,omitempty" jsonschema_description:"Tags of objects that are removed from all edges."`
	Count        int              `json:"count" jsonschema_description:"How many times all of this is done; 0 goes on until the end of the run." jsonschema:"default=1"`
	Interval     units.Duration   `json:"interval,omitempty" zero:"refused" jsonschema_description:"Time from the start of one time to that of the next, which waits for the one before. Needed unless count is 1."`
	Timeout      units.Duration   `json:"timeout" jsonschema_description:"How long an edge may take to answer each request." jsonschema:"default=30s"`
}

// NewPublishConfig returns the defaults.
func NewPublishConfig() *PublishConfig {
	return &PublishConfig{Count: 1, Timeout: units.Duration(30 * time.Second)}
}

// Endless implements services.Config.
func (c *PublishConfig) Endless() bool { return c.Count == 0 }

// Validate implements services.Config.
func (c *PublishConfig) Validate() error {
	list := []error{validateTargets("edges", c.Edges), validateTargets("shields", c.Shields)}
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	if len(c.Edges) == 0 {
		add("edges", "missing: want nodes, such as \"edge*\"")
	}
	if c.Token == "" || !printable(c.Token) {
		add("token", "want the edges' token: letters, digits and punctuation")
	}
	if len(c.Push)+len(c.Purge)+len(c.PurgeTags) == 0 {
		add("push", "missing: want paths in push or purge, or tags in purge_tags")
	}
	for _, l := range []struct {
		field string
		paths []string
	}{{"push", c.Push}, {"purge", c.Purge}} {
		for i, p := range l.paths {
			if !strings.HasPrefix(p, "/") || !printable(p) || strings.Contains(p, "#") {
				add(l.field+"["+strconv.Itoa(i)+"]", "%q is not a path: want one such as \"/news\"", p)
			}
		}
	}
	for _, l := range []struct {
		field string
		tags  []string
	}{{"tags", c.Tags}, {"purge_tags", c.PurgeTags}} {
		for i, t := range l.tags {
			if t == "" || !printable(t) {
				add(l.field+"["+strconv.Itoa(i)+"]", "%q is not a tag: want one word", t)
			}
		}
	}
	if len(c.Push) == 0 && (c.Size != nil || c.CacheControl != "" || len(c.Tags) > 0) {
		add("push", "missing: size, cache_control and tags are about objects that are pushed")
	}
	if c.Size != nil && (*c.Size < 0 || *c.Size > maxPush) {
		add("size", "found %s, wanted 0B to %s", *c.Size, maxPush)
	}
	if !printable(strings.ReplaceAll(c.CacheControl, " ", "")) {
		add("cache_control", "%q is not a header field's value", c.CacheControl)
	}
	switch {
	case c.Count < 0:
		add("count", "found %d, wanted 0 or more", c.Count)
	case c.Count == 1 && c.Interval != 0:
		add("interval", "found %s, but a count of 1 has no next time", c.Interval)
	case c.Count != 1 && c.Interval <= 0:
		add("interval", "found %s, wanted more than 0s: a count other than 1 needs it", c.Interval)
	}
	if c.Timeout <= 0 {
		add("timeout", "found %s, wanted more than 0s", c.Timeout)
	}
	return errors.Join(list...)
}

// Expand implements services.Expander.
func (c *PublishConfig) Expand(names func(services.Nodes) services.Nodes) services.Config {
	out := *c
	out.Edges, out.Shields = c.Edges.Expand(names), c.Shields.Expand(names)
	return &out
}

// Calls implements services.Caller.
func (c *PublishConfig) Calls() []services.Call {
	var list []services.Call
	for _, t := range c.Shields {
		list = append(list, call("shields", t, c.port()))
	}
	for _, t := range c.Edges {
		list = append(list, call("edges", t, c.port()))
	}
	return list
}

// port is that of edges that have none.
func (c *PublishConfig) port() uint16 {
	if c.TLS {
		return 443
	}
	return 80
}

func (c *PublishConfig) size() int64 {
	if c.Size == nil {
		return 10_000
	}
	return int64(*c.Size)
}

// PublishResult is what a cdn-publish reports. Of several hosts, and several times, it is a sum, and latencies are the longest.
type PublishResult struct {
	// Succeeded counts requests that an edge has carried out, Failed others. What the end of the run cut off counts as neither.
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	// Removed counts responses that edges removed.
	Removed uint64 `json:"removed"`
	// BytesPushed is the content of the objects that were stored, once for each edge.
	BytesPushed units.Bytes `json:"bytes_pushed"`
	// Latency is the time from the start until the last edge had answered for everything; 0 before.
	Latency units.Duration `json:"latency_ns"`
	// Edges is the same for each edge, by its name (with its port where several are on one host), shields among them.
	Edges map[string]EdgeResult `json:"edges"`
}

// EdgeResult is what one edge answered.
type EdgeResult struct {
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	Removed   uint64 `json:"removed"`
	// Latency is the time from the start until it had answered for everything.
	Latency units.Duration `json:"latency_ns"`
}

// Publish describes the workload.
var Publish = services.Type{
	Name: "cdn-publish", Role: services.Workload,
	Doc: "Puts objects on the edges of a CDN before anybody asks for them (push), and removes them from all edges (purge, by path, prefix or " +
		"tag). It tells all edges at once and measures how long it takes until the last one has answered.",
	Config: func() services.Config { return NewPublishConfig() },
	Result: func() any { return new(PublishResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &publisher{config: *config.(*PublishConfig), result: PublishResult{Edges: map[string]EdgeResult{}}}, nil
	},
}

// publisher is the workload.
type publisher struct {
	config PublishConfig

	mu     sync.Mutex
	result PublishResult
}

// Result implements services.Runner.
func (p *publisher) Result() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.result
	return &r
}

// publishing is the workload on one host.
type publishing struct {
	*publisher
	env       *services.Env
	ctx       context.Context
	transport *nethttp.Transport
	start     time.Duration // of this time, since that of the run
}

// Run implements services.Runner.
func (p *publisher) Run(ctx context.Context, env *services.Env) error {
	begin := env.Elapsed()
	w := &publishing{publisher: p, env: env, ctx: ctx}
	o := &http.TransportOptions{Version: http.HTTP1, Dial: func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := tcp.Dial(ctx, env.Host, address)
		if err != nil {
			return nil, err // not a nil *tcp.Conn
		}
		return conn, nil
	}}
	if p.config.TLS {
		var err error
		if o.TLS, err = (&secure.Client{}).Config(env, "", "http/1.1"); err != nil {
			return err
		}
	}
	w.transport = http.NewTransport(env.Host, o)
	defer w.transport.CloseIdleConnections()
	for n := 0; p.config.Count == 0 || n < p.config.Count; n++ {
		if env.SleepUntil(ctx, begin+time.Duration(n)*p.config.Interval.Std()) != nil {
			return nil
		}
		w.start = env.Elapsed()
		w.tell(p.config.Shields)
		w.tell(p.config.Edges)
	}
	return nil
}

// tell tells some edges all that there is, each by itself, and returns when all are done.
func (w *publishing) tell(edges services.Targets) {
	for _, t := range edges {
		w.env.Go(func() { w.one(t) })
	}
	w.env.Wait()
}

// one tells an edge.
func (w *publishing) one(t services.TargetPattern) {
	c := &w.config
	for _, path := range c.Push {
		w.ask(t, nethttp.MethodPut, pushPath+path, w.pushed(path), objectOf(path, c.size()))
	}
	for _, path := range c.Purge {
		w.ask(t, nethttp.MethodPost, purgePath+path, nethttp.Header{}, nil)
	}
	if len(c.PurgeTags) > 0 {
		w.ask(t, nethttp.MethodPost, purgePath+"/", nethttp.Header{"Surrogate-Key": {strings.Join(c.PurgeTags, " ")}}, nil)
	}
	if w.ctx.Err() != nil {
		return
	}
	took := units.Duration(w.env.Elapsed() - w.start)
	w.note(t, func(r *EdgeResult) { r.Latency = max(r.Latency, took) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result.Latency = max(w.result.Latency, took)
}

// note changes what is known of an edge.
func (w *publishing) note(t services.TargetPattern, change func(r *EdgeResult)) {
	name := t.Host()
	if port := t.Port(); port != "" && port != strconv.Itoa(int(w.config.port())) {
		name += "-" + port
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.result.Edges[name]
	change(&r)
	w.result.Edges[name] = r
}

// pushed returns the header of an object.
func (w *publishing) pushed(path string) nethttp.Header {
	sum := sha256.Sum256(objectOf(path, w.config.size()))
	h := nethttp.Header{"Content-Type": {"application/octet-stream"}, "Cache-Control": {"max-age=3600"},
		"Content-Digest": {"sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"}}
	if w.config.CacheControl != "" {
		h.Set("Cache-Control", w.config.CacheControl)
	}
	if len(w.config.Tags) > 0 {
		h.Set("Surrogate-Key", strings.Join(w.config.Tags, " "))
	}
	return h
}

// objectOf returns the content of an object, which is that of an http-server at the same path.
func objectOf(path string, size int64) []byte {
	path, _, _ = strings.Cut(path, "?")
	h := fnv.New64a()
	io.WriteString(h, path)
	body := make([]byte, size)
	io.ReadFull(content.New(h.Sum64()), body) // a stream never fails
	return body
}

// ask makes one request and counts what comes of it.
func (w *publishing) ask(t services.TargetPattern, method, path string, header nethttp.Header, body []byte) {
	removed, err := w.exchange(t, method, path, header, body)
	if w.ctx.Err() != nil {
		return
	}
	if err != nil {
		w.env.WarnOnce(string(t), "an edge has not done it", "edge", string(t), "method", method, "path", path, "error", err)
	}
	count := func(succeeded, failed, all *uint64) {
		*all += removed
		if err == nil {
			*succeeded++
		} else {
			*failed++
		}
	}
	w.note(t, func(r *EdgeResult) { count(&r.Succeeded, &r.Failed, &r.Removed) })
	w.mu.Lock()
	defer w.mu.Unlock()
	count(&w.result.Succeeded, &w.result.Failed, &w.result.Removed)
	if err == nil {
		w.result.BytesPushed += units.Bytes(len(body))
	}
}

// exchange makes one request and returns how many responses the edge removed.
func (w *publishing) exchange(t services.TargetPattern, method, path string, header nethttp.Header, body []byte) (removed uint64, err error) {
	address, err := target.Address(t.Target(), w.config.port())
	if err != nil {
		return 0, err
	}
	scheme := "http://"
	if w.config.TLS {
		scheme = "https://"
	}
	ctx, cancel := w.env.WithTimeout(w.ctx, w.config.Timeout.Std())
	defer cancel()
	r, err := nethttp.NewRequestWithContext(ctx, method, scheme+address+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	header.Set("Authorization", "Bearer "+w.config.Token)
	header.Set("User-Agent", "netlab")
	r.Header = header
	response, err := w.transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, err
	}
	removed, _ = strconv.ParseUint(response.Header.Get(purgedField), 10, 64) // 0 if it says nothing
	if response.StatusCode >= 300 {
		return removed, errors.New(response.Status)
	}
	return removed, nil
}
