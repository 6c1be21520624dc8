package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// lab is three members behind a switch; %s are settings of them, the fields of the workload, faults and expectations.
const lab = `{
	"duration": "20s", "seed": 1,
	"nodes": {
		"db[1..3]": {"services": {"db": {"type": "store", "members": "db[1..3]", "replication": "raft"%s}}, "disk": {"latency": "1ms", "sync": "4ms"}},
		"user": {}, "sw": {"kind": "switch"}
	},
	"links": [{"between": "db[*] - sw", "latency": "5ms"}, {"between": "user - sw", "latency": "1ms"}], "captures": {"nodes": []},
	"workloads": {"load": {"type": "kv-load", "from": "user", "users": 1, "keys": {"count": 10}, "think_time": "100ms", "start": "5s",
		"warm_up": "1s", %s}},
	"faults": [%s], "expect": [%s]
}`

// play runs a lab and demands that what is expected of it holds.
func play(t *testing.T, settings, load, faults, expect string) {
	t.Helper()
	labs, err := netlab.Parse("store.json", []byte(fmt.Sprintf(lab, settings, load, faults, expect)), nil)
	require.NoError(t, err)
	r, err := labs[0].Run(context.Background(), nil, nil)
	require.NoError(t, err)
	for _, e := range r.Expect {
		require.True(t, e.Holds, "%+v", e)
	}
}

// A write at the leader, which is db3 with this seed, takes the client's round trip (12ms), that to a follower (20ms) and the follower's
// append and sync (1ms + 5ms). A read takes the two round trips.
func TestRaftLatency(t *testing.T) {
	play(t, "", `"to": "db3", "duration": "10s", "writes": "100%"`, "", `"load.failed == 0", "load.latency.min == 38ms", "load.latency.max == 38ms"`)
	play(t, "", `"to": "db3", "duration": "10s"`, "", `"load.failed == 0", "load.latency.min == 32ms", "load.latency.max == 32ms"`)
	play(t, `, "raft": {"lease": true}`, `"to": "db3", "duration": "10s"`, "", `"load.failed == 0", "load.latency.min == 12ms", "load.latency.max == 12ms"`)
	play(t, `, "read": "latency"`, `"to": "db1", "duration": "10s", "timeout": "1s"`, "", `"load.failed == 0", "load.latency.max == 12ms"`)
}

// A member that is cut off with its client before the first request answers nothing but errors, or all with what it has, as it was told to.
func TestCutOff(t *testing.T) {
	link := `{"at": "3s", "partition": [["db1", "user"], ["db2", "db3"]]}`
	play(t, "", `"to": "db1", "duration": "10s", "timeout": "1s"`, link, `"load.succeeded == 0", "load.failed > 5"`)
	play(t, `, "prefer": "availability"`, `"to": "db1", "duration": "10s", "timeout": "5s"`, link, `"load.failed == 0"`)
}

// The same seed gives the same files, with crashes, a partition, lost frames and a disk that fails.
func TestRepeat(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector runs goroutines of net/http that are ready at the same time in random order")
	}
	file := fmt.Sprintf(lab, `, "routing": "proxy", "raft": {"snapshot_entries": 5}`, `"to": "db1", "writes": "50%", "duration": "12s", "timeout": "1s"`, `
		{"at": "6s", "for": "2s", "crash": "db3"}, {"at": "9s", "for": "2s", "partition": [["db2"], ["db1", "db3"]]},
		{"at": "12s", "for": "1s", "link": "db1 - sw", "set": {"loss": "5%"}}, {"at": "13s", "for": "1s", "fail_sync": "db2"}, {"at": "16s", "for": "1s", "crash": "db2"}`, "")
	file = strings.Replace(file, `"captures": {"nodes": []}`, `"captures": {"nodes": ["db[*]"]}`, 1)
	var before map[string]string
	for range 2 {
		labs, err := netlab.Parse("store.json", []byte(file), nil)
		require.NoError(t, err)
		dir := t.TempDir()
		_, err = labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dir}, nil)
		require.NoError(t, err)
		sums := map[string]string{}
		require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			sums[strings.TrimPrefix(path, dir)] = fmt.Sprintf("%x", sha256.Sum256(b))
			return err
		}))
		if before != nil {
			require.Equal(t, before, sums)
		}
		before = sums
	}
	require.Greater(t, len(before), 3)
}
