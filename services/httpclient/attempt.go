package httpclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	nethttp "net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"netlab/services/failures"
)

// digestField is the header field with the digest of a response's content (RFC 9530), digestPrefix how one begins that is looked
// at.
const (
	digestField  = "Content-Digest"
	digestPrefix = "sha-256=:"
)

// attempt makes a request once and follows its redirects.
func (c *Client) attempt(ctx context.Context, r *Request, into *bytes.Buffer, start time.Duration, o *Outcome) {
	o.Status, o.Bytes, o.Err, o.Answered = 0, 0, nil, false
	u, err := c.parse(r.URL)
	if err != nil {
		o.Err = err
		return
	}
	ctx, cancel := c.env.WithTimeout(ctx, c.config.Timeout.Std())
	defer cancel()
	method := r.Method
	for redirects := 0; ; redirects++ {
		o.Hops++
		var next *url.URL
		next, o.Err = c.hop(ctx, r, method, u, into, start, o)
		if o.Err != nil || next == nil || c.config.Redirects == 0 {
			break
		}
		if redirects == c.config.Redirects {
			o.Err = failures.ErrRedirects
			break
		}
		if o.Status < nethttp.StatusTemporaryRedirect && method != nethttp.MethodHead {
			method = nethttp.MethodGet
		}
		u = next
	}
	switch {
	case o.Err == nil:
	case ctx.Err() != nil:
		o.Err = context.Cause(ctx) // the reason for what net/http says
		o.Cut = !errors.Is(o.Err, os.ErrDeadlineExceeded)
	default:
		o.Cut = !c.env.Host.Alive()
	}
	if o.Err != nil && !o.Cut {
		c.env.WarnOnce(string(failures.Of(o.Err)), "request failed", "url", r.URL, "error", o.Err)
	}
}

// hop makes one request. next is where the response redirects to, nil if it doesn't.
func (c *Client) hop(ctx context.Context, wanted *Request, method string, u *url.URL, into *bytes.Buffer, start time.Duration, o *Outcome) (next *url.URL, err error) {
	o.Status, o.Bytes, o.Answered = 0, 0, false
	hop := &hop{ctx: ctx}
	defer hop.finish(start, o)
	response, err := c.fetch(c.request(context.WithValue(ctx, hopKey{}, hop), wanted, method, u), o)
	if err != nil {
		var refused *refusedError
		if errors.As(err, &refused) {
			o.Status, err = refused.status, nil
		}
		return nil, err
	}
	o.Status, o.Protocol = response.StatusCode, response.Proto
	if c.jar != nil {
		c.jar.SetCookies(u, response.Cookies())
	}
	if o.Bytes, err = c.read(response, into); err != nil {
		return nil, err
	}
	return c.redirect(u, response), nil
}

// request returns a request. What it has in common with others is shared with them.
func (c *Client) request(ctx context.Context, wanted *Request, method string, u *url.URL) *nethttp.Request {
	r := (&nethttp.Request{
		Method: method, URL: u, Host: u.Host, Header: c.header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if body := wanted.Body; body != nil && method == wanted.Method {
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	if c.jar != nil {
		if cookies := c.jar.Cookies(u); len(cookies) > 0 {
			r.Header = c.header.Clone()
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
		}
	}
	return r
}

// redirect returns where a response redirects to, nil if it doesn't (RFC 9110, section 15.4).
func (c *Client) redirect(u *url.URL, response *nethttp.Response) *url.URL {
	switch response.StatusCode {
	case nethttp.StatusMovedPermanently, nethttp.StatusFound, nethttp.StatusSeeOther,
		nethttp.StatusTemporaryRedirect, nethttp.StatusPermanentRedirect:
	default:
		return nil
	}
	location := response.Header.Get("Location")
	next, err := u.Parse(location)
	if location == "" || err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Host == "" {
		return nil // then it is the answer
	}
	next.Fragment, next.RawFragment, next.User = "", "", nil
	return next
}

// read reads the content of a response, keeps it in into if that is not nil, and compares it with its digest if it has one.
func (c *Client) read(response *nethttp.Response, into *bytes.Buffer) (n int64, err error) {
	defer response.Body.Close()
	if into != nil {
		into.Reset()
	}
	want := response.Header.Get(digestField)
	var sum hash.Hash
	if strings.HasPrefix(want, digestPrefix) && response.Request.Method != nethttp.MethodHead {
		sum = sha256.New()
	}
	buffer := c.buffer()
	defer c.put(buffer)
	for {
		k, err := response.Body.Read(buffer[:])
		n += int64(k)
		if into != nil {
			into.Write(buffer[:k])
		}
		if sum != nil {
			sum.Write(buffer[:k])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return n, err
		}
	}
	if sum != nil && want != digestPrefix+base64.StdEncoding.EncodeToString(sum.Sum(nil))+":" {
		return n, failures.ErrDigest
	}
	return n, nil
}
