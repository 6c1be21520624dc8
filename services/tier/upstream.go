package tier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"os"
	"strconv"

	"netlab/services/resp"
	"netlab/services/slowstore"
)

// isTimeout says whether something took longer than it may.
func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// ask makes a request to the store. What it does goes on when the client that it is for has gone: others may wait for it.
func (s *server) ask(method, key string, e *entry) (*nethttp.Response, []byte, error) {
	ctx, cancel := s.env.WithTimeout(s.life, s.config.StoreTimeout.Std())
	defer cancel()
	u := s.storeURL + (&url.URL{Path: key}).EscapedPath()
	var body io.Reader
	if e != nil {
		body = bytes.NewReader(e.body)
	}
	r, err := nethttp.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, nil, err
	}
	r.Header["User-Agent"] = []string{"netlab"}
	if e != nil {
		r.Header.Set(slowstore.VersionField, strconv.FormatUint(e.version, 10))
	}
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, because(ctx, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, content, because(ctx, err)
}

// because returns why ctx ended if it did, and else the error.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// storeGet reads a key from the store.
func (s *server) storeGet(key string) (e entry, err error) {
	start := s.env.Elapsed()
	response, body, err := s.ask(nethttp.MethodGet, key, nil)
	if err == nil {
		switch response.StatusCode {
		case nethttp.StatusOK:
			e.found, e.body = true, body
		case nethttp.StatusNotFound:
		default:
			err = fmt.Errorf("the store answers %s", response.Status)
		}
	}
	if err == nil {
		e.version, err = strconv.ParseUint(response.Header.Get(slowstore.VersionField), 10, 64)
	}
	e.delta = s.env.Elapsed() - start
	s.count(func(r *Result) {
		if err != nil {
			r.StoreErrors++
		} else {
			r.StoreReads++
		}
	})
	return e, err
}

// storePut writes a key to the store.
func (s *server) storePut(key string, e *entry) error {
	response, _, err := s.ask(nethttp.MethodPut, key, e)
	if err == nil && response.StatusCode != nethttp.StatusNoContent {
		err = fmt.Errorf("the store answers %s", response.Status)
	}
	s.count(func(r *Result) {
		if err != nil {
			r.StoreErrors++
		} else {
			r.StoreWrites++
		}
	})
	return err
}

// cacheDo asks the cache. A cache that doesn't answer is no reason to fail: ok is false.
func (s *server) cacheDo(args ...string) (reply resp.Reply, ok bool) {
	reply, err := s.cache.Do(s.life, args...)
	if err != nil && !s.env.Over(s.life) {
		s.count(func(r *Result) { r.CacheErrors++ })
		s.env.WarnOnce("cache", "the cache does not answer", "error", err)
	}
	return reply, err == nil
}

// cacheGet reads a key from the cache. ok says that it is there.
func (s *server) cacheGet(key string) (e entry, ok bool) {
	reply, ok := s.cacheDo("GET", key)
	if !ok || reply.Kind != resp.Bulk {
		return entry{}, false
	}
	e, err := decode(reply.Text)
	return e, err == nil
}

// cacheSet puts a key into the cache, for as long as the configuration says.
func (s *server) cacheSet(key string, e *entry) {
	ttl := s.config.TTL.Std()
	if !e.found {
		if ttl = s.config.NegativeTTL.Std(); ttl == 0 {
			return
		}
	}
	if ttl == 0 {
		s.cacheDo("SET", key, e.encode())
		return
	}
	e.expires = s.env.Elapsed() + ttl
	s.cacheDo("SET", key, e.encode(), "PX", milliseconds(ttl))
}
