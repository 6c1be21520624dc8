package netlab_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// A web server with a name server beside it, and a client that fetches a page each second and looks a name up each second.
const webLab = `{
	"duration": "20s",
	"defaults": { "ip": "FAMILY", "link": { "latency": "5ms" } },
	"nodes": {
		"client": { "dns": { "servers": "ns", "cache": false, "timeout": "1s", "attempts": 1 } },
		"ns": { "dns": [], "services": { "names": { "type": "dns-server", "records": { "www": { "nodes": "server" } } } } },
		"server": { "disk": { "sync": "1ms" }, "services": {
			"web":   { "type": "http-server", "listen": ":443", "tls": true },
			"files": { "type": "http-server", "listen": ":80", "cores": 1, "service_time": "10ms", "handlers": { "/f/": { "handler": "files" }, "/": { "handler": "status" } } } } },
		"r": { "kind": "router" }
	},
	"links": [ "client - r", "ns - r", "server - r" ],
	"workloads": {
		"pages":   { "type": "http-fetch", "from": "client", "url": "https://www.lab/", "count": 18, "interval": "1s", "keep_alive": false, "timeout": "900ms" },
		"work":    { "type": "http-fetch", "from": "client", "url": "http://server/", "count": 18, "interval": "1s" },
		"save":    { "type": "http-fetch", "from": "client", "url": "http://server/f/x", "count": 18, "interval": "1s", "start": "100ms", "method": "PUT", "body": "1kB" }
	},
	CASE
}`

// Faults of hosts reach their services: clocks, name servers, disks, and how fast they work.
func TestFaultsOfHosts(t *testing.T) {
	for name, c := range map[string]struct{ faults, expect string }{
		"none": {``, `"pages.succeeded == 18 and work.succeeded == 18 and save.succeeded == 18"`},
		"clock of a client": {`{ "at": "2500ms", "for": "5s", "skew": "client", "offset": "+100000h" }`,
			`"pages.errors.tls == 5 and pages.succeeded == 13"`}, // the certificate has expired by its clock
		"clock that drifts": {`{ "at": "2500ms", "drift": "client", "rate": "100%" }`, `"pages.succeeded == 18"`},
		"name server refuses": {`{ "at": "2500ms", "for": "5s", "fail_dns": "ns", "answer": "refused" }`,
			`"pages.failed == 5 and pages.succeeded == 13 and work.succeeded == 18"`},
		"name server fails": {`{ "at": "2500ms", "for": "5s", "fail_dns": "ns" }`, `"pages.failed == 5"`},
		"no such name":      {`{ "at": "2500ms", "for": "5s", "fail_dns": "ns", "answer": "nxdomain" }`, `"pages.failed == 5"`},
		"silent name server": {`{ "at": "2500ms", "for": "5s", "fail_dns": "ns", "answer": "silence" }`,
			`"pages.failed == 5 and pages.succeeded == 13"`},
		"full disk": {`{ "at": "2500ms", "for": "5s", "fill_disk": "server" }`, `"save.status.507 == 5 and save.status.201 + save.status.204 == 13"`},
		"slow disk": {`{ "at": "2500ms", "for": "5s", "slow_disk": "server", "factor": 100 }`,
			`"save.succeeded == 18 and save.latency.max > 100ms and save.latency.min < 50ms"`},
		"syncs fail": {`{ "at": "2500ms", "for": "5s", "fail_sync": "server" }`, `"save.status.500 == 5 and save.status.201 + save.status.204 == 13"`},
		"syncs fail, twice": {`{ "at": "2500ms", "for": "3s", "fail_sync": "server" }, { "at": "4500ms", "for": "3s", "fail_sync": "server", "share": "50%" }`,
			`"save.status.500 > 3 and save.status.500 <= 5"`},
		"some syncs fail": {`{ "fail_sync": "server", "share": "50%" }`, `"save.status.500 >= 3 and save.status.500 <= 15"`},
		"crash":           {`{ "at": "7500ms", "for": "10ms", "crash": "server" }`, `"save.status.201 == 1"`},
		"crash after syncs that lied": {`{ "at": "2500ms", "for": "10s", "skip_sync": "server" }, { "at": "7500ms", "for": "10ms", "crash": "server" }`,
			`"save.status.201 == 2"`}, // the file is gone, and made anew
		"crash after a lie that came to light": {`{ "at": "2500ms", "for": "2s", "skip_sync": "server" }, { "at": "7500ms", "for": "10ms", "crash": "server" }`,
			`"save.status.201 == 1"`},
		"crash that tears": {`{ "skip_sync": "server" }, { "tear_writes": "server" }, { "at": "7500ms", "for": "10ms", "crash": "server" }`,
			`"save.status.201 == 1"`}, // a part is there
		"slow host": {`{ "at": "2500ms", "for": "5s", "slow": "server", "factor": 5 }`,
			`"work.succeeded == 18 and work.latency.max == 50ms + 20ms and work.latency.min == 10ms + 20ms"`},
		"slow by two faults": {`{ "at": "2500ms", "for": "5s", "slow": "server", "factor": 2 }, { "at": "4500ms", "for": "5s", "slow": "server", "factor": 3 }`,
			`"work.latency.max == 60ms + 20ms"`},
	} {
		t.Run(name, func(t *testing.T) {
			playCase(t, replaceCase(webLab, `"faults": [ `+c.faults+` ], "expect": [ `+c.expect+` ]`), nil)
		})
	}
}

// A bit of a file that was stored is flipped, of the file and the byte that the fault says; the events tell which, or that there was none.
func TestFaultCorruptsDisk(t *testing.T) {
	const faults = `"faults": [
		{ "at": "2s", "every": "3s", "times": 3, "corrupt_disk": "server", "files": "f*:/*x" },
		{ "at": "3500ms", "corrupt_disk": "serv*", "byte": 7 },
		{ "at": "4500ms", "corrupt_disk": "server", "files": "?log" },
		{ "at": "5500ms", "corrupt_disk": "server", "byte": 1000000 }
	], "expect": [ "save.succeeded == 18 and faults.corrupt-disk-1.times == 3" ]`
	playCase(t, replaceCase(webLab, faults), func(t *testing.T, dir string) {
		events, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
		require.NoError(t, err)
		for text, times := range map[string]int{
			`"t_ns":(2|5|8)000000000,.*"kind":"disk-corrupt","node":"server","detail":"bit [0-7] of byte [0-9]+ of files:/f/x was flipped"`: 3,
			`"t_ns":3500000000,.*"kind":"disk-corrupt","node":"server","detail":"bit [0-7] of byte 7 of files:/f/x was flipped"`:            1,
			`"t_ns":4500000000,.*"kind":"log","node":"server","reason":"warn","detail":"no stored file to corrupt fault=corrupt-disk-3"`:    1,
			`"t_ns":5500000000,.*"kind":"log","node":"server","reason":"warn","detail":"no stored file to corrupt fault=corrupt-disk-4"`:    1,
		} {
			require.Len(t, regexp.MustCompile(text).FindAll(events, -1), times, text)
		}
	})
}

// Two ways lead to the server. When the shorter one fails, dynamic routes change to the longer one after a second, and back; with
// static ones everything is lost meanwhile. The same goes for a router that crashes.
func TestRoutesFollowFailures(t *testing.T) {
	const lab = `{
		"duration": "20s", "defaults": { "ip": "FAMILY" },
		"nodes": { "client": {}, "r[1..4]": { "kind": "router" }, "server": {} },
		"links": [ "client - r1", { "between": "r1 - r2", "latency": "1ms" }, { "between": "r2 - r4", "latency": "1ms" },
			{ "between": "r1 - r3", "latency": "5ms" }, { "between": "r3 - r4", "latency": "5ms" }, "r4 - server" ],
		"workloads": { "probe": { "type": "ping", "from": "client", "to": "server", "start": "5ms", "interval": "10ms", "count": 1900 } },
		CASE
	}`
	for name, c := range map[string][2]string{
		"static, cut":      {`"faults": [ { "at": "5s", "for": "4s", "cut": "r2 - r4" } ]`, `"probe.lost == 400 and probe.rtt.max == 4ms"`},
		"dynamic, cut":     {`"routing": "dynamic", "faults": [ { "at": "5s", "for": "4s", "cut": "r2 - r4" } ]`, `"probe.lost == 100 and probe.rtt.max == 20ms and probe.rtt.min == 4ms"`},
		"fast":             {`"routing": { "mode": "dynamic", "convergence": "50ms" }, "faults": [ { "at": "5s", "for": "4s", "cut": "r2 - r4" } ]`, `"probe.lost == 5"`},
		"static, crash":    {`"faults": [ { "at": "5s", "for": "4s", "crash": "r2" } ]`, `"probe.lost == 400"`},
		"dynamic, crash":   {`"routing": "dynamic", "faults": [ { "at": "5s", "for": "4s", "crash": "r2" } ]`, `"probe.lost == 100 and probe.rtt.max == 20ms"`},
		"no way is left":   {`"routing": "dynamic", "faults": [ { "at": "5s", "for": "4s", "cut": "r4 - server" } ]`, `"probe.lost == 500"`}, // and a second until the routes are back
		"both ways fail":   {`"routing": "dynamic", "faults": [ { "at": "5s", "for": "4s", "cut": "r2 - r4" }, { "at": "7s", "for": "1s", "crash": "r3" } ]`, `"probe.lost >= 200 and probe.lost <= 302"`},
		"faster than that": {`"routing": "dynamic", "faults": [ { "at": "5s", "for": "500ms", "cut": "r2 - r4" } ]`, `"probe.lost == 50 and probe.rtt.max == 4ms"`},
	} {
		t.Run(name, func(t *testing.T) {
			playCase(t, replaceCase(lab, c[0]+`, "expect": [ `+c[1]+` ]`), nil)
		})
	}
}
