package balancer

import (
	"cmp"
	"container/list"
	"errors"
	nethttp "net/http"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"netlab/services"
	"netlab/services/upstream"
	"netlab/units"
)

// Ways to know a client again.
const (
	stickCookie    = "cookie"
	stickAppCookie = "app-cookie"
	stickSource    = "source"
)

// The defaults of a [Sticky].
const (
	DefaultStickyCookie  = "backend"
	DefaultStickyEntries = 65536
	DefaultStickyTimeout = 30 * time.Minute
)

// Sticky keeps clients with their backends for as long as these may be used. A client whose backend is out gets another one, and
// stays there. A backend that is being drained goes on serving those who stick to it.
type Sticky struct {
	By      string         `json:"by,omitempty" jsonschema_description:"How a client is known: cookie, one that the balancer adds to the first response and that names the backend; app-cookie, one that the application sets, which the balancer remembers; source, the client's address, which it remembers. Default cookie." jsonschema:"enum=cookie,enum=app-cookie,enum=source,default=cookie"`
	Cookie  string         `json:"cookie,omitempty" jsonschema_description:"Name of the cookie. Default backend; app-cookie needs the application's."`
	Entries int            `json:"entries,omitempty" zero:"refused" jsonschema_description:"app-cookie and source: how many clients are remembered; one more takes the place of the one that was seen longest ago. Default 65536."`
	Timeout units.Duration `json:"timeout,omitempty" zero:"refused" jsonschema_description:"app-cookie and source: for how long after its last request a client is remembered. Default 30m."`
}

func (s *Sticky) by() string { return cmp.Or(s.By, stickCookie) }

func (s *Sticky) cookie() string { return cmp.Or(s.Cookie, DefaultStickyCookie) }

func (s *Sticky) validate(prefix string) error {
	var list []error
	add := func(field, format string, args ...any) {
		list = append(list, services.Fieldf(prefix+field, format, args...))
	}
	switch s.by() {
	case stickCookie:
		if s.Entries != 0 || s.Timeout != 0 {
			add("by", "a cookie of the balancer's names the backend itself: nothing is remembered, so there are no entries and no timeout")
		}
	case stickAppCookie:
		if s.Cookie == "" {
			add("cookie", "missing: want the name of the cookie that the application sets")
		}
	case stickSource:
		if s.Cookie != "" {
			add("cookie", "clients are known by their address: there is no cookie")
		}
	default:
		add("by", "%q is not one of cookie, app-cookie, source", s.By)
	}
	if s.Cookie != "" && !httpguts.ValidHeaderFieldName(s.Cookie) {
		add("cookie", "%q is not the name of a cookie", s.Cookie)
	}
	const most = 1 << 24
	if s.Entries < 0 || s.Entries > most {
		add("entries", "found %d, wanted 1 to %d", s.Entries, most)
	}
	if s.Timeout < 0 {
		add("timeout", "found %s, wanted more than 0s", s.Timeout)
	}
	return errors.Join(list...)
}

// stick keeps the clients of one incarnation of a host with their backends.
type stick struct {
	config  Sticky
	env     *services.Env
	mu      sync.Mutex
	entries map[string]*list.Element // by client
	order   list.List                // of *stuck, the one seen last in front
}

// stuck is a client that is remembered.
type stuck struct {
	key, backend string
	seen         time.Duration
}

func newStick(config Sticky, env *services.Env) *stick {
	return &stick{config: config, env: env, entries: map[string]*list.Element{}}
}

// prefer returns the backend that a request sticks to, "" if there is none. Names of backends of different pools are told apart by
// the pool, which comes first.
func (s *stick) prefer(pool string, r *nethttp.Request, call *upstream.Call) string {
	switch s.config.by() {
	case stickCookie:
		if c, err := r.Cookie(s.name(pool)); err == nil {
			return c.Value
		}
	case stickAppCookie:
		if c, err := r.Cookie(s.config.Cookie); err == nil {
			return s.known(pool + "\x00" + c.Value)
		}
	case stickSource:
		return s.known(pool + "\x00" + call.Source.Addr().String())
	}
	return ""
}

// name is that of the balancer's cookie for a pool.
func (s *stick) name(pool string) string {
	if pool == "" {
		return s.config.cookie()
	}
	return s.config.cookie() + "-" + pool
}

// answered remembers which backend a client got, or says so in a cookie.
func (s *stick) answered(pool string, r *nethttp.Response, call *upstream.Call) {
	backend := call.Backend()
	if backend == "" {
		return // the answer is nobody's
	}
	switch s.config.by() {
	case stickCookie:
		if backend != call.Prefer {
			c := nethttp.Cookie{Name: s.name(pool), Value: backend, Path: "/", HttpOnly: true}
			r.Header.Add("Set-Cookie", c.String())
		}
	case stickAppCookie:
		for _, c := range r.Cookies() {
			if c.Name == s.config.Cookie {
				s.remember(pool+"\x00"+c.Value, backend)
				return
			}
		}
		if c, err := r.Request.Cookie(s.config.Cookie); err == nil {
			s.remember(pool+"\x00"+c.Value, backend)
		}
	case stickSource:
		s.remember(pool+"\x00"+call.Source.Addr().String(), backend)
	}
}

// known returns the backend of a client that is remembered.
func (s *stick) known(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return ""
	}
	timeout := s.config.Timeout.Std()
	if timeout == 0 {
		timeout = DefaultStickyTimeout
	}
	if was := e.Value.(*stuck); s.env.Elapsed()-was.seen <= timeout {
		return was.backend
	}
	s.order.Remove(e)
	delete(s.entries, key)
	return ""
}

// remember notes the backend of a client.
func (s *stick) remember(key, backend string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.entries[key]; ok {
		*e.Value.(*stuck) = stuck{key, backend, s.env.Elapsed()}
		s.order.MoveToFront(e)
		return
	}
	s.entries[key] = s.order.PushFront(&stuck{key, backend, s.env.Elapsed()})
	if s.order.Len() > cmp.Or(s.config.Entries, DefaultStickyEntries) {
		delete(s.entries, s.order.Remove(s.order.Back()).(*stuck).key)
	}
}
