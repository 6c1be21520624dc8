package netlab_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/captures/analysis"
)

// tlsTypes are the numbers of handshake messages.
var tlsTypes = map[string]string{
	"ClientHello": "1", "ServerHello": "2", "HelloRetryRequest": "2", "NewSessionTicket": "4", "EncryptedExtensions": "8", "Certificate": "11",
	"ServerKeyExchange": "12", "CertificateRequest": "13", "ServerHelloDone": "14", "CertificateVerify": "15", "ClientKeyExchange": "16",
	"Finished": "20", "KeyUpdate": "24",
}

var http2Types = []string{"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"}

var opcodes = map[string]string{"continuation": "0", "text": "1", "binary": "2", "close": "8", "ping": "9", "pong": "10"}

// addApplications adds what the analysis counts of what applications say, by the fields and values of Wireshark.
func (c counts) addApplications(t testing.TB, a *analysis.Analysis) {
	t.Helper()
	c["dns.flags.response 0"], c["dns.flags.response 1"] = a.DNS.Queries, a.DNS.Responses
	c["http.request 1"], c["http.response 1"] = a.HTTP.Requests, a.HTTP.Responses
	c["http2.headers.method"], c["http2.headers.status"] = a.HTTP.Requests2, a.HTTP.Responses2
	c["TLS streams"] = a.TLS.Sessions
	for name, n := range a.TLS.Messages {
		require.Contains(t, tlsTypes, name)
		c["tls.handshake.type "+tlsTypes[name]] += n
	}
	for name, n := range a.HTTP.Frames2 {
		require.Contains(t, http2Types, name)
		c["http2.type "+strconv.Itoa(slices.Index(http2Types, name))] += n
	}
	for _, side := range []map[string]int{a.WebSocket.FromClient, a.WebSocket.FromServer} {
		for name, n := range side {
			require.Contains(t, opcodes, name)
			c["websocket.opcode "+opcodes[name]] += n
		}
	}
}

// addApplications adds what tshark counts of them: occurrences, of which a frame may have several.
func (r *tsharkReading) addApplications(c counts) {
	sessions := map[string]bool{}
	for _, f := range r.frames {
		for _, field := range applicationFields {
			if f[field] == "" {
				continue
			}
			for value := range strings.SplitSeq(f[field], ",") {
				switch {
				case strings.HasPrefix(field, "http2.headers"):
					c[field]++
					continue
				case field == "tls.handshake.type" && (value == "1" || value == "2"):
					sessions[f["tcp.stream"]] = true
				}
				c[field+" "+value]++
			}
		}
	}
	c["TLS streams"] = len(sessions)
}

// places are the protocols whose places in the hierarchy are compared. Wireshark finds more: what the payload of unknown applications may be,
// and below ICMP what it quotes.
var places = []string{"eth", "null", "ip", "ipv6", "arp", "icmp", "icmpv6", "tcp", "udp", "dns"}

func (c counts) addPlace(path string, frames, bytes int) {
	names := strings.Split(path, "/")
	for i, name := range names {
		if !slices.Contains(places, name) || i > 0 && strings.HasPrefix(names[i-1], "icmp") {
			return
		}
	}
	c[path+" frames"] += frames
	c[path+" bytes"] += bytes
}

// addHierarchy adds what the analysis counts at each place.
func (c counts) addHierarchy(above string, list []*analysis.Protocol) {
	for _, p := range list {
		c.addPlace(above+p.Name, p.Frames, int(p.Bytes))
		c.addHierarchy(above+p.Name+"/", p.Children)
	}
}

// addHierarchy adds what tshark counts at each place. It has every tree below "frame", and those with a comment once more below
// "pkt_comment": together they are all.
func (r *tsharkReading) addHierarchy(c counts) {
	for path, n := range r.hierarchy {
		c.addPlace(strings.TrimPrefix(strings.TrimPrefix(path, "pkt_comment/"), "frame/"), n[0], n[1])
	}
}
