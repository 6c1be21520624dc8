package vrrp_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// What is wrong with addresses is said where it is.
func TestAddressErrors(t *testing.T) {
	for address, want := range map[string]string{
		`"vip": {}`:                                                      `want "segment", the switch in whose network it lies, or "anycast"`,
		`"vip": {"segment": "lb1"}`:                                      "lb1 is a host, wanted a switch",
		`"vip": {"segment": "swx"}`:                                      `no node is called "swx"`,
		`"vip": {"segment": "sw", "host": "user"}`:                       "user is not in the segment of sw",
		`"vip": {"segment": "sw", "host": "lb1"}`:                        "vip is an address of lb1 for good",
		`"vip": {"anycast": "lb1"}`:                                      "vip is an anycast address, which doesn't move",
		`"vop": {"segment": "sw"}`:                                       `did you mean "vop"?`,
		`"vip": {"segment": "sw"}, "lb1": {"segment": "sw"}`:             "lb1 is the name of a node",
		`"vip": {"segment": "sw", "addresses": ["192.0.2.1"]}`:           "192.0.2.1 is no host's address in",
		`"vip": {"segment": "sw"}, "w": {"anycast": "lb1", "host": "a"}`: "this is an anycast address",
	} {
		file := strings.Replace(pair("", "", `"faults": []`), `"vip": {"segment": "sw"}`, address, 1)
		_, err := netlab.Parse("pair.json", []byte(file), nil)
		require.ErrorContains(t, err, want, address)
	}
}

func TestConfigErrors(t *testing.T) {
	for fields, want := range map[string]string{
		`, "priority": 0`:                               "wanted 1 to 254",
		`, "vrid": 256`:                                 "wanted 1 to 255",
		`, "advertisement_interval": "15ms"`:            "in steps of 10ms",
		`, "advertisement_interval": "41s"`:             "10ms to 40.95s",
		`, "preempt": false, "preempt_delay": "1s"`:     `goes with "preempt": true`,
		`, "track": {"to": "lb1:80", "fall": 0}`:        "track.fall: found 0, wanted more than 0; without the field its default holds",
		`, "track": {"to": "lb1:80", "rise": 0}`:        "track.rise: found 0, wanted more than 0",
		`, "track": {"to": "lb1:80", "interval": "0s"}`: "track.interval: found 0s, wanted more than 0s",
		`, "track": {"to": "lb1:80", "timeout": "0s"}`:  "track.timeout: found 0s, wanted more than 0s",
		`, "track": {"to": "lb1:80", "decrement": 0}`:   "track.decrement: found 0, wanted more than 0",
		`, "track": {"to": "lb1:0"}`:                    `"0" is not a port: want 1 to 65535`,
		`, "track": {"to": ""}`:                         "names no host",
		`, "track": {"to": "lb1:80", "fall": -1}`:       "wanted 1 or more",
		`, "track": {"to": "lb1:80", "decrement": 100}`: "less than the priority",
		`, "track": {"to": "lb1:80", "timeout": "2s"}`:  "at most the interval",
		`, "priority": 255, "track": {"to": "lb1:80"}`:  "the owner of the address",
	} {
		_, err := netlab.Parse("pair.json", []byte(pair(fields, "", `"faults": []`)), nil)
		require.ErrorContains(t, err, want, fields)
	}
}

// A server that has the address and keeps silent is not found by it, nor does it say that it has it when it answers from it.
func TestSilentAddress(t *testing.T) {
	dir := play(t, `{
		"duration": "5s",
		"nodes": {
			"user": {}, "r1": {"kind": "router"}, "sw": {"kind": "switch"},
			"lb1": {"services": {"web": {"type": "tcp-echo"}}}, "lb2": {"services": {"web": {"type": "tcp-echo"}}}
		},
		"addresses": {"vip": {"segment": "sw", "host": "lb1", "silent": "lb2"}},
		"links": ["user - r1", "r1 - sw", "lb[*] - sw"], "captures": {"nodes": ["r1", "lb1", "lb2"]},
		"workloads": {"talk": {"type": "echo", "from": "user", "to": "vip", "count": 3}}
	}`, "talk.intact", "nodes.lb2.tcp.segments_received == 0")
	require.Equal(t, []string{""}, tshark(t, dir, "lb2", "arp && frame.p2p_dir == 0", "arp.src.proto_ipv4"))
}

// An anycast address is withdrawn when its host crashes, and clients get to the next one.
func TestAnycastFailover(t *testing.T) {
	labs, err := netlab.Parse("anycast.json", []byte(`{
		"duration": "20s",
		"nodes": {
			"user": {}, "r0": {"kind": "router"}, "r1": {"kind": "router"}, "r2": {"kind": "router"},
			"near": {}, "far": {}
		},
		"addresses": {"www": {"anycast": ["near", "far"]}},
		"links": ["user - r0", {"between": "r0 - r1", "latency": "5ms"}, {"between": "r0 - r2", "latency": "20ms"}, "r1 - near", "r2 - far"],
		"routing": "dynamic", "captures": {"nodes": []},
		"workloads": {"talk": {"type": "ping", "from": "user", "to": "www", "count": 18, "timeout": "500ms", "start": "0.5s"}},
		"faults": [{"at": "5s", "for": "5s", "crash": "near"}],
		"expect": ["talk.lost == 1", "talk.rtt.min == 10ms", "talk.rtt.max == 40ms",
			"nodes.near.ip.received == 12", "nodes.far.ip.received == 5"]
	}`), nil)
	require.NoError(t, err)
	r, err := labs[0].Run(context.Background(), nil, nil)
	require.NoError(t, err)
	for _, e := range r.Expect {
		require.True(t, e.Holds, "%v", e)
	}
}
