package netlab_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// Networks that name an IP version use that version, whatever the host prefers.
func TestNetworksWithAnIPVersion(t *testing.T) {
	playText(t, `{"nodes": {"a": {}, "b": {}, "old": {"ip": "ipv4"}}, "links": ["a - b", "a - old"]}`, func(run *netlab.Run) error {
		a, b := run.Host("a"), run.Host("b")
		l, err := b.Listen("tcp", ":80")
		if err != nil {
			return err
		}
		defer l.Close()
		p, err := b.ListenPacket("udp6", ":80")
		if err != nil {
			return err
		}
		defer p.Close()
		for network, v4 := range map[string]bool{"tcp4": true, "tcp6": false, "udp4": true, "udp6": false, "tcp": true} {
			c, err := a.Dial(network, "b:80")
			if err != nil {
				return err
			}
			host, _, err := net.SplitHostPort(c.RemoteAddr().String())
			if err != nil || (net.ParseIP(host).To4() != nil) != v4 {
				return fmt.Errorf("%s dials %s: %v", network, host, err)
			}
			c.Close()
		}
		_, err = a.Dial("tcp6", "old:80")
		var addr *net.AddrError
		if !errors.As(err, &addr) {
			return fmt.Errorf("tcp6 to a host without IPv6: %v", err)
		}
		only, err := a.Listen("tcp6", ":81")
		if err != nil {
			return err
		}
		defer only.Close()
		if _, err := b.Dial("tcp4", "a:81"); err == nil {
			return fmt.Errorf("tcp4 reaches a listener on tcp6")
		}
		_, err = a.Dial("sctp", "b:80")
		var unknown net.UnknownNetworkError
		if !errors.As(err, &unknown) {
			return fmt.Errorf("an unknown network: %v", err)
		}
		return nil
	})
}

// A datagram that is too big for a link on the way arrives in fragments, which a router makes.
func TestBigDatagramsAreFragmentedOnTheWay(t *testing.T) {
	sent := bytes.Repeat([]byte("0123456789"), 140)
	res := playText(t, `{"nodes": {"a": {}, "r": {"kind": "router"}, "b": {}}, "links": ["a - r", {"between": "r - b", "mtu": "1280B"}]}`,
		func(run *netlab.Run) error {
			p, err := run.Host("b").ListenPacket("udp", ":9")
			if err != nil {
				return err
			}
			defer p.Close()
			c, err := run.Host("a").Dial("udp4", "b:9")
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write(sent); err != nil {
				return err
			}
			got := make([]byte, 2000)
			n, _, err := p.ReadFrom(got)
			if err != nil || !bytes.Equal(got[:n], sent) {
				return fmt.Errorf("got %d bytes, %v", n, err)
			}
			return nil
		})
	r, _ := res.Nodes.Get("r")
	require.EqualValues(t, 1, r.IP.Fragmented)
}
