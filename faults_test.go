package netlab_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/topology"
	"netlab/units"
)

// A client pings a server and sends it a file, through a router; each case adds something to the link between them, or a fault, and
// says what it expects.
const pair4and6 = `{
	"duration": "20s", "seed": 5,
	"defaults": { "ip": "FAMILY", "tcp": { "rack": false } },
	"nodes": { "client": {}, "r": { "kind": "router" },
		"server": { "services": { "sink": { "type": "tcp-sink" }, "video": { "type": "udp-sink", "listen": ":5002" } } } },
	"links": [ "client - r", { "between": "r - server", "name": "wire", "latency": "10ms", "rate": "10Mbit/s" } ],
	"workloads": {
		"probe":  { "type": "ping", "from": "client", "to": "server", "interval": "10ms", "count": 1000, "size": "100B" },
		"stream": { "type": "udp-stream", "from": "client", "to": "server:5002", "rate": "400kbit/s", "size": "500B", "packets": 1000, "start": "1s" },
		"upload": { "type": "tcp-transfer", "from": "client", "to": "server", "bytes": "200kB", "start": "2s" }
	},
	CASE
}`

// playCase plays a case on both IP versions, twice each.
func playCase(t *testing.T, text string, check func(t *testing.T, dir string)) {
	for _, family := range []string{"ipv4", "ipv6"} {
		t.Run(family, func(t *testing.T) {
			text := strings.ReplaceAll(text, "FAMILY", family)
			dir := requireSame(t, 2, text, nil)
			data, err := os.ReadFile(filepath.Join(dir, "results.json"))
			require.NoError(t, err)
			var results struct {
				Expect []struct {
					Text   string
					Holds  bool
					Values json.RawMessage
				}
			}
			require.NoError(t, json.Unmarshal(data, &results))
			require.NotEmpty(t, results.Expect)
			for _, e := range results.Expect {
				require.True(t, e.Holds, "%s: %s", e.Text, strings.Join(strings.Fields(string(e.Values)), " "))
			}
			if check != nil {
				check(t, dir)
			}
		})
	}
}

// Every impairment, shaper and queue that a file can ask for does something, on both IP versions, and files arrive intact all the same.
func TestImpairmentsOfALab(t *testing.T) {
	const link = `"links": [ "client - r", { "between": "r - server", "name": "wire", "latency": "10ms", "rate": "10Mbit/s", %s } ], "expect": [ "upload.intact", %s ]`
	for name, c := range map[string][2]string{
		"bernoulli":       {`"loss": "2%"`, `"links.wire.forward.dropped.loss > 20"`},
		"gilbert-elliott": {`"loss": "gilbert-elliott(1%, 50%, 90%, 0.1%)"`, `"links.wire.forward.dropped.loss > 10"`},
		"burst":           {`"loss": "burst(2%, 3)"`, `"links.wire.forward.dropped.loss > 10"`},
		"pattern":         {`"loss": "pattern(0000000001)"`, `"links.wire.forward.dropped.loss <= links.wire.forward.sent.frames / 10 and links.wire.forward.dropped.loss > links.wire.forward.sent.frames / 10 - 1"`},
		"every":           {`"loss": "every(50)"`, `"links.wire.forward.dropped.loss <= links.wire.forward.sent.frames / 50 and links.wire.forward.dropped.loss > links.wire.forward.sent.frames / 50 - 1"`},
		"jitter":          {`"latency": "laplace(10ms, 1ms)", "latency_correlation": "50%"`, `"probe.rtt.mdev > 1ms and links.wire.forward.reordered == 0"`},
		"overtaking":      {`"latency": "uniform(5ms, 50ms)", "keep_order": false`, `"nodes.server.services.video.reordered > 10"`},
		"reorder":         {`"reorder": { "share": "5%", "depth": 2 }`, `"links.wire.forward.reordered > 50 and nodes.server.services.video.reordered > 10"`},
		"duplicate":       {`"duplicate": "5%"`, `"links.wire.forward.duplicated.frames > 50 and probe.duplicates > 10"`},
		"corrupt":         {`"corrupt": { "share": "3%", "bits": 1 }`, `"links.wire.forward.corrupted > 30 and nodes.server.udp.checksum_errors > 5"`},
		"truncate":        {`"truncate": { "share": "3%", "to": "60B" }`, `"links.wire.forward.truncated > 30 and nodes.server.services.video.lost > 5"`},
		"steps":           {`"rate": "steps(0s 10Mbit/s, 5s 500kbit/s)"`, `"probe.rtt.min < 21ms and links.wire.forward.queue.sojourn.max > 5ms"`},
		"ramp":            {`"rate": "ramp(0s 10Mbit/s, 10s 600kbit/s)"`, `"links.wire.forward.queue.sojourn.max > 5ms"`},
		"token bucket":    {`"rate": "1Mbit/s", "burst": "10kB", "peak_rate": "100Mbit/s"`, `"probe.rtt.min < 20.1ms and links.wire.forward.queue.sojourn.max > 5ms"`},
		"red":             {`"rate": "1Mbit/s", "queue": { "type": "red", "limit": "100KiB", "min_threshold": "5KiB", "max_threshold": "15KiB" }`, `"links.wire.forward.dropped.red > 0"`},
		"codel":           {`"rate": "1Mbit/s", "queue": "codel"`, `"links.wire.forward.dropped.codel > 0"`},
		"fq-codel":        {`"rate": "1Mbit/s", "queue": { "type": "fq-codel", "target": "2ms" }`, `"links.wire.forward.dropped.codel > 0 and probe.rtt.max < 60ms"`},
		"pie":             {`"rate": "1Mbit/s", "queue": { "type": "pie", "burst": "15ms" }`, `"links.wire.forward.dropped.pie > 0"`},
		"priority":        {`"rate": "1Mbit/s", "queue": { "type": "priority", "bands": [["ef"], ["cs0"]] }`, `"links.wire.forward.queue.max_packets > 5"`},
		"profile":         {`"profile": "wifi"`, `"links.wire.forward.delivered.frames > 0"`},
	} {
		t.Run(name, func(t *testing.T) {
			body := strings.Replace(strings.Replace(link, "%s", c[0], 1), "%s", c[1], 1)
			if strings.Contains(c[0], `"latency"`) {
				body = strings.Replace(body, `"latency": "10ms", `, "", 1)
			}
			if strings.Contains(c[0], `"rate"`) {
				body = strings.Replace(body, `"rate": "10Mbit/s", `, "", 1)
			}
			text := strings.Replace(pair4and6, `"links": [ "client - r", { "between": "r - server", "name": "wire", "latency": "10ms", "rate": "10Mbit/s" } ],`, "", 1)
			playCase(t, strings.Replace(text, "CASE", body, 1), nil)
		})
	}
}

// Each verb of a fault does what its name says, and undoes it.
func TestVerbs(t *testing.T) {
	for name, c := range map[string]struct{ faults, expect string }{
		"cut": {`{ "at": "1s", "for": "1s", "cut": "wire" }`, `"probe.lost == 100 + 1 and upload.intact"`}, // and a reply on its way
		"cuts that overlap": {`{ "at": "1s", "for": "2s", "cut": "wire" }, { "at": "2s", "for": "2s", "cut": "wire" }`,
			`"probe.lost == 300 + 1"`},
		"restore": {`{ "at": "1s", "cut": "wire" }, { "at": "1500ms", "restore": "wire" }`, `"probe.lost == 50 + 1"`},
		"every":   {`{ "at": "1s", "for": "100ms", "every": "1s", "times": 3, "cut": "wire" }`, `"faults.cut-1.times == 3 and probe.lost == 3 * (10 + 1)"`},
		"probability": {`{ "at": "1s", "for": "100ms", "every": "200ms", "times": 40, "probability": "50%", "cut": "wire" }`,
			`"faults.cut-1.times + faults.cut-1.skipped == 40 and faults.cut-1.times > 8 and faults.cut-1.skipped > 8"`},
		"flap": {`{ "at": "1s", "for": "4s", "flap": "wire", "down": "100ms", "up": "900ms" }`, `"probe.lost == 4 * (10 + 1)"`},
		"set": {`{ "at": "1s", "for": "1s", "link": "server - r", "set": { "latency": "30ms", "backward": { "latency": "50ms" } } }`,
			`"probe.rtt.max > 80ms and probe.rtt.max < 81ms and probe.lost == 0"`}, // backward of what the fault calls server - r
		"sets that overlap": {`{ "at": "1s", "for": "2s", "link": "wire", "set": { "latency": "20ms" } },
			{ "at": "2s", "for": "2s", "link": "wire", "set": { "latency": "40ms" } },
			{ "at": "5s", "link": "wire", "set": { "loss": "100%" } }`,
			`"probe.rtt.max > 80ms and probe.received == 500 - 1"`},
		"partition":         {`{ "at": "1s", "for": "1s", "partition": [["client"], ["server"]] }`, `"probe.lost == 100 + 1"`},
		"one-way partition": {`{ "at": "1s", "for": "1s", "partition": [["server"], ["client"]], "one_way": true }`, `"probe.lost == 100 and links.client--r.forward.dropped.partition == 0"`},
		"partial partition": {`{ "at": "1s", "for": "1s", "partition": [["client"], ["r"]] }`, `"probe.lost == 0"`},
		"heal":              {`{ "name": "split", "at": "1s", "partition": [["client"], ["server"]] }, { "at": "2s", "heal": "split" }`, `"probe.lost == 101"`},
		"crash of a host":   {`{ "at": "1s", "for": "1s", "crash": "server" }`, `"probe.lost == 100 and nodes.server.tcp.resets_sent == 0 and upload.intact"`},
		"restart":           {`{ "at": "1s", "crash": "server" }, { "at": "1500ms", "restart": "server" }`, `"probe.lost == 50"`},
		"crash of a router": {`{ "at": "1s", "for": "1s", "crash": "r" }`, `"probe.lost == 100 + 2 and links.client--r.forward.dropped.node_down == 100 + 100"`},
		"crash of a client": {`{ "at": "5s", "for": "1s", "crash": "client" }`, `"not probe.completed and probe.sent < 510"`},
		"pause":             {`{ "at": "4s", "for": "500ms", "pause": "server" }`, `"probe.lost == 0 and probe.rtt.max > 500ms and probe.rtt.max < 530ms and upload.intact"`},
		"resume":            {`{ "at": "4s", "pause": "server" }, { "at": "4500ms", "resume": "server" }`, `"probe.lost == 0 and probe.rtt.max > 0.5s and probe.rtt.max < 0.6s"`},
		// A fault undoes what it did itself, and not what another one did after a restart or a resume.
		"crash again": {`{ "at": "1s", "for": "4s", "crash": "server" }, { "at": "2s", "restart": "server" }, { "at": "3s", "for": "4s", "crash": "server" }`,
			`"probe.lost == 100 + 400"`},
		"pause again": {`{ "at": "4s", "for": "3s", "pause": "server" }, { "at": "5s", "resume": "server" }, { "at": "6s", "for": "3s", "pause": "server" }`,
			`"probe.lost > 180 and probe.lost < 220"`}, // answers that take longer than a second are lost
		"pauses that overlap": {`{ "at": "4s", "for": "500ms", "pause": "server" }, { "at": "4200ms", "for": "500ms", "pause": "server" }`,
			`"probe.rtt.max > 700ms and probe.rtt.max < 730ms"`},
		"drop the third":  {`{ "name": "third", "drop": "icmp echo", "nth": 3 }`, `"faults.third.hits == 1 and faults.third.matches == 1000 and probe.lost == 1"`},
		"drop first":      {`{ "drop": "icmp echo", "first": 5 }`, `"faults.drop-1.hits == 5 and probe.lost == 5"`},
		"drop every nth":  {`{ "drop": "icmp echo", "every_nth": 10, "limit": 7 }`, `"faults.drop-1.hits == 7 and probe.lost == 7"`},
		"drop a share":    {`{ "drop": "icmp echo", "share": "20%" }`, `"faults.drop-1.hits == probe.lost and probe.lost > 150 and probe.lost < 250"`},
		"drop on a node":  {`{ "drop": "icmp", "on": "r", "nth": 1 }`, `"probe.lost == 1 and links.wire.forward.dropped.rule == 1"`},
		"drop at arrival": {`{ "drop": "icmp", "on": "server", "side": "in", "nth": 1 }`, `"probe.lost == 1 and links.wire.forward.dropped.rule == 1"`},
		"drop on a link":  {`{ "drop": "icmp", "link": "server - r", "direction": "forward", "nth": 1 }`, `"probe.lost == 1 and links.wire.backward.dropped.rule == 1"`},
		"blackhole":       {`{ "drop": "all", "link": "wire", "at": "1s", "for": "1s" }`, `"probe.lost == 101 or probe.lost == 102"`},
		"delay":           {`{ "delay": "icmp echo", "by": "50ms", "nth": 5 }`, `"probe.rtt.max > 70ms and probe.lost == 0"`},
		"duplicate":       {`{ "duplicate": "icmp echo", "copies": 2, "nth": 5 }`, `"probe.duplicates == 2 and links.client--r.forward.duplicated.frames == 2"`},
		"corrupt":         {`{ "corrupt": "udp", "bits": 1, "every_nth": 10 }`, `"nodes.server.services.video.lost > 50 and upload.intact"`},
		"truncate":        {`{ "truncate": "udp", "to": "100B", "every_nth": 10 }`, `"nodes.server.services.video.lost == 100"`},
		"reset":           {`{ "reset": "tcp and data", "nth": 20 }`, `"faults.reset-1.hits == 1 and not upload.intact and upload.errors == 1"`},
		"reject":          {`{ "reject": "tcp and syn", "with": "admin-prohibited" }`, `"faults.reject-1.hits >= 1 and not upload.intact"`},
		"pass":            {`{ "name": "count", "pass": "udp" }`, `"faults.count.hits == 1000 and nodes.server.services.video.received == 1000"`},
	} {
		t.Run(name, func(t *testing.T) {
			playCase(t, replaceCase(pair4and6, `"faults": [ `+c.faults+` ], "expect": [ `+c.expect+` ]`), nil)
		})
	}
}

// A change of a link is in the log, and the link's next packet in a capture says so; frames in flight stay as they were.
func TestChangesAreSeen(t *testing.T) {
	playCase(t, strings.Replace(pair4and6, "CASE", `"faults": [ { "at": "1005ms", "link": "wire", "set": { "latency": "100ms" } } ],
		"expect": [ "probe.lost == 0" ]`, 1), func(t *testing.T, dir string) {
		events, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
		require.NoError(t, err)
		require.Contains(t, string(events), `"kind":"set","link":"wire","dir":"forward","detail":"latency 100ms, rate 10Mbit/s`)
		changed := 0
		for _, p := range readCapture(t, dir, "r").Packets {
			if strings.Contains(p.Comment, "wire changed: latency 100ms") {
				changed++
			}
		}
		require.Equal(t, 1, changed, "the router's own packet; that of the other direction is the server's")
	})
}

// A fault from Go is one of the file: it has a name, counts, can be removed, and is checked.
func TestFaultsFromGoHaveHandles(t *testing.T) {
	lab := parse(t, strings.Replace(strings.ReplaceAll(pair4and6, "FAMILY", "ipv4"), "CASE", `"expect": []`, 1))
	var ended *netlab.Run
	var rule *netlab.Injection
	results := play(t, lab, nil, func(run *netlab.Run) (err error) {
		ended = run
		rule, err = run.Inject(topology.Fault{Name: "pings", Drop: "icmp echo"})
		require.NoError(t, err)
		require.Equal(t, "pings", rule.Name())
		require.NoError(t, run.Sleep(1005*time.Millisecond))
		require.EqualValues(t, 101, rule.Hits())
		rule.Remove()
		require.NoError(t, run.Sleep(time.Second))
		require.EqualValues(t, 101, rule.Hits())

		later, err := run.Inject(topology.Fault{Cut: "wire", At: units.Duration(time.Second), For: units.Constant(time.Second)})
		require.NoError(t, err)
		require.Zero(t, later.Stats().Times)
		require.NoError(t, run.Sleep(1500*time.Millisecond))
		require.Equal(t, 1, later.Stats().Times)
		require.Equal(t, "cut", later.Stats().Verb)

		for text, f := range map[string]topology.Fault{
			`no node is called "servr"; did you mean "server"?`: {Crash: topology.Patterns{"servr"}},
			"the fault has no verb":                             {},
			`"pings" is already the name`:                       {Name: "pings", Drop: "all"},
			"did you mean syn-ack?":                             {Drop: "synack"},
			"that are left of the run":                          {Cut: "wire", At: units.Duration(19 * time.Second)},
			"no fault so far has crashed server":                {Restart: topology.Patterns{"server"}},
			"no fault so far has cut client--r":                 {Restore: "client - r", At: units.Duration(time.Second)},
			"at: ":                                              {Cut: "wire", At: -1},
			"wanted up to 160":                                  {Corrupt: "all", Bits: 161},
		} {
			_, err := run.Inject(f)
			require.ErrorContains(t, err, text)
		}

		split, err := run.Inject(topology.Fault{Name: "split", Partition: [][]string{{"client"}}, At: units.Duration(10 * time.Second)})
		require.NoError(t, err)
		heal, err := run.Inject(topology.Fault{Heal: "split"}) // there has been none yet, as when its probability says no
		require.NoError(t, err)
		heal.Remove()
		split.Remove()
		split.Remove()
		return nil
	})
	probe, ok := results.Faults.Get("pings")
	require.True(t, ok)
	require.EqualValues(t, 101, probe.Hits)
	_, err := ended.Inject(topology.Fault{Cut: "wire"})
	require.ErrorContains(t, err, "the run is over")
	rule.Remove()
	require.EqualValues(t, 101, rule.Hits())
	require.Equal(t, 4, results.Faults.Len(), "those that were refused left nothing")
}
