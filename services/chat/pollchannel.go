package chat

import (
	"bytes"
	"context"
	"io"
	"net"
	nethttp "net/http"
	"strconv"
	"time"

	"netlab/http"
	"netlab/tcp"
	"netlab/units"
)

// userAgent is what requests say.
const userAgent = "netlab"

// pollChannel is a user who polls. Its connections are its own, like those of a browser.
type pollChannel struct {
	*user
	join      time.Duration
	transport *nethttp.Transport
	life      context.Context // of dials: net/http goes on with one whose request has gone
	end       context.CancelFunc
}

func newPollChannel(ctx context.Context, u *user, join time.Duration) (*pollChannel, error) {
	c := &u.runner.config
	config, err := clientTLS(u.env, c.URL, &c.TLS, u.index)
	if err != nil {
		return nil, err
	}
	p := &pollChannel{user: u, join: join}
	p.life, p.end = context.WithCancel(ctx)
	p.transport = http.NewTransport(u.env.Host, &http.TransportOptions{TLS: config, Version: http.HTTP1, Dial: p.dial})
	return p, nil
}

func (p *pollChannel) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.life, func() { cancel(context.Cause(p.life)) })()
	conn, err := tcp.Dial(ctx, p.env.Host, address)
	if err != nil {
		return nil, err
	}
	p.tally.count(func(r *Result) { r.Connections++ })
	return conn, nil
}

// watch implements channel.
func (p *pollChannel) watch(ctx context.Context) {
	defer func() {
		p.end()
		p.transport.CloseIdleConnections()
	}()
	c := &p.runner.config
	next, failures := p.join, 0
	for !p.complete() {
		if p.env.SleepUntil(ctx, next) != nil {
			return
		}
		err := p.poll(ctx)
		if p.env.Over(ctx) {
			return
		}
		now := p.env.Elapsed()
		switch {
		case err != nil:
			p.tally.failed(err)
			p.env.Log.Debug("poll failed", "user", p.name, "error", err)
			if failures++; c.Reconnect.Off {
				return
			}
			next = now + p.backOff(failures)
		default:
			next, failures = now, 0
		}
		if c.Transport == Polling {
			// One that took longer than the interval leaves polls out.
			next = p.join + (now-p.join)/c.PollInterval.Std()*c.PollInterval.Std() + c.PollInterval.Std()
		}
	}
}

// poll asks for new messages once.
func (p *pollChannel) poll(ctx context.Context) error {
	c := &p.runner.config
	u := below(c.URL, "http", "messages")
	u.RawQuery = "after=" + strconv.FormatInt(p.last, 10)
	limit := c.Timeout.Std()
	if c.Transport == LongPolling {
		u.RawQuery += "&wait=" + c.Wait.String()
		limit += c.Wait.Std()
	}
	body, err := p.request(ctx, limit, nethttp.MethodGet, u.String(), nil, nethttp.StatusOK)
	p.bytes += units.Bytes(len(body))
	if err != nil {
		return err
	}
	answer, err := decodePage(body)
	if err != nil {
		return err
	}
	for i := range answer.Messages {
		p.take(&answer.Messages[i])
	}
	p.tally.count(func(r *Result) {
		r.Requests++
		if len(answer.Messages) == 0 {
			r.EmptyPolls++
		}
	})
	return nil
}

// send implements channel.
func (p *pollChannel) send(ctx context.Context, text []byte) bool {
	if p.life.Err() != nil {
		return false
	}
	p.sent(text)
	c := &p.runner.config
	_, err := p.request(ctx, c.Timeout.Std(), nethttp.MethodPost, below(c.URL, "http", "messages").String(), text, nethttp.StatusCreated)
	if err != nil && !p.env.Over(ctx) {
		p.tally.failed(err)
		p.env.Log.Debug("message not sent", "user", p.name, "error", err)
	}
	return ctx.Err() == nil
}

// request makes a request and returns the body of the response, which is to have a status.
func (p *pollChannel) request(ctx context.Context, limit time.Duration, method, url string, body []byte, want int) ([]byte, error) {
	ctx, cancel := p.env.WithTimeout(ctx, limit)
	defer cancel()
	r, err := nethttp.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", userAgent)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := p.transport.RoundTrip(r)
	if err == nil {
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx) // the reason for what net/http says
	case err != nil:
		return nil, err
	case response.StatusCode != want:
		return nil, statusError(response.StatusCode)
	}
	return body, nil
}
