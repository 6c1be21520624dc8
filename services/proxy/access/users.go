package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"slices"
	"strings"

	"netlab/services"
)

// Users are those who may use a proxy, and their passwords. None means that everybody may.
type Users map[string]string

// maxUser is how long a name or a password may be (RFC 1929, section 2).
const maxUser = 255

// Validate returns errors about the field.
func (u Users) Validate(field string) error {
	var list []error
	for _, name := range slices.Sorted(maps.Keys(u)) {
		wrong := func(format string, args ...any) {
			list = append(list, services.FieldPathf([]string{field, name}, format, args...))
		}
		switch {
		case name == "" || len(name) > maxUser:
			wrong("%q is not the name of a user: want 1 to %d bytes", name, maxUser)
		case strings.ContainsFunc(name+u[name], func(r rune) bool { return r < ' ' || r == 0x7f }):
			wrong("found a control character, which names and passwords can't have")
		case strings.Contains(name, ":"):
			wrong("%q has a colon, behind which the password would begin (RFC 7617, section 2)", name)
		case u[name] == "" || len(u[name]) > maxUser:
			wrong("found a password of %d bytes, wanted 1 to %d", len(u[name]), maxUser)
		}
	}
	return errors.Join(list...)
}

// Known says whether a user has a password. It takes as long whichever part of it is wrong.
func (u Users) Known(name, password string) bool {
	want, found := u[name]
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && found
}
