package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httputil"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/services/backend"
	"netlab/services/failures"
)

// HandlerOptions are what a [Handler] does beside forwarding. The zero value is fine.
type HandlerOptions struct {
	// Config says which fields tell backends of the client, and which proxies are trusted; the rest of it is the forwarder's.
	Config Config
	// Call, unless it is nil, completes what is known of a request: the backend that it is to prefer, its key.
	Call func(r *nethttp.Request, call *Call)
	// Rewrite, unless it is nil, changes a request that is about to be forwarded, such as its path. in is as the client sent it.
	Rewrite func(out, in *nethttp.Request)
	// Response, unless it is nil, changes a response before it goes to the client. call is that of the request.
	Response func(r *nethttp.Response, call *Call) error
	// Failed, unless it is nil, is told of requests that could not be forwarded, with the status of the answer, 0 if the client
	// had gone.
	Failed func(status int, err error)
}

// Handler forwards requests to a round tripper, such as a [Forwarder] or a cache in front of one. It is an http.Handler.
type Handler struct {
	env     *services.Env
	options HandlerOptions
	trusted []netip.Addr
	proxy   *httputil.ReverseProxy
}

// NewHandler returns a handler. It resolves the names of trusted proxies; the error is why that failed.
func NewHandler(ctx context.Context, env *services.Env, rt nethttp.RoundTripper, o HandlerOptions) (*Handler, error) {
	h := &Handler{env: env, options: o}
	var err error
	if h.trusted, err = Resolve(ctx, env, o.Config.TrustedProxies); err != nil {
		return nil, err
	}
	h.proxy = &httputil.ReverseProxy{Transport: rt, Rewrite: h.rewrite, ModifyResponse: h.response, ErrorHandler: h.failed,
		ErrorLog: log.New(io.Discard, "", 0)}
	return h, nil
}

// Resolve returns the addresses of nodes.
func Resolve(ctx context.Context, env *services.Env, nodes services.Nodes) ([]netip.Addr, error) {
	var list []netip.Addr
	for _, name := range nodes {
		found, err := env.Host.Resolve(ctx, name)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	call := new(Call)
	call.Source, _ = netip.ParseAddrPort(r.RemoteAddr)
	if a, ok := r.Context().Value(nethttp.LocalAddrContextKey).(net.Addr); ok {
		call.Destination, _ = netip.ParseAddrPort(a.String())
	}
	if h.options.Call != nil {
		h.options.Call(r, call)
	}
	h.proxy.ServeHTTP(w, r.WithContext(WithCall(r.Context(), call)))
}

// rewrite makes the request that goes to a backend. The fields of a connection are gone already, and Forwarded and its like.
func (h *Handler) rewrite(p *httputil.ProxyRequest) {
	in, out := p.In, p.Out
	h.forwarded(in, out.Header)
	out.Header.Set("Via", via(in.Header["Via"], in.ProtoMajor, in.ProtoMinor, h.env.Host.Name()))
	if len(in.Trailer) > 0 {
		out.Trailer = in.Trailer
	}
	out.URL.RawQuery = in.URL.RawQuery // as the client wrote it
	if h.options.Rewrite != nil {
		h.options.Rewrite(out, in)
	}
}

// via returns the value of Via (RFC 9110, section 7.6.3) with one more proxy.
func via(before []string, major, minor int, name string) string {
	version := strconv.Itoa(major)
	if major < 2 {
		version += "." + strconv.Itoa(minor)
	}
	return strings.Join(append(slices.Clone(before), version+" "+name), ", ")
}

// forwarded says who the client is.
func (h *Handler) forwarded(in *nethttp.Request, header nethttp.Header) {
	client, err := netip.ParseAddrPort(in.RemoteAddr)
	if err != nil {
		return
	}
	address := client.Addr().Unmap()
	trusted := slices.Contains(h.trusted, address)
	scheme := "http"
	if in.TLS != nil {
		scheme = "https"
	}
	kind := h.options.Config.Forwarded
	if kind == "" || kind == ForwardX || kind == ForwardBoth {
		if before := in.Header["X-Forwarded-For"]; trusted && len(before) > 0 {
			header.Set("X-Forwarded-For", strings.Join(before, ", ")+", "+address.String())
		} else {
			header.Set("X-Forwarded-For", address.String())
		}
		for _, f := range []struct{ name, value string }{{"X-Forwarded-Proto", scheme}, {"X-Forwarded-Host", in.Host}} {
			if before := in.Header.Get(f.name); trusted && before != "" {
				f.value = before
			}
			header.Set(f.name, f.value)
		}
	}
	if kind == ForwardRFC7239 || kind == ForwardBoth {
		element := fmt.Sprintf("for=%s;host=%s;proto=%s;by=_%s", node(address), quoted(in.Host), scheme, h.env.Host.Name())
		if before := in.Header["Forwarded"]; trusted && len(before) > 0 {
			element = strings.Join(before, ", ") + ", " + element
		}
		header.Set("Forwarded", element)
	}
}

// node returns an address as in RFC 7239, section 6.
func node(a netip.Addr) string {
	if a.Is6() {
		return `"[` + a.String() + `]"`
	}
	return a.String()
}

// quoted returns a host as the value of a parameter.
func quoted(host string) string {
	if strings.ContainsFunc(host, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) {
		return strconv.QuoteToASCII(host)
	}
	return host
}

// response makes the response that goes to the client.
func (h *Handler) response(r *nethttp.Response) error {
	r.Header.Set("Via", via(r.Header["Via"], r.ProtoMajor, r.ProtoMinor, h.env.Host.Name()))
	if h.options.Response != nil {
		return h.options.Response(r, CallOf(r.Request.Context()))
	}
	return nil
}

// failed answers a request that could not be forwarded.
func (h *Handler) failed(w nethttp.ResponseWriter, r *nethttp.Request, err error) {
	status, text := Explain(err)
	if r.Context().Err() != nil {
		status = 0
	}
	if h.options.Failed != nil {
		h.options.Failed(status, err)
	}
	if status == 0 {
		panic(nethttp.ErrAbortHandler) // nobody is there
	}
	Answer(w, h.env, status, text)
}

// Answer writes a response of the proxy's own: a status and a line that says why.
func Answer(w nethttp.ResponseWriter, env *services.Env, status int, text string) {
	body := fmt.Sprintf("%d %s: %s\n", status, nethttp.StatusText(status), text)
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Cache-Control", "no-store")
	header.Set("Date", env.Host.Now().UTC().Format(nethttp.TimeFormat))
	w.WriteHeader(status)
	io.WriteString(w, body) // a client that has gone needs no answer
}

// Explain returns the status that a request is answered with that could not be forwarded, and why in words.
func Explain(err error) (status int, text string) {
	var large *nethttp.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nethttp.StatusRequestEntityTooLarge, "the body of the request is too large"
	case errors.Is(err, ErrRequestBody):
		return nethttp.StatusBadRequest, "the body of the request is broken"
	case errors.Is(err, backend.ErrNone), errors.Is(err, backend.ErrFull), errors.Is(err, backend.ErrQueueTimeout):
		return nethttp.StatusServiceUnavailable, err.Error()
	case errors.Is(err, ErrTimeout), errors.Is(err, ErrFirstByte):
		return nethttp.StatusGatewayTimeout, err.Error()
	case errors.Is(err, ErrDrained):
		return nethttp.StatusServiceUnavailable, err.Error()
	}
	switch failures.Of(err) {
	case failures.Timeout:
		return nethttp.StatusGatewayTimeout, "no connection to the backend came about in time"
	case failures.DNSTimeout:
		return nethttp.StatusGatewayTimeout, "no name server knew the backend in time"
	case failures.Refused:
		return nethttp.StatusBadGateway, "the backend refuses connections"
	case failures.Unreachable:
		return nethttp.StatusBadGateway, "there is no way to the backend"
	case failures.Reset, failures.Closed:
		return nethttp.StatusBadGateway, "the backend broke the connection off"
	case failures.TLS:
		return nethttp.StatusBadGateway, "the backend's TLS handshake failed"
	}
	return nethttp.StatusBadGateway, "the backend's answer makes no sense"
}
