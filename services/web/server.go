package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"hash/fnv"
	"io"
	"maps"
	"mime"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"sync"

	"netlab/http"
	"netlab/services"
	"netlab/services/content"
	"netlab/tcp"
	"netlab/units"
)

// maxObject is the largest object that a server makes.
const maxObject units.Bytes = 1 << 40

// bytesPrefix begins the paths that say how long their object is.
const bytesPrefix = "/bytes/"

// digestField is the header field with the SHA-256 of a response's content (RFC 9530).
const digestField = "Content-Digest"

// ServerConfig configures the service "http-server".
type ServerConfig struct {
	Listen      services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:80"`
	Objects     units.Bytes        `json:"objects" jsonschema_description:"Size of the object at every path but /bytes/<n>, where one of n bytes is." jsonschema:"default=10kB"`
	ContentType string             `json:"content_type" jsonschema_description:"Media type of the objects." jsonschema:"default=application/octet-stream"`
}

// NewServerConfig returns the defaults.
func NewServerConfig() *ServerConfig {
	return &ServerConfig{Listen: ":80", Objects: 10_000, ContentType: "application/octet-stream"}
}

// Endless implements services.Config.
func (c *ServerConfig) Endless() bool { return true }

// Validate implements services.Config.
func (c *ServerConfig) Validate() error {
	if c.Listen == "" {
		return services.Fieldf("listen", "missing: want a colon and a port, such as \":80\"")
	}
	if c.Objects < 0 || c.Objects > maxObject {
		return services.Fieldf("objects", "found %s, wanted 0B to %s", c.Objects, maxObject)
	}
	if _, _, err := mime.ParseMediaType(c.ContentType); err != nil || !strings.Contains(c.ContentType, "/") {
		return services.Fieldf("content_type", "%q is not a media type: want one such as \"text/html\"", c.ContentType)
	}
	return nil
}

// Server describes the service.
var Server = services.Type{
	Name: "http-server", Role: services.Service,
	Doc: "Serves objects of a fixed size over HTTP/1.1, the same bytes for the same path in every run, with their SHA-256 in the " +
		"header. An object of n bytes is at /bytes/<n>.",
	Config: func() services.Config { return NewServerConfig() },
	Result: func() any { return new(ServerResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &server{config: *config.(*ServerConfig), status: map[string]uint64{}}, nil
	},
}

// ServerResult is what a server reports.
type ServerResult struct {
	Connections uint64 `json:"connections"`
	Requests    uint64 `json:"requests"`
	// Aborted counts responses that broke off because the client went or the run ended.
	Aborted uint64 `json:"aborted"`
	// Bytes is the content of responses, as handed to the stack.
	Bytes units.Bytes `json:"bytes"`
	// Status counts responses by status code.
	Status map[string]uint64 `json:"status"`
}

type server struct {
	config ServerConfig

	mu     sync.Mutex
	result ServerResult
	status map[string]uint64
}

// Run implements services.Runner.
func (s *server) Run(ctx context.Context, env *services.Env) error {
	listener, err := tcp.Listen(env.Host, string(s.config.Listen))
	if err != nil {
		return err
	}
	return http.Serve(ctx, listener, s, &http.ServerOptions{Log: env.Log, Panicked: env.Panicked, ConnState: s.state})
}

func (s *server) state(_ net.Conn, state nethttp.ConnState) {
	if state == nethttp.StateNew {
		s.mu.Lock()
		s.result.Connections++
		s.mu.Unlock()
	}
}

// ServeHTTP implements net/http's Handler.
func (s *server) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	status, sent, err := s.respond(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Requests++
	s.result.Bytes += units.Bytes(sent)
	if err != nil {
		s.result.Aborted++
	}
	s.status[strconv.Itoa(status)]++
}

func (s *server) respond(w nethttp.ResponseWriter, r *nethttp.Request) (status int, sent int64, err error) {
	fail := func(status int) (int, int64, error) {
		nethttp.Error(w, nethttp.StatusText(status), status)
		return status, 0, nil
	}
	if r.Method != nethttp.MethodGet && r.Method != nethttp.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return fail(nethttp.StatusMethodNotAllowed)
	}
	size, ok := s.size(r.URL.Path)
	if !ok {
		return fail(nethttp.StatusNotFound)
	}
	w.Header().Set("Content-Type", s.config.ContentType)
	w.Header().Set("Content-Length", strconv.FormatInt(int64(size), 10))
	if r.Method == nethttp.MethodHead {
		return nethttp.StatusOK, 0, nil
	}
	object := content.New(pathSeed(r.URL.Path))
	hash := sha256.New()
	copyContent(hash, object, int64(size)) // a hash takes all
	w.Header().Set(digestField, digestValue([32]byte(hash.Sum(nil))))
	w.WriteHeader(nethttp.StatusOK)
	object.Rewind()
	sent, err = copyContent(w, object, int64(size))
	return nethttp.StatusOK, sent, err
}

// copyContent writes size bytes of a stream, block by block.
func copyContent(w io.Writer, object *content.Stream, size int64) (written int64, err error) {
	for written < size {
		n, err := w.Write(object.Peek(size - written))
		object.Advance(n)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// size is that of the object at a path.
func (s *server) size(path string) (units.Bytes, bool) {
	text, ok := strings.CutPrefix(path, bytesPrefix)
	if !ok {
		return s.config.Objects, true
	}
	n, err := strconv.ParseUint(text, 10, 63)
	return units.Bytes(n), err == nil && units.Bytes(n) <= maxObject
}

// pathSeed makes objects at different paths differ.
func pathSeed(path string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, path)
	return h.Sum64()
}

// digestValue is the value of a Content-Digest field.
func digestValue(sum [32]byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// Result implements services.Runner.
func (s *server) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	result := s.result
	result.Status = maps.Clone(s.status)
	return &result
}
