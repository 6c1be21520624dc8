package cdn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Why a signed URL is refused.
var (
	ErrUnsigned  = errors.New("the URL is not signed")
	ErrSignature = errors.New("the signature is wrong")
	ErrExpired   = errors.New("the URL has expired")
)

// The parameters of the query of a signed URL.
const (
	expiresField   = "expires="
	signatureField = "signature="
)

// Sign signs the path of a URL, with its query if it has one, so that it is good until a time, to whole seconds. It adds the parameters
// expires, in Unix seconds, and signature: HMAC-SHA256 (RFC 2104, FIPS 180-4) in hexadecimal over all that is in front of
// "&signature=", from the first slash of the path on.
func Sign(key, target string, until time.Time) string {
	mark := "?"
	if strings.Contains(target, "?") {
		mark = "&"
	}
	target += mark + expiresField + strconv.FormatInt(until.Unix(), 10)
	return target + "&" + signatureField + hex.EncodeToString(digest(key, target))
}

func digest(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Verify checks a signed path with its query and returns the query without what [Sign] added. The signature has to be the last
// parameter. The error is [ErrUnsigned], [ErrSignature] or, if now is not before the end, [ErrExpired]. How long it takes to compare
// does not depend on the signature.
func Verify(key, target string, now time.Time) (query string, err error) {
	path, all, _ := strings.Cut(target, "?")
	before, text, found := cutLast(all)
	if !found {
		return "", ErrUnsigned
	}
	signature, err := hex.DecodeString(text)
	if err != nil || text != strings.ToLower(text) || !hmac.Equal(signature, digest(key, path+"?"+before)) {
		return "", ErrSignature
	}
	var rest []string
	until := int64(-1)
	for _, p := range strings.Split(before, "&") {
		value, is := strings.CutPrefix(p, expiresField)
		if !is {
			rest = append(rest, p)
			continue
		}
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil || until >= 0 {
			return "", ErrSignature // no end, or more than one: whoever has the key doesn't sign such a thing
		}
		until = int64(n)
	}
	switch {
	case until < 0:
		return "", ErrSignature
	case now.Unix() >= until:
		return "", ErrExpired
	}
	return strings.Join(rest, "&"), nil
}

// cutLast divides a query in front of its last parameter if that is the signature.
func cutLast(query string) (before, signature string, found bool) {
	i := strings.LastIndexByte(query, '&')
	if i < 0 {
		return "", "", strings.HasPrefix(query, signatureField)
	}
	signature, found = strings.CutPrefix(query[i+1:], signatureField)
	return query[:i], signature, found
}
