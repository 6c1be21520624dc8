package clients

import (
	"context"
	"errors"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/services/content"
	"netlab/services/httpclient"
	"netlab/services/keys"
	"netlab/units"
)

const (
	defaultWriteSize units.Bytes = 1000
	maxWriteSize     units.Bytes = 64 << 20
)

// validateKeys returns errors about keys and writes.
func (c *HTTPConfig) validateKeys() error {
	var list []error
	add := func(field, format string, args ...any) { list = append(list, services.Fieldf(field, format, args...)) }
	places := 0
	check := func(field string, u services.URL) {
		n := strings.Count(string(u), keys.Placeholder)
		places += n
		if p, err := url.Parse(string(u)); n > 0 && err == nil && strings.Contains(p.Host, "{") {
			add(field, "%q has %s in its host, wanted it in the path or the query", string(u), keys.Placeholder)
		}
	}
	check("url", c.URL)
	for _, p := range c.URLs {
		check("urls", p.URL)
	}
	switch {
	case c.Keys.Empty() && places > 0:
		add("keys", "missing: the URL has %s, so want an object such as {\"count\": 1000, \"popularity\": \"zipf(0.8)\"}", keys.Placeholder)
	case !c.Keys.Empty():
		list = append(list, c.Keys.Validate("keys"))
		if places == 0 {
			add("keys", "no URL has %s, which they would replace", keys.Placeholder)
		}
	}
	if c.Writes < 0 || c.Writes > 1 {
		add("writes", "found %s, wanted 0%% to 100%%", c.Writes)
	}
	switch {
	case c.WriteSize < 0 || c.WriteSize > maxWriteSize:
		add("write_size", "found %s, wanted 1B to %s", c.WriteSize, maxWriteSize)
	case c.WriteSize > 0 && c.Writes == 0:
		add("write_size", "found %s, but there are no writes", c.WriteSize)
	}
	return errors.Join(list...)
}

// writeBody is the body of the requests that writes makes, nil if there are none.
func (c *HTTPConfig) writeBody() []byte {
	if c.Writes == 0 {
		return nil
	}
	size := c.WriteSize
	if size == 0 {
		size = defaultWriteSize
	}
	body := make([]byte, size)
	content.New(0).Read(body)
	return body
}

// send requests a page, for which it puts the URL that is one key's. Which key, and whether it is written, comes from a random stream of
// the user's own.
func (u *httpUser) send(ctx context.Context, page *string) httpclient.Outcome {
	h := u.host
	if h.keys == nil && h.body == nil {
		return u.client.Do(ctx, *page)
	}
	if u.random == nil {
		u.random = h.env.Stream("keys.user." + strconv.Itoa(u.user.Index))
	}
	if h.keys != nil {
		*page = strings.ReplaceAll(*page, keys.Placeholder, h.keys.Next(u.random))
	}
	if h.body != nil && u.random.Float64() < h.config.Writes.Float() {
		return u.client.Send(ctx, &httpclient.Request{URL: *page, Method: nethttp.MethodPut, Body: h.body}, nil)
	}
	return u.client.Do(ctx, *page)
}
