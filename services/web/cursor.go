package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// tokenPrefix is what a page token says before it is encoded, so that clients can't take it for a number to count with.
const tokenPrefix = "after="

// pageToken returns the token of the page that begins after so many items.
func pageToken(after int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenPrefix + strconv.Itoa(after)))
}

// readToken is the reverse. Tokens that [pageToken] doesn't make for a collection of n items are errors.
func readToken(token string, n int) (after int, err error) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(token)
	number, ok := strings.CutPrefix(string(text), tokenPrefix)
	if err != nil || !ok {
		return 0, errors.New("page_token is not one that this server gave")
	}
	if after, err = readNumber("page_token", number, 0, n); err != nil {
		return 0, errors.New("page_token is not one that this server gave")
	}
	return after, nil
}

// readNumber reads a number from min to max as it is usually written.
func readNumber(name, text string, min, max int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < min || n > max || strconv.Itoa(n) != text {
		return 0, fmt.Errorf("%s is %q, wanted a number from %d to %d", name, text, min, max)
	}
	return n, nil
}

// window is the part of a collection that a client asks for.
type window struct{ offset, limit int }

// readWindow reads the query of a request for a page of a collection of n items. usual is the limit if it says none, most the
// greatest.
func readWindow(query string, n, usual, most int) (window, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return window{}, errors.New("the query makes no sense")
	}
	one := func(name string) (text string, given bool, err error) {
		list, given := values[name]
		if len(list) > 1 {
			return "", true, fmt.Errorf("%s is given more than once", name)
		}
		return values.Get(name), given, nil
	}
	w := window{limit: usual}
	limit, limited, err := one("limit")
	if err != nil {
		return window{}, err
	}
	offset, offsetGiven, err := one("offset")
	if err != nil {
		return window{}, err
	}
	token, tokenGiven, err := one("page_token")
	if err != nil {
		return window{}, err
	}
	if limited {
		if w.limit, err = readNumber("limit", limit, 1, most); err != nil {
			return window{}, err
		}
	}
	switch {
	case offsetGiven && tokenGiven:
		return window{}, errors.New("found offset and page_token, wanted one of them")
	case offsetGiven:
		w.offset, err = readNumber("offset", offset, 0, 1<<31-1)
	case tokenGiven:
		w.offset, err = readToken(token, n)
	}
	if err != nil {
		return window{}, err
	}
	return w, nil
}
