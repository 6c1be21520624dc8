package topology

import (
	"encoding"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"netlab/services"
	"netlab/units"
)

// wants says what a value of a type looks like.
var wants = map[reflect.Type]string{
	reflect.TypeFor[units.Duration]():     `a duration such as "50ms"`,
	reflect.TypeFor[units.Bytes]():        `a size such as "64KiB"`,
	reflect.TypeFor[units.BitRate]():      `a bit rate such as "10Mbit/s"`,
	reflect.TypeFor[units.Probability]():  `a probability such as "1%"`,
	reflect.TypeFor[units.Rate]():         `a rate such as "50/s"`,
	reflect.TypeFor[units.LinkRate]():     `a bit rate such as "10Mbit/s"`,
	reflect.TypeFor[units.Loss]():         `a loss such as "1%" or "burst(1%, 5)"`,
	reflect.TypeFor[units.Offset]():       `an offset such as "5s" or "-200ms"`,
	reflect.TypeFor[units.Drift]():        `a drift such as "100ppm"`,
	reflect.TypeFor[units.DSCP]():         `a code point such as "ef"`,
	reflect.TypeFor[Queue]():              `a limit such as "64KiB", a discipline such as "codel", or an object`,
	reflect.TypeFor[Reorder]():            `a share such as "1%" or an object`,
	reflect.TypeFor[Corrupt]():            `a share such as "1%" or an object`,
	reflect.TypeFor[Truncate]():           `a share such as "1%" or an object`,
	reflect.TypeFor[Routing]():            `"static", "dynamic" or an object`,
	reflect.TypeFor[Telemetry]():          `true, false, "on", "off" or an object`,
	reflect.TypeFor[RuleAction]():         `"accept", "drop" or "reject"`,
	portRangeType:                         `a port such as 80 or a range of ports such as "8000-8100"`,
	reflect.TypeFor[FirewallRule]():       `a rule such as "accept tcp to server port 443" or an object`,
	reflect.TypeFor[PortForward]():        `a port map such as "tcp 8080 to web:80" or an object`,
	reflect.TypeFor[units.QueueLimit]():   `a queue limit such as "64KiB" or "100 packets"`,
	reflect.TypeFor[units.Distribution](): `a duration such as "20ms" or a distribution such as "normal(20ms, 3ms)"`,
	reflect.TypeFor[services.Location]():  `a region such as "eu-west" or degrees such as "52.5,13.4"`,
	reflect.TypeFor[netip.Prefix]():       `a network such as "192.0.2.0/24"`,
	reflect.TypeFor[netip.Addr]():         `an address such as "192.0.2.1"`,
	reflect.TypeFor[services.Target]():    `a host and port such as "server:5001"`,
	reflect.TypeFor[services.URL]():       `a URL such as "http://server/path"`,
	reflect.TypeFor[services.ProxyURL]():  `the URL of a proxy such as "http://proxy:3128"`,
	reflect.TypeFor[services.HostName]():  `a name such as "server"`,
	reflect.TypeFor[services.ListenTCP](): `a port such as ":80"`,
	reflect.TypeFor[services.ListenUDP](): `a port such as ":53"`,
	listenAnyType:                         `a port such as ":53"`,
	nodesListType:                         `a name, a pattern such as "web[*]", or a list of them`,
	reflect.TypeFor[DNS]():                `the name of a node with a dns-server, a list of them, or an object`,
	reflect.TypeFor[Link]():               `"a - b" or an object`,
	reflect.TypeFor[Patterns]():           `a name, a pattern such as "web[*]", or a list of them`,
}

// want describes what a type looks like in the file.
func want(t reflect.Type) string {
	if text, ok := wants[t]; ok {
		return text
	}
	switch t.Kind() {
	case reflect.Pointer:
		return want(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		lo, hi := bounds(t)
		return fmt.Sprintf("a whole number from %s to %s", lo, hi)
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		if t.Kind() != reflect.Struct || !reflect.PointerTo(t).Implements(textUnmarshaler) {
			return "an object"
		}
	}
	return "a string"
}

// bounds returns the smallest and the largest value of an integer type.
func bounds(t reflect.Type) (lo, hi string) {
	bits := t.Bits()
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		return "0", strconv.FormatUint(^uint64(0)>>(64-bits), 10)
	}
	most := int64(^uint64(0) >> (65 - bits))
	return strconv.FormatInt(-most-1, 10), strconv.FormatInt(most, 10)
}

// unitless are the types of values that a number may stand for as well: every other one has a unit.
var unitless = []reflect.Type{reflect.TypeFor[units.Probability](), reflect.TypeFor[units.Loss](), reflect.TypeFor[units.DSCP](), portRangeType}

// text decodes a value that reads itself from text. A number is handed over as it is written.
func (d *decoder) text(at place, t reflect.Type, target encoding.TextUnmarshaler) {
	number := at.v.kind == numberKind && slices.Contains(unitless, t)
	if at.v.kind != stringKind && !number {
		d.wrong(at, want(t))
		return
	}
	if err := target.UnmarshalText([]byte(at.v.text)); err != nil {
		if t == reflect.TypeFor[netip.Prefix]() || t == reflect.TypeFor[netip.Addr]() {
			d.wrong(at, want(t))
			return
		}
		d.unreadable(at, err)
		return
	}
	d.address(at, target)
}

// shortText decodes a text that stands for an object.
func (d *decoder) shortText(at place, target textShorthand) {
	if err := target.setText(at.v.text); err != nil {
		d.unreadable(at, err)
	}
}

// unreadable reports why a text can't be read.
func (d *decoder) unreadable(at place, err error) {
	var parse *units.ParseError
	if errors.As(err, &parse) {
		err = parse // without what was said around it
	}
	d.problems.taintf(at, "%s", err)
}

// address refuses what netip reads and a file shouldn't say: nothing at all and zones.
func (d *decoder) address(at place, target any) {
	switch a := target.(type) {
	case *netip.Addr:
		if !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			d.wrong(at, want(reflect.TypeOf(*a)))
		}
	case *netip.Prefix:
		if !a.IsValid() || a.Addr().Is4In6() {
			d.wrong(at, want(reflect.TypeOf(*a)))
		}
	}
}

// scalar decodes strings, booleans and numbers.
func (d *decoder) scalar(at place, target reflect.Value) {
	t := target.Type()
	switch kind := target.Kind(); {
	case kind == reflect.String:
		if d.is(at, stringKind, t) {
			target.SetString(at.v.text)
		}
	case kind == reflect.Bool:
		if at.v.kind != trueKind && at.v.kind != falseKind {
			d.wrong(at, want(t))
			return
		}
		target.SetBool(at.v.kind == trueKind)
	case target.CanInt():
		n, err := strconv.ParseInt(at.v.text, 10, t.Bits())
		if at.v.kind != numberKind || err != nil {
			d.wrong(at, want(t))
			return
		}
		target.SetInt(n)
	case target.CanUint():
		n, err := strconv.ParseUint(at.v.text, 10, t.Bits())
		if at.v.kind != numberKind || err != nil {
			d.wrong(at, want(t))
			return
		}
		target.SetUint(n)
	case target.CanFloat():
		n, err := strconv.ParseFloat(at.v.text, t.Bits())
		if at.v.kind != numberKind || err != nil {
			d.wrong(at, want(t))
			return
		}
		target.SetFloat(n)
	default:
		panic(fmt.Sprintf("topology: a field of type %s can't be decoded", t))
	}
}

// setString makes a link of its short form.
func (l *Link) setString(s string) { *l = Link{Between: s} }

// setString makes a list of one pattern.
func (p *Patterns) setString(s string) { *p = Patterns{s} }

// setString names the only server.
func (d *DNS) setString(s string) { *d = DNS{Servers: Patterns{s}} }

// list is the servers.
func (d *DNS) list() any { return &d.Servers }

// checkEnum returns what is wrong with a value of which there are only some, or "".
func checkEnum(field, found string, enum []string) string {
	for _, e := range enum {
		if found == e {
			return ""
		}
	}
	if reason := refused[field+"="+found]; reason != "" {
		return reason
	}
	if len(enum) == 1 {
		return fmt.Sprintf("found %s, wanted %q", quote(found), enum[0])
	}
	return fmt.Sprintf("%s is not one of %s%s", quote(found), strings.Join(enum, ", "), didYouMean(found, enum))
}

// refused explains values that one could well expect.
var refused = map[string]string{
	"congestion_control=reno": `"reno" is refused: the stack's Reno grows by one segment for each ACK and so sends 5 to 24 ` +
		`times what Mathis's formula allows; use "cubic"`,
}
