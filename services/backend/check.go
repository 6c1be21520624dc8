package backend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"os"
	"slices"
	"strconv"
	"time"

	stdtls "crypto/tls"

	"netlab/http"
	"netlab/services"
	"netlab/tcp"
)

// checker makes the health checks of a pool.
type checker struct {
	env    *services.Env
	config *Health
	tls    *stdtls.Config // nil without TLS
	part   string
}

func newChecker(env *services.Env, config *Health, part string) (*checker, error) {
	c := &checker{env: env, config: config, part: part}
	if config.TLS == nil {
		return c, nil
	}
	var err error
	c.tls, err = config.TLS.Config(env, ".health"+part)
	return c, err
}

// errFailed is the reason of a check that got an answer that doesn't pass.
var errFailed = errors.New("check failed")

// check checks a member, again and again, until ctx ends.
func (p *Pool) check(ctx context.Context, m *member) {
	h := p.config.Health
	var jitter *rand.Rand
	if h.Jitter > 0 {
		jitter = p.env.Stream("health" + p.part + "." + m.name)
	}
	interval := h.Interval.Std()
	for at := p.started; ; at += interval {
		begin := at
		if jitter != nil {
			begin += time.Duration(jitter.Float64() * h.Jitter.Float() * float64(interval))
		}
		if begin < 0 || p.env.SleepUntil(ctx, begin) != nil {
			return
		}
		now := p.env.Elapsed()
		if begin = happened(begin, now); begin == now {
			at += (begin - at) / interval * interval // those that the host has missed
		}
		err := p.checks.do(ctx, m, begin)
		if p.env.Over(ctx) {
			return
		}
		end := p.env.Elapsed()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			end = happened(begin+h.Timeout.Std(), end)
		}
		p.checked(m, begin, end, err)
	}
}

// checked draws the conclusions from a check.
func (p *Pool) checked(m *member, begin, end time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count.checked(m, err)
	h := p.config.Health
	if err == nil {
		m.passes++
		m.fails = 0
		if m.down && m.passes >= h.Rise {
			m.down = false
			p.settle(m, end, plural(m.passes, "check")+" passed")
		}
		return
	}
	if m.fails == 0 {
		m.failing = begin
	}
	m.fails++
	m.passes = 0
	if !m.down && m.fails >= h.Fall {
		m.down = true
		p.count.downed(m)
		p.count.detected(m, end-m.failing)
		p.settle(m, end, plural(m.fails, "check")+" failed: "+reason(err))
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// reason says why a check failed, without addresses.
func reason(err error) string {
	if errors.Is(err, errFailed) {
		return err.Error()
	}
	return string(failureOf(err))
}

// do makes a check and returns why it failed.
func (c *checker) do(ctx context.Context, m *member, begin time.Duration) error {
	ctx, cancel := c.env.WithTimeout(ctx, begin+c.config.Timeout.Std()-c.env.Elapsed())
	defer cancel()
	port := m.port
	if c.config.Port != 0 {
		port = c.config.Port
	}
	address := net.JoinHostPort(m.host, strconv.Itoa(int(port)))
	var err error
	if c.config.Type == CheckTCP {
		err = c.connect(ctx, m, address)
	} else {
		err = c.request(ctx, address)
	}
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // the reason for what net/http says
	}
	return err
}

// connect is a check of the type tcp.
func (c *checker) connect(ctx context.Context, m *member, address string) error {
	conn, err := tcp.Dial(ctx, c.env.Host, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.tls == nil {
		return nil
	}
	config := c.tls.Clone()
	config.ServerName = m.host
	defer context.AfterFunc(ctx, func() { conn.Abort() })()
	return stdtls.Client(conn, config).HandshakeContext(ctx)
}

// request is a check of the type http. It has a connection of its own.
func (c *checker) request(ctx context.Context, address string) error {
	url := "http://" + address + c.config.Path
	if c.tls != nil {
		url = "https" + url[len("http"):]
	}
	r, err := nethttp.NewRequestWithContext(ctx, c.config.Method, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "netlab-health-check")
	if c.config.Host != "" {
		r.Host = c.config.Host
	}
	transport := http.NewTransport(c.env.Host, &http.TransportOptions{NoKeepAlive: true, TLS: c.tls, Version: http.HTTP1,
		Dial: func(_ context.Context, address string) (net.Conn, error) { return tcp.Dial(ctx, c.env.Host, address) }})
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMatch))
	switch {
	case err != nil:
		return err
	case !c.passes(response.StatusCode):
		return fmt.Errorf("%w: status %d", errFailed, response.StatusCode)
	case !bytes.Contains(body, []byte(c.config.Match)):
		return fmt.Errorf("%w: no match", errFailed)
	}
	return nil
}

// passes says whether a status does.
func (c *checker) passes(status int) bool {
	if c.config.Status == nil {
		return status >= 200 && status < 400
	}
	return slices.Contains(c.config.Status, status)
}
