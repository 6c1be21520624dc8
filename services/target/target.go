// Package target reads what a client is told to talk to: "server", "server:5001", "192.0.2.1:80", "[2001:db8::1]:80".
package target

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"netlab/ip"
	"netlab/services"
)

// Split takes a target apart. port is 0 when there is none. An IPv6 address with a port stands in brackets, one without
// stands alone.
func Split(t services.Target) (host string, port uint16, err error) {
	text := string(t)
	if _, err := netip.ParseAddr(text); err == nil {
		return text, 0, nil
	}
	host = text
	if strings.Contains(text, ":") {
		var p string
		if host, p, err = net.SplitHostPort(text); err != nil {
			return "", 0, fmt.Errorf("%q is not a host and port: want one such as \"server:5001\"", text)
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%q is not a port: want 1 to 65535", p)
		}
		port = uint16(n)
	}
	if host == "" {
		return "", 0, fmt.Errorf("%q names no host: want one such as \"server\" or \"server:5001\"", text)
	}
	return host, port, nil
}

// CheckPort returns an error about a configuration field when its target makes no sense. It may leave out its port.
func CheckPort(field string, t services.Target) error {
	if t == "" {
		return services.Fieldf(field, "missing: want a host, with a port or without, such as \"server\"")
	}
	if _, _, err := Split(t); err != nil {
		return services.Fieldf(field, "%s", err)
	}
	return nil
}

// CheckHost is [CheckPort] for a target that can't have a port.
func CheckHost(field string, t services.Target) error {
	if t == "" {
		return services.Fieldf(field, "missing: want a host such as \"server\"")
	}
	host, port, err := Split(t)
	if err != nil {
		return services.Fieldf(field, "%s", err)
	}
	if port != 0 {
		return services.Fieldf(field, "%q has a port, which means nothing here; did you mean %q?", t, host)
	}
	return nil
}

// Address returns a target as "host:port" for Dial, with a default port for one that has none.
func Address(t services.Target, port uint16) (string, error) {
	host, p, err := Split(t)
	if err != nil {
		return "", err
	}
	if p == 0 {
		p = port
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p))), nil
}

// Call returns the port that a client talks to whose field holds a target, with a default port for one that has none.
func Call(field string, t services.Target, protocol services.Protocol, port uint16) services.Call {
	host, p, err := Split(t)
	if err == nil && p != 0 {
		port = p
	}
	return services.Call{Field: field, Host: host, Protocol: protocol, Port: port}
}

// Resolve returns the address that a host would try first. version is "ipv4", "ipv6" or "" for what the host prefers.
func Resolve(ctx context.Context, h *ip.Host, t services.Target, version string) (netip.Addr, error) {
	host, _, err := Split(t)
	if err != nil {
		return netip.Addr{}, err
	}
	addrs, err := h.Resolve(ctx, host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range addrs {
		if version == "" || a.Is6() == (version == "ipv6") {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no %s address that %s could reach", host, versions[version], h.Name())
}

var versions = map[string]string{"ipv4": "IPv4", "ipv6": "IPv6"}

// CheckVersion returns an error about a configuration field that is neither empty nor "ipv4" nor "ipv6".
func CheckVersion(field, version string) error {
	if version == "" || versions[version] != "" {
		return nil
	}
	return services.Fieldf(field, "%q is not one of ipv4, ipv6", version)
}
