package store_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"

	"netlab"
)

// drive plays members db1 to dbN with settings, and gives a way to talk to each from another host to body.
func drive(t *testing.T, members int, settings, more string, body func(d *driver)) {
	t.Helper()
	file := fmt.Sprintf(`{
		"duration": "120s", "seed": 1,
		"nodes": {
			"db[1..%d]": {"services": {"db": {"type": "store"%s}}, "disk": {"latency": "1ms", "sync": "4ms"}}, "user": {}, "sw": {"kind": "switch"}
		},
		"links": [{"between": "db[*] - sw", "latency": "5ms"}, {"between": "user - sw", "latency": "1ms"}], "captures": {"nodes": []}%s
	}`, members, settings, more)
	labs, err := netlab.Parse("drive.json", []byte(file), nil)
	require.NoError(t, err)
	r, err := labs[0].Run(context.Background(), nil, func(run *netlab.Run) error {
		d := &driver{t: t, run: run, clients: map[string]*redis.Client{}}
		body(d)
		for _, c := range d.clients {
			c.Close()
		}
		return nil
	})
	require.NoError(t, err)
	for _, e := range r.Expect {
		require.True(t, e.Holds, "%+v", e)
	}
}

type driver struct {
	t       *testing.T
	run     *netlab.Run
	clients map[string]*redis.Client
}

// do has a member carry out a command and returns what it said, an error as text.
func (d *driver) do(member string, command string) string {
	c := d.clients[member]
	if c == nil {
		c = redis.NewClient(&redis.Options{
			Addr: member + ":6379", Protocol: 2, MaxRetries: -1, PoolSize: 1, DisableIdentity: true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, // it would ask the machine for the host's address
			ReadTimeout:              10 * time.Second, DialTimeout: 5 * time.Second,
			Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
				return d.run.Host("user").DialContext(ctx, network, address)
			},
		})
		d.clients[member] = c
	}
	var args []any
	for _, a := range strings.Fields(command) {
		args = append(args, strings.ReplaceAll(a, "''", ""))
	}
	v, err := c.Do(d.run.Context(), args...).Result()
	switch {
	case err == redis.Nil:
		return "nil"
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(v)
}

// want demands an answer.
func (d *driver) want(member, command, answer string) {
	d.t.Helper()
	require.Equal(d.t, answer, d.do(member, command), "%s at %v: %s", member, d.run.Elapsed(), command)
}

// leader asks the members who leads.
func (d *driver) leader(members ...string) string {
	for _, m := range members {
		if info := d.do(m, "INFO"); strings.Contains(info, "role:leader") {
			return m
		}
	}
	return ""
}

func TestCommands(t *testing.T) {
	drive(t, 1, "", "", func(d *driver) {
		for _, c := range [][2]string{
			{"PING", "PONG"}, {"GET a", "nil"}, {"SET a 1", "OK"}, {"GET a", "1"}, {"SET a 2 NX", "nil"}, {"SET b 2 XX", "nil"}, {"SET a 2 XX", "OK"},
			{"SET a 3 IFEQ 1", "nil"}, {"SET a 3 IFEQ 2", "OK"}, {"SET a 4 GET", "3"}, {"GETSET a 5", "4"}, {"SETNX a 6", "0"}, {"SETNX n 6", "1"},
			{"SET a 1 IFEQ", "ERR syntax error"}, {"SET a 1 EX 5", "ERR syntax error: wanted NX, XX, IFEQ and a value, or GET"},
			{"SET a 1 NX XX", "ERR NX, XX and IFEQ exclude each other"}, {"SET a 1 NX GET", "ERR GET goes without NX, XX and IFEQ"},
			{"INCR a", "6"}, {"DECRBY a 10", "-4"}, {"INCRBY a x", "ERR value is not an integer or out of range"},
			{"SET big 9223372036854775807", "OK"}, {"INCR big", "ERR increment or decrement would overflow"},
			{"STRLEN big", "19"}, {"DEL big none", "1"}, {"EXISTS a n none", "2"}, {"MSET x 1 y 2", "OK"}, {"MGET x none y", "[1 <nil> 2]"},
			{"SADD s c a b a", "3"}, {"SMEMBERS s", "[a b c]"}, {"SISMEMBER s b", "1"}, {"SISMEMBER s z", "0"}, {"SREM s b z", "1"}, {"SCARD s", "2"},
			{"GET s", "WRONGTYPE Operation against a key holding the wrong kind of value"}, {"TYPE s", "set"}, {"TYPE none", "none"},
			{"RPUSH l a b", "2"}, {"LPUSH l z", "3"}, {"LRANGE l 0 -1", "[z a b]"}, {"LRANGE l -2 0", "[]"}, {"LLEN l", "3"}, {"TYPE l", "list"},
			{"RANGE a o", "[a -4 n 6]"}, {"RANGE a '' LIMIT 1", "[a -4]"}, {"DBSIZE", "6"},
			{"EXEC", "ERR EXEC without MULTI"}, {"DISCARD", "ERR DISCARD without MULTI"},
			{"WATCH x", "OK"}, {"MULTI", "OK"}, {"INCR x", "QUEUED"}, {"GET x", "QUEUED"}, {"EXEC", "[2 2]"},
			{"WATCH x", "OK"}, {"SET x 7", "OK"}, {"MULTI", "OK"}, {"INCR x", "QUEUED"}, {"EXEC", "nil"}, {"GET x", "7"},
			{"MULTI", "OK"}, {"SET x 1 NX", "ERR conditions of a single command can't be part of a transaction: want WATCH"},
			{"EXEC", "EXECABORT Transaction discarded because of previous errors."}, {"MULTI", "OK"}, {"SET x 8", "QUEUED"}, {"DISCARD", "OK"}, {"GET x", "7"},
			{"CONSISTENCY some", `ERR found CONSISTENCY "some", wanted default, linearizable, local, session or bounded and milliseconds`},
			{"CONSISTENCY bounded", "ERR milliseconds belong to CONSISTENCY bounded, and only there"}, {"CONSISTENCY bounded 5", "OK"}, {"GET x", "7"},
			{"NONSENSE", "ERR unknown command 'nonsense'"}, {"GET", "ERR wrong number of arguments for 'get' command"}, {"MSET a", "ERR wrong number of arguments for 'mset' command"},
			{"CLIENT LIST", "ERR found CLIENT LIST, wanted SETNAME or SETINFO"}, {"SELECT 1", "ERR DB index is out of range"},
		} {
			d.want("db1", c[0], c[1])
		}
	})
}

// So many writes as were answered are there after a crash; without fsync they are not.
func TestCrash(t *testing.T) {
	for settings, kept := range map[string]bool{"": true, `, "fsync": "never"`: false} {
		drive(t, 1, settings, `, "faults": [{"at": "10s", "for": "1s", "crash": "db1"}]`, func(d *driver) {
			for i := range 20 {
				d.want("db1", fmt.Sprintf("SET k%d %d", i, i), "OK")
			}
			require.NoError(t, d.run.Sleep(12*time.Second-d.run.Elapsed()))
			d.do("db1", "PING") // finds that the connection is gone
			want := "20"
			if !kept {
				want = "0"
			}
			d.want("db1", "DBSIZE", want)
		})
	}
}

const threeMembers = `, "members": "db[1..3]", "replication": "raft"`

// A follower that was away while the log was cut gets a snapshot, and has everything, also after another crash.
func TestSnapshot(t *testing.T) {
	drive(t, 3, threeMembers+`, "raft": {"snapshot_entries": 10}, "segment_size": "1KiB"`, `, "faults": [
		{"at": "5s", "for": "15s", "crash": "db1"}, {"at": "30s", "for": "1s", "crash": "db1"}, {"at": "40s", "for": "1s", "crash": "db[*]"}], "expect": ["nodes.db1.services.db.snapshots_received == 1", "nodes.db2.services.db.flushes >= 4"]`, func(d *driver) {
		d.run.Sleep(6 * time.Second)
		leader := d.leader("db2", "db3")
		for i := range 50 {
			d.want(leader, fmt.Sprintf("SET k%d %d", i, i), "OK")
		}
		for _, at := range []time.Duration{25, 35, 50} {
			d.run.Sleep(at*time.Second - d.run.Elapsed())
			d.do("db1", "PING")
			d.want("db1", "CONSISTENCY local", "OK")
			d.want("db1", "DBSIZE", "50")
		}
	})
}

// Members leave, come back and hand over; what is asked of the wrong one is moved, and told so.
func TestMembership(t *testing.T) {
	drive(t, 3, threeMembers, "", func(d *driver) {
		d.run.Sleep(5 * time.Second)
		all := []string{"db1", "db2", "db3"}
		leader := d.leader(all...)
		require.Equal(t, "db3", leader)
		d.want("db1", "SET a 1", "MOVED 0 db3:6379")
		d.want("db3", "SET a 1", "OK")
		d.want("db1", "GET a", "1") // by read index
		d.want("db3", "RAFT REMOVE db2", "OK")
		d.want("db3", "SET a 2", "OK")
		d.want("db3", "RAFT ADD db2", "OK")
		d.run.Sleep(time.Second)
		d.want("db2", "GET a", "2")
		d.want("db1", "RAFT REMOVE db2", "MOVED 0 db3:6379")
		d.want("db3", "RAFT REMOVE db9", `ERR "db9" is not a member: want one of db1, db2, db3`)
		d.want("db3", "RAFT BURN db2", "ERR found RAFT BURN, wanted ADD, LEARN, REMOVE or TRANSFER")
		d.want("db3", "RAFT TRANSFER db1", "OK")
		d.run.Sleep(time.Second)
		require.Equal(t, "db1", d.leader(all...))
		d.want("db1", "SET a 3", "OK")
		d.want("db3", "SET a 4", "MOVED 0 db1:6379")
	})
}

// A session sees what it has written wherever it reads, and a bounded read is refused by a member that hears nothing.
func TestGuarantees(t *testing.T) {
	drive(t, 3, threeMembers, `, "faults": [{"at": "10s", "partition": [["db1", "user"], ["db2", "db3"]]}]`, func(d *driver) {
		d.run.Sleep(5 * time.Second)
		d.want("db3", "SET a 1", "OK")
		position := d.do("db3", "POSITION")
		d.want("db1", "CONSISTENCY session", "OK")
		d.want("db1", "AFTER "+position, "OK")
		d.want("db1", "GET a", "1")
		d.want("db1", "AFTER 1000", "OK")
		d.want("db1", "GET a", "TRYAGAIN this member isn't at position 1000 yet")
		d.want("db1", "AFTER x", "OK")
		d.want("db1", "GET a", `ERR found position "x", wanted a number`)
		d.want("db1", "CONSISTENCY bounded 500", "OK")
		d.want("db1", "GET a", "1")
		d.run.Sleep(8 * time.Second) // cut off since 10s
		d.want("db1", "GET a", "CLUSTERDOWN there is no leader that is known")
		d.want("db1", "CONSISTENCY local", "OK")
		d.want("db1", "GET a", "1")
		d.want("db1", "CONSISTENCY linearizable", "OK")
		d.want("db1", "GET a", "CLUSTERDOWN there is no leader that is known")
	})
}

func TestConfigErrors(t *testing.T) {
	for settings, want := range map[string]string{
		`, "replication": "paxos"`:                               `"paxos" is not one of none, raft`,
		`, "replication": "raft"`:                                "raft needs the hosts of all members",
		`, "members": "db[1..3]"`:                                "means nothing",
		`, "prefer": "availability"`:                             "there is but one member",
		`, "read": "latency"`:                                    "there is but one member",
		`, "routing": "proxy"`:                                   "there is but one member",
		`, "raft": {}`:                                           "means nothing",
		threeMembers + `, "raft": {"election_timeout": "150ms"}`: "wanted a multiple of the heartbeat (100ms)",
		threeMembers + `, "raft": {"lease_clock": "wall"}`:       `means nothing without "lease": true`,
		threeMembers + `, "raft": {"voters": "user"}`:            "user is not a member",
		`, "segment_size": "10B"`:                                "wanted 1KiB to 1GiB",
		`, "fsync": "sometimes"`:                                 `"sometimes" is not one of always, never`,
		strings.Replace(threeMembers, "db[1..3]", "db[1..2]", 1): "db3 is not among them: db1, db2",
	} {
		file := fmt.Sprintf(`{"duration": "1s", "nodes": {"db[1..3]": {"services": {"db": {"type": "store"%s}}}, "user": {}, "sw": {"kind": "switch"}},
			"links": ["db[*] - sw", "user - sw"]}`, settings)
		labs, err := netlab.Parse("bad.json", []byte(file), nil)
		if err == nil {
			_, err = labs[0].Run(context.Background(), nil, nil)
		}
		require.ErrorContains(t, err, want, settings)
	}
}
