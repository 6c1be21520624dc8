package topology

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"netlab/services"
)

var (
	nodeType      = reflect.TypeFor[Node]()
	targetType    = reflect.TypeFor[services.Target]()
	patternType   = reflect.TypeFor[services.TargetPattern]()
	urlType       = reflect.TypeFor[services.URL]()
	proxyURLType  = reflect.TypeFor[services.ProxyURL]()
	hostNameType  = reflect.TypeFor[services.HostName]()
	listenTCPType = reflect.TypeFor[services.ListenTCP]()
	listenUDPType = reflect.TypeFor[services.ListenUDP]()
	listenAnyType = reflect.TypeFor[services.ListenBoth]()
	nodesListType = reflect.TypeFor[services.Nodes]()
)

// checkConfig checks the configuration of a service or a workload: the special types of its fields, and then what its
// own Validate says.
func (c *checker) checkConfig(at place, typ string, config services.Config) {
	if config == nil {
		if c.root.v == nil {
			c.addf(at, "%s has no configuration", quote(typ))
		}
		return
	}
	wrong := map[string]bool{}
	eachString(at, config, func(at place, v reflect.Value) {
		if v.String() == "" && !at.given() {
			return
		}
		var message string
		switch v.Type() {
		case targetType, urlType, proxyURLType:
			_, message = c.named(v)
		case patternType:
			_, message = c.targets(services.TargetPattern(v.String()))
		case hostNameType:
			message = c.hostName(v.String())
		case listenTCPType, listenUDPType, listenAnyType:
			_, message = parseListen(v.String())
		}
		if message != "" {
			wrong[at.path()] = true
			c.addf(at, "%s", message)
		}
	})
	c.checkNodePatterns(at, config)
	eachZero(at, config, func(at place, v reflect.Value) {
		wrong[at.path()] = true
		c.addf(at, "found %v, wanted more than %[1]v; without the field its default holds", v)
	})
	err := config.Validate()
	if shared, ok := config.(services.Shared); ok && err == nil && len(c.from) > 0 {
		err = shared.ValidateFrom(len(c.from))
	}
	if placed, ok := c.expanded(config).(services.Placed); ok && err == nil && c.nodesKnown {
		err = placed.ValidateLocations(c.locations())
	}
	for _, err := range flatten(err) {
		at := at
		message := err.Error()
		var field *services.FieldError
		if errors.As(err, &field) {
			for _, name := range field.Path {
				at = at.field(name)
			}
			if field.Path == nil {
				at = at.descend(field.Field)
			}
			message = field.Problem
		}
		if !wrong[at.path()] {
			c.addf(at, "%s", message)
		}
	}
}

// flatten takes joined errors apart.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, flatten(e)...)
	}
	return out
}

// eachString visits the strings in a configuration, also those in lists.
func eachString(at place, config services.Config, visit func(at place, v reflect.Value)) {
	walk(at, reflect.ValueOf(config), func(at place, v reflect.Value, _ structField) bool {
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		switch {
		case v.Kind() == reflect.String:
			visit(at, v)
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
			for i := range v.Len() {
				visit(at.item(i), v.Index(i))
			}
		}
		return true
	})
}

// zeroText is how the file writes zero, with or without a unit.
var zeroText = regexp.MustCompile(`^[-+]?0*\.?0*([^0-9.]|$)`)

// eachZero visits the fields that the file says are zero although zero stands for a default, which it can't mean. The text is looked at,
// too, because lists of an expanded configuration aren't those of the file.
func eachZero(at place, config services.Config, visit func(at place, v reflect.Value)) {
	walk(at, reflect.ValueOf(config), func(at place, v reflect.Value, f structField) bool {
		if f.nonzero && v.IsZero() && at.given() && zeroText.MatchString(at.v.text) {
			visit(at, v)
		}
		return true
	})
}

// target is what a client talks to: a node, or an address when node is negative.
type target struct {
	node    int
	address netip.Addr
}

// target finds the node or the address that a target names; message says why there is none.
func (c *checker) target(text string) (t target, message string) {
	host, port := text, ""
	if addr, err := netip.ParseAddr(text); err == nil {
		return target{-1, addr}, ""
	}
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, port = text[:i], text[i+1:]
		if message := checkPort(port); message != "" {
			return t, message
		}
	}
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		if addr.Is6() != strings.HasPrefix(host, "[") {
			return t, fmt.Sprintf("%s is no address and port: IPv6 addresses, and only these, stand in brackets", quote(text))
		}
		return target{-1, addr}, ""
	}
	switch {
	case !c.nodesKnown:
		return target{-1, netip.Addr{}}, ""
	case host == "":
		return t, fmt.Sprintf("%s names no host, wanted one such as \"server:5001\"", quote(text))
	}
	return c.lookup(host)
}

// targets finds what a target stands for whose host may be a pattern of nodes.
func (c *checker) targets(t services.TargetPattern) (list []target, message string) {
	if !t.IsPattern() {
		one, message := c.target(string(t))
		return []target{one}, message
	}
	if strings.Contains(string(t), ":") {
		if message := checkPort(t.Port()); message != "" {
			return nil, message
		}
	}
	if !c.nodesKnown {
		return nil, ""
	}
	found, err := c.lab.nodes.Match(t.Host())
	if err != nil {
		return nil, err.Error()
	}
	for _, n := range found {
		if c.lab.kind(n) != Switch {
			list = append(list, target{node: n})
		}
	}
	if list == nil {
		return nil, fmt.Sprintf("%s is a switch, which has no address: want a host or a router", c.lab.name(found[0]))
	}
	return list, ""
}

// named finds what a services.Target, a services.URL or a services.ProxyURL names.
func (c *checker) named(v reflect.Value) (t target, message string) {
	if v.Type() == proxyURLType {
		u := services.ProxyURL(v.String())
		if _, err := u.Parse(); err != nil {
			return t, err.Error()
		}
		return c.target(u.Host())
	}
	if v.Type() != urlType {
		return c.target(v.String())
	}
	u := services.URL(v.String())
	if _, err := u.ParseAny(); err != nil {
		return t, err.Error()
	}
	return c.target(u.Host())
}

// checkPort returns what is wrong with a port, or "".
func checkPort(text string) string {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || text[0] == '+' || text[0] == '0' {
		return fmt.Sprintf("%s is not a port: want 1 to 65535", quote(text))
	}
	return ""
}

// parseListen reads ":port".
func parseListen(text string) (port, message string) {
	port, ok := strings.CutPrefix(text, ":")
	if !ok {
		if checkPort(text) == "" {
			return "", fmt.Sprintf("%s is not a place to listen; did you mean %q?", quote(text), ":"+text)
		}
		return "", fmt.Sprintf("%s is not a place to listen: want a colon and a port, such as \":80\"", quote(text))
	}
	return port, checkPort(port)
}

// listener is a port that a service listens on.
type listener struct {
	protocol services.Protocol
	port     string
}

func (l listener) String() string { return string(l.protocol) + " port " + l.port }

// listenersOf returns what a field of a configuration listens on.
func listenersOf(v reflect.Value) []listener {
	var protocols []services.Protocol
	switch v.Type() {
	case listenTCPType:
		protocols = []services.Protocol{services.TCP}
	case listenUDPType:
		protocols = []services.Protocol{services.UDP}
	case listenAnyType:
		protocols = []services.Protocol{services.TCP, services.UDP}
	default:
		return nil
	}
	port, message := parseListen(v.String())
	if message != "" {
		return nil
	}
	list := make([]listener, len(protocols))
	for i, p := range protocols {
		list[i] = listener{p, port}
	}
	return list
}

// checkListeners reports services of one host that listen on the same port. taken collects who listens where.
func (c *checker) checkListeners(at place, service string, config services.Config, taken map[string]string) {
	if config == nil {
		return
	}
	eachString(at, config, func(at place, v reflect.Value) {
		for _, l := range listenersOf(v) {
			key := l.String()
			if other, ok := taken[key]; ok {
				c.addf(at, "%s is already taken by service %s of this host", key, other)
				return
			}
			taken[key] = service
		}
	})
}

// hostName returns what is wrong with a name that has to be one of the lab's, or "".
func (c *checker) hostName(text string) string {
	if _, err := netip.ParseAddr(text); err == nil {
		return fmt.Sprintf("%s is an address, wanted the name of a node", quote(text))
	}
	if c.nodesKnown && c.zoneOf(text) != nil {
		return ""
	}
	_, message := c.target(text)
	return message
}
