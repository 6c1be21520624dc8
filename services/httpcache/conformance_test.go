package httpcache

import (
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The files below testdata/conformance say, in a form of our own, what the public test suite for HTTP caches asks
// (https://github.com/http-tests/cache-tests, BSD 3-Clause, Mark Nottingham); each case has the suite's name. A case has steps: a
// request with its fields (>), what the origin would answer (<; <~ for fields that the client need not see as they are), and what must
// come of it (=). A number after @ is a date in seconds from then. Left out are responses before the final one (interim, which pass a
// RoundTripper by) and two cases whose Content-Length is wrong, which net/http doesn't let through.

// step is one request of a case.
type step struct {
	method, path string
	request      [][2]string
	closes       bool
	status       int
	origin       [][2]string
	loose        []bool // beside origin
	after, wait  time.Duration
	body         string
	hasBody      bool
	want         []string
	sent         nethttp.Header // what the origin really sent
	asked        *nethttp.Request
	validated    bool
}

type conformanceCase struct {
	id    string
	flags []string
	steps []*step
}

func readCases(t *testing.T, file string) (list []*conformanceCase) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		words := strings.Fields(line)
		if line[0] != ' ' {
			list = append(list, &conformanceCase{id: words[0], flags: words[1:]})
			continue
		}
		c := list[len(list)-1]
		if words[0] == "wait" {
			c.steps[len(c.steps)-1].wait = 3 * time.Second
			continue
		}
		if !strings.HasPrefix(line, "    ") {
			c.steps = append(c.steps, &step{method: words[0], path: words[1], status: 200})
			continue
		}
		s := c.steps[len(c.steps)-1]
		mark, rest, _ := strings.Cut(strings.TrimPrefix(line, "    "), " ")
		name, value, field := strings.Cut(rest, ": ")
		switch {
		case mark == "=":
			s.want = append(s.want, rest)
		case mark == ">":
			s.request = append(s.request, [2]string{name, value})
		case field:
			s.origin, s.loose = append(s.origin, [2]string{name, value}), append(s.loose, mark == "<~")
		case words[1] == "closes":
			s.closes = true
		case words[1] == "after":
			n, _ := strconv.Atoi(words[2])
			s.after = time.Duration(n) * time.Second
		case words[1] == "body":
			s.hasBody, s.body = true, strings.TrimPrefix(strings.TrimPrefix(rest, "body"), " ")
		default:
			s.status, err = strconv.Atoi(words[1])
			require.NoError(t, err, line)
		}
	}
	return list
}

// bench plays one case.
type bench struct {
	c          *conformanceCase
	now        time.Time
	at         int // the step
	background []func()
}

// dated replaces a date of a case. base is what it counts from.
func dated(value string, base time.Time) string {
	text, found := strings.CutPrefix(value, "@")
	if !found {
		return value
	}
	layout := nethttp.TimeFormat
	text, old := strings.CutSuffix(text, " rfc850")
	if old {
		layout = "Monday, 02-Jan-06 15:04:05 GMT"
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return value
	}
	return base.Add(time.Duration(n) * time.Second).UTC().Format(layout)
}

// RoundTrip is the origin.
func (b *bench) RoundTrip(r *nethttp.Request) (*nethttp.Response, error) {
	s := b.c.steps[b.at]
	b.now = b.now.Add(s.after)
	s.asked = r
	if s.closes {
		return nil, errors.New("closed")
	}
	h := nethttp.Header{"X-Step": {strconv.Itoa(b.at)}, "X-Now": {strconv.FormatInt(b.now.Unix(), 10)}}
	status := s.status
	for _, f := range s.origin {
		value := f[1]
		if place, found := strings.CutPrefix(value, "./"); found {
			if value = "http://origin/" + b.c.id; place != "" {
				value += "/" + place
			}
		}
		h.Add(f[0], dated(value, b.now))
	}
	if wants := s.validating(); wants {
		before := b.c.steps[b.at-1].sent
		if before == nil { // the cache answered that one
			before = nethttp.Header{}
			for _, f := range b.c.steps[b.at-1].origin {
				before.Add(f[0], f[1])
			}
		}
		tag, modified := before.Get("ETag"), before.Get("Last-Modified")
		if tag != "" && r.Header.Get("If-None-Match") == tag || modified != "" && r.Header.Get("If-Modified-Since") == modified {
			status, s.validated = 304, true
		} else {
			status = 999
		}
	}
	s.sent = h.Clone()
	if h.Get("Date") == "" {
		h.Set("Date", dated("@0", b.now))
	}
	body := b.c.id
	if s.hasBody {
		body = s.body
	}
	if status == 204 || status == 304 || r.Method == "HEAD" {
		body = ""
	}
	return &nethttp.Response{StatusCode: status, Header: h, Proto: "HTTP/1.1", ContentLength: -1,
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (s *step) validating() bool {
	return slices.Contains(s.want, "etag") || slices.Contains(s.want, "modified")
}

// play plays the case and returns what is not as it should be.
func (b *bench) play(shared bool) error {
	config := Config{}
	if slices.Contains(b.c.flags, "targeted") {
		config.Targeted = []string{"CDN-Cache-Control"}
	}
	b.now = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	cache, err := New(config, Options{Next: b, Shared: shared, Now: func() time.Time { return b.now },
		Go: func(fn func()) { b.background = append(b.background, fn) }})
	if err != nil {
		return err
	}
	previous := b.now
	for i, s := range b.c.steps {
		b.at = i
		r, err := nethttp.NewRequest(s.method, "http://origin/"+b.c.id+s.path, nil)
		if err != nil {
			return err
		}
		for _, f := range s.request {
			r.Header.Add(f[0], dated(f[1], previous))
		}
		response, err := cache.RoundTrip(r)
		var body string
		if err != nil {
			response = &nethttp.Response{Header: nethttp.Header{}}
		} else {
			text, readErr := io.ReadAll(response.Body)
			response.Body.Close()
			if body = string(text); readErr != nil {
				return readErr
			}
		}
		if n, err := strconv.ParseInt(response.Header.Get("X-Now"), 10, 64); err == nil {
			previous = time.Unix(n, 0)
		}
		for _, fn := range b.background {
			fn()
		}
		b.background = nil
		if err := s.check(i, response, body, b.c.id); err != nil {
			return fmt.Errorf("request %d: %w", i+1, err)
		}
		b.now = b.now.Add(s.wait)
	}
	return nil
}

// check compares a response with what a step wants.
func (s *step) check(i int, response *nethttp.Response, body, id string) error {
	from := response.Header.Get("X-Step")
	status, content := s.status, id
	if s.hasBody {
		content = s.body
	}
	for _, want := range s.want {
		word, rest, _ := strings.Cut(want, " ")
		name, value, field := strings.Cut(rest, ": ")
		switch word {
		case "cached":
			if from == strconv.Itoa(i) || from == "" && response.StatusCode != 304 {
				return errors.New("not from the cache")
			}
		case "origin":
			if from != strconv.Itoa(i) {
				return errors.New("from the cache")
			}
		case "etag", "modified":
			if !s.validated {
				return errors.New("not validated")
			}
		case "status":
			status, _ = strconv.Atoi(rest)
		case "method":
			if s.asked == nil || s.asked.Method != rest {
				return errors.New("the origin saw another method")
			}
		case "body":
			content = rest
		case "asked":
			if s.asked == nil {
				return errors.New("the origin wasn't asked")
			}
			if got := s.asked.Header.Values(name); len(got) == 0 || field && strings.Join(got, ", ") != value {
				return fmt.Errorf("the origin was asked with %q, not %q", got, rest)
			}
		case "not-asked":
			if got := s.asked.Header.Get(name); got != "" && (!field || got == value) {
				return fmt.Errorf("the origin was asked with %s: %q", name, got)
			}
		case "has":
			if err := has(response.Header, rest); err != nil {
				return err
			}
		case "lacks":
			if name == "server-request-count" {
				name = "X-Step"
			}
			if got := response.Header.Get(name); got != "" && (!field || strings.Contains(got, value)) {
				return fmt.Errorf("the response has %s: %q", name, got)
			}
		}
	}
	if status != 0 && response.StatusCode != status {
		return fmt.Errorf("status %d, not %d", response.StatusCode, status)
	}
	if content != "any" && !slices.Contains([]int{0, 204, 304}, response.StatusCode) && s.method != "HEAD" && body != content {
		return fmt.Errorf("the content is %q, not %q", body, content)
	}
	if s.asked != nil && s.asked.Method != "" && s.sent != nil && from == strconv.Itoa(i) {
		for k, f := range s.origin {
			want := strings.Join(s.sent.Values(f[0]), ", ")
			if got := strings.Join(response.Header.Values(f[0]), ", "); !s.loose[k] && got != want && !strings.EqualFold(f[0], "date") {
				return fmt.Errorf("the field %s is %q, not %q", f[0], got, want)
			}
		}
	}
	return nil
}

// has checks a field of a response: that it is there, that it has a value, or that its number is larger than one.
func has(h nethttp.Header, want string) error {
	if name, value, found := strings.Cut(want, ": "); found {
		if name == "client-request-count" {
			name = "X-Step"
			n, _ := strconv.Atoi(value)
			value = strconv.Itoa(n - 1)
		}
		n, _ := strconv.ParseInt(h.Get("X-Now"), 10, 64)
		if got := strings.Join(h.Values(name), ", "); got != dated(value, time.Unix(n, 0)) {
			return fmt.Errorf("the field %s is %q, not %q", name, got, value)
		}
		return nil
	}
	words := strings.Fields(want)
	got := h.Get(words[0])
	if len(words) == 3 && words[1] == ">" {
		a, err := strconv.Atoi(got)
		b, _ := strconv.Atoi(words[2])
		if err != nil || a < b { // the suite's clock goes on a little between its steps, ours doesn't
			return fmt.Errorf("the field %s is %q, not more than %d", words[0], got, b)
		}
		return nil
	}
	if len(words) == 3 {
		got = map[bool]string{true: "x"}[got == h.Get(words[2])]
	}
	if got == "" {
		return fmt.Errorf("the field %s is not as %q", words[0], want)
	}
	return nil
}

// differs are the cases in which the cache does otherwise, and why. "check" cases only ask what a cache does: there is no right or wrong.
var differs = map[string]string{
	"age-parse-parameter":                           "a parameter behind Age: the number is not one, and is ignored as age-parse-nonnumeric wants",
	"age-parse-numeric-parameter":                   "a parameter behind Age: the number is not one, and is ignored as age-parse-nonnumeric wants",
	"freshness-max-age-two-stale-fresh-sameline":    "of two max-age the first counts (RFC 9111, 4.2.1)",
	"freshness-max-age-two-stale-fresh-sepline":     "of two max-age the first counts (RFC 9111, 4.2.1)",
	"freshness-max-age-decimal-zero":                "a max-age that is no number of seconds makes the response stale (4.2.1)",
	"freshness-max-age-decimal-five":                "a max-age that is no number of seconds makes the response stale (4.2.1)",
	"freshness-max-age-a100":                        "a max-age that is no number of seconds makes the response stale (4.2.1)",
	"freshness-max-age-100a":                        "a max-age that is no number of seconds makes the response stale (4.2.1)",
	"ccreq-no-store":                                "no-store of a request is about storing; what is stored already may be used (5.2.1.5)",
	"cdn-max-age-case-insensitive":                  "keys of structured fields are in small letters (RFC 9651, 3.1.2)",
	"conditional-etag-quoted-respond-unquoted":      "entity tags are compared as they are, quotation marks and all",
	"conditional-etag-unquoted-respond-quoted":      "entity tags are compared as they are, quotation marks and all",
	"conditional-etag-strong-generate-unquoted":     "entity tags are compared as they are, quotation marks and all",
	"conditional-etag-forward-unquoted":             "entity tags are compared as they are, quotation marks and all",
	"conditional-etag-vary-headers-mismatch":        "the tags of other variants aren't offered to the origin",
	"conditional-lm-fresh-no-lm":                    "without Last-Modified, If-Modified-Since is compared with Date, which is later here (4.3.2)",
	"heuristic-delta-5":                             "a tenth of the time since Last-Modified is less than the 3 s that the case waits",
	"heuristic-delta-10":                            "a tenth of the time since Last-Modified is less than the 3 s that the case waits",
	"heuristic-delta-30":                            "a tenth of the time since Last-Modified is less than the 3 s that the case waits",
	"method-POST":                                   "responses to POST aren't stored",
	"other-age-delay":                               "a response that comes from the origin gets no Age, which would say that it doesn't (5.1)",
	"partial-store-partial-reuse-partial":           "parts aren't stored",
	"partial-store-partial-reuse-partial-byterange": "parts aren't stored",
	"partial-store-partial-reuse-partial-absent":    "parts aren't stored",
	"partial-store-partial-reuse-partial-suffix":    "parts aren't stored",
	"partial-store-partial-complete":                "parts aren't stored",
	"pragma-request-no-cache":                       "Pragma: no-cache of a request without Cache-Control is obeyed (5.4)",
	"stale-close":                                   "a stale response covers a failure only where stale-if-error allows it",
	"stale-503":                                     "a stale response covers a failure only where stale-if-error allows it",
	"stale-warning-stored":                          "a stale response covers a failure only where stale-if-error allows it",
	"stale-warning-become":                          "a stale response covers a failure only where stale-if-error allows it",
	"304-etag-update-response-ETag":                 "a 304 with another strong tag is about another response (4.3.4), so the whole is asked for",
	"head-200-retain":                               "the answer to HEAD is passed on as it came",
	"head-410-update":                               "only 200 to HEAD says something about what is stored (4.3.5)",
	"vary-normalise-lang-order":                     "the meaning of Accept-Language isn't known",
	"vary-normalise-lang-case":                      "the meaning of Accept-Language isn't known",
	"vary-normalise-lang-select":                    "the meaning of Accept-Language isn't known",
}

func TestPublicSuite(t *testing.T) {
	files, err := filepath.Glob("testdata/conformance/*.txt")
	require.NoError(t, err)
	count, failed := map[string]int{}, map[string]bool{}
	for _, file := range files {
		for _, c := range readCases(t, file) {
			for _, shared := range []bool{true, false} {
				if shared && slices.Contains(c.flags, "private") || !shared && (slices.Contains(c.flags, "shared") || slices.Contains(c.flags, "targeted")) {
					continue
				}
				mode := map[bool]string{true: "shared", false: "private"}[shared]
				count[mode+" "+c.flags[0]]++
				b := &bench{c: c}
				if err := b.play(shared); err != nil {
					if _, known := differs[c.id]; !known {
						t.Errorf("%s (%s, %s, %s): %v", c.id, filepath.Base(file), mode, c.flags[0], err)
					}
					failed[c.id] = true
				}
				for _, s := range c.steps {
					s.sent, s.asked, s.validated = nil, nil, false
				}
			}
		}
	}
	for id := range differs {
		require.True(t, failed[id], "%s does as the suite says", id)
	}
	t.Log(count, len(failed))
}
