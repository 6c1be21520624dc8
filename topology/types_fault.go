package topology

import "netlab/units"

// Fault is something that breaks or changes at a time. Exactly one verb is given.
type Fault struct {
	Name        string             `json:"name,omitempty" jsonschema_description:"Name of the fault in results and expectations, and for heal."`
	At          units.Duration     `json:"at,omitempty" jsonschema_description:"When it happens, from the start of the run. Default 0s."`
	For         units.Distribution `json:"for,omitzero" jsonschema_description:"How long it lasts; then what it changed is put back. Default: until the end or until another fault undoes it."`
	Every       units.Distribution `json:"every,omitzero" jsonschema_description:"It happens again and again, so long after it began the last time, or when that is over if it takes longer. Default: once."`
	Times       int                `json:"times,omitempty" jsonschema_description:"With every: how often it comes up, times that its probability skips included. Default: until the end." jsonschema:"minimum=1"`
	Probability *units.Probability `json:"probability,omitempty" jsonschema_description:"With which probability it happens, drawn anew each time. Default 100%."`

	// Verbs about links.
	Cut      string              `json:"cut,omitempty" jsonschema_description:"Verb: links (\"a - b\" or names) go down; frames sent meanwhile are dropped, frames on the wire still arrive."`
	Restore  string              `json:"restore,omitempty" jsonschema_description:"Verb: links that were cut come up again."`
	Flap     string              `json:"flap,omitempty" jsonschema_description:"Verb: links go down and up again and again, as long as down and up say."`
	DownTime *units.Distribution `json:"down,omitempty" jsonschema_description:"How long links that flap are down each time. Default 1s."`
	UpTime   *units.Distribution `json:"up,omitempty" jsonschema_description:"How long links that flap are up each time. Default 1s."`
	Set      *LinkSet            `json:"set,omitempty" jsonschema_description:"Verb: changes properties of the links named by link."`

	// Verbs about who reaches whom.
	Partition [][]string `json:"partition,omitempty" jsonschema_description:"Verb: groups of nodes that can't reach each other; one group alone is parted from all others. Nodes in no group reach all."`
	OneWay    bool       `json:"one_way,omitempty" jsonschema_description:"Only what the first group sends to the others is lost; what they send to it arrives." jsonschema:"default=false"`
	Heal      string     `json:"heal,omitempty" jsonschema_description:"Verb: ends the partition of that name, or \"all\"."`

	// Verbs about nodes.
	Crash       Patterns      `json:"crash,omitempty" jsonschema_description:"Verb: nodes fail. Nothing is sent any more, connections die without a word, what services had in memory is gone. With for they come back after that time."`
	Restart     Patterns      `json:"restart,omitempty" jsonschema_description:"Verb: nodes that crashed come back: services start again, and what they stored on disk and synced is there."`
	Pause       Patterns      `json:"pause,omitempty" jsonschema_description:"Verb: hosts stand still, as in a garbage collection: frames wait, timers are late."`
	Resume      Patterns      `json:"resume,omitempty" jsonschema_description:"Verb: hosts that were paused go on."`
	Slow        Patterns      `json:"slow,omitempty" jsonschema_description:"Verb: service times on hosts are factor times as long."`
	Skew        Patterns      `json:"skew,omitempty" jsonschema_description:"Verb: the clocks of hosts are wrong by offset."`
	Drift       Patterns      `json:"drift,omitempty" jsonschema_description:"Verb: the clocks of hosts run fast or slow by rate, from then on."`
	FailDNS     Patterns      `json:"fail_dns,omitempty" jsonschema_description:"Verb: the dns-servers of hosts answer every query as answer says."`
	FillDisk    Patterns      `json:"fill_disk,omitempty" jsonschema_description:"Verb: the disks of hosts are full: writing fails."`
	SlowDisk    Patterns      `json:"slow_disk,omitempty" jsonschema_description:"Verb: what the disks of hosts do takes factor times as long."`
	FailSync    Patterns      `json:"fail_sync,omitempty" jsonschema_description:"Verb: syncs of the disks of hosts fail with an I/O error and make nothing durable."`
	SkipSync    Patterns      `json:"skip_sync,omitempty" jsonschema_description:"Verb: syncs of the disks of hosts succeed at once and make nothing durable: a crash takes what was written since the last honest one."`
	TearWrites  Patterns      `json:"tear_writes,omitempty" jsonschema_description:"Verb: a crash of these hosts leaves a part, of random length, of what was appended to each file since its last sync."`
	CorruptDisk Patterns      `json:"corrupt_disk,omitempty" jsonschema_description:"Verb: flips one stored bit on the disk of each of these hosts, at once and for good."`
	Files       string        `json:"files,omitempty" jsonschema_description:"Which files corrupt_disk may hit, by their names on disk: * stands for any characters, ? for one. Default: any."`
	Byte        *int          `json:"byte,omitempty" jsonschema_description:"Which byte of a file corrupt_disk hits, from 0. Default: any." jsonschema:"minimum=0"`
	Factor      float64       `json:"factor,omitempty" jsonschema_description:"How many times as long things take with slow and slow_disk. Default 10." jsonschema:"exclusiveMinimum=0,maximum=1000000000"`
	Offset      *units.Offset `json:"offset,omitempty" jsonschema_description:"By how much clocks are fast (5s) or slow (-5s) with skew."`
	Rate        *units.Drift  `json:"rate,omitempty" jsonschema_description:"By how much clocks run fast (100ppm) or slow (-100ppm) with drift."`
	Answer      DNSAnswer     `json:"answer,omitempty" jsonschema_description:"What dns-servers answer with fail_dns; silence is no answer at all." jsonschema:"enum=servfail,enum=refused,enum=nxdomain,enum=silence,default=servfail"`

	// Verbs about packets. Their value is a filter, as for captures.
	Pass      string              `json:"pass,omitempty" jsonschema_description:"Verb: packets that the filter chooses are counted and pass."`
	Drop      string              `json:"drop,omitempty" jsonschema_description:"Verb: packets that the filter chooses (\"all\" for every one) are dropped."`
	Delay     string              `json:"delay,omitempty" jsonschema_description:"Verb: packets that the filter chooses wait as long as by says; others overtake them."`
	Duplicate string              `json:"duplicate,omitempty" jsonschema_description:"Verb: packets that the filter chooses are sent again, copies times."`
	Corrupt   string              `json:"corrupt,omitempty" jsonschema_description:"Verb: in packets that the filter chooses, bits are flipped."`
	Truncate  string              `json:"truncate,omitempty" jsonschema_description:"Verb: packets that the filter chooses are cut to a size."`
	Reset     string              `json:"reset,omitempty" jsonschema_description:"Verb: TCP segments that the filter chooses are dropped, and both ends get a RST."`
	Reject    string              `json:"reject,omitempty" jsonschema_description:"Verb: packets that the filter chooses are dropped, and their sender gets an ICMP error."`
	On        Patterns            `json:"on,omitempty" jsonschema_description:"Nodes at whose interfaces a rule acts. Default: all, on packets that the node itself sends, so that each packet counts once."`
	Side      RuleSide            `json:"side,omitempty" jsonschema_description:"Whether a rule at nodes acts on frames that leave them, that arrive, or both." jsonschema:"enum=out,enum=in,enum=both,default=out"`
	Link      string              `json:"link,omitempty" jsonschema_description:"Links (\"a - b\" or names) that set changes, or on which a rule acts in place of nodes."`
	Direction LinkDirection       `json:"direction,omitempty" jsonschema_description:"Direction of the links on which a rule acts, as link names their ends." jsonschema:"enum=forward,enum=backward,enum=both,default=both"`
	First     int                 `json:"first,omitempty" jsonschema_description:"A rule acts on the first so many packets that it finds. Default: on all." jsonschema:"minimum=1"`
	Nth       int                 `json:"nth,omitempty" jsonschema_description:"A rule acts on the n-th packet that it finds, and no other." jsonschema:"minimum=1"`
	EveryNth  int                 `json:"every_nth,omitempty" jsonschema_description:"A rule acts on every n-th packet that it finds." jsonschema:"minimum=1"`
	Share     *units.Probability  `json:"share,omitempty" jsonschema_description:"A rule acts on a share of the packets that it finds, fail_sync on a share of the syncs; it is drawn for each. Default: on all."`
	Limit     int                 `json:"limit,omitempty" jsonschema_description:"A rule acts on so many packets at most. Default: no limit." jsonschema:"minimum=1"`
	By        *units.Distribution `json:"by,omitempty" jsonschema_description:"How long delay lets a packet wait. Needed with it."`
	Copies    int                 `json:"copies,omitempty" jsonschema_description:"How many copies duplicate sends. Default 1." jsonschema:"minimum=1,default=1"`
	Bits      int                 `json:"bits,omitempty" jsonschema_description:"How many bits corrupt flips. Default 1." jsonschema:"minimum=1,default=1"`
	To        units.Bytes         `json:"to,omitempty" jsonschema_description:"Size to which truncate cuts a packet, from the IP header on. Needed with it."`
	With      ICMPError           `json:"with,omitempty" jsonschema_description:"ICMP error that reject sends." jsonschema:"enum=port-unreachable,enum=host-unreachable,enum=net-unreachable,enum=admin-prohibited,enum=time-exceeded,enum=too-big,default=port-unreachable"`
	MTU       units.Bytes         `json:"mtu,omitempty" jsonschema_description:"MTU that reject tells with too-big. Needed with it."`
}

// LinkSet is what a set fault changes.
type LinkSet struct {
	LinkParams
	Forward  LinkParams `json:"forward,omitzero" jsonschema_description:"Only from the first end to the second, as link names them."`
	Backward LinkParams `json:"backward,omitzero" jsonschema_description:"Only from the second end to the first, as link names them."`
}

// DNSAnswer is what a failing name server answers.
type DNSAnswer string

// RuleSide says on which frames a rule at a node acts.
type RuleSide string

// The sides of a node.
const (
	SideOut  RuleSide = "out"
	SideIn   RuleSide = "in"
	SideBoth RuleSide = "both"
)

// LinkDirection is a direction of a link, or both.
type LinkDirection string

// The directions of a link.
const (
	ForwardOnly    LinkDirection = "forward"
	BackwardOnly   LinkDirection = "backward"
	BothDirections LinkDirection = "both"
)

// ICMPError is an error that reject sends.
type ICMPError string

// Chaos draws faults from the seed: a file with it is the same as one with the faults that were drawn, which is what a run writes
// to topology.resolved.json.
type Chaos struct {
	Kinds      []ChaosKind        `json:"kinds,omitempty" jsonschema_description:"Kinds of faults that are drawn. Default: crash, pause, cut, partition, one-way-partition, slow, loss and latency." jsonschema:"enum=crash,enum=pause,enum=cut,enum=flap,enum=partition,enum=one-way-partition,enum=slow,enum=skew,enum=loss,enum=latency,enum=rate"`
	Every      units.Distribution `json:"every,omitzero" jsonschema_description:"Time from the start of one fault to that of the next. Default exponential(10s)."`
	For        units.Distribution `json:"for,omitzero" jsonschema_description:"How long a fault lasts. Default uniform(1s, 5s)."`
	Nodes      Patterns           `json:"nodes,omitzero" jsonschema_description:"Nodes that faults hit. Default: all hosts with services and all routers."`
	Links      Patterns           `json:"links,omitzero" jsonschema_description:"Links that faults hit, \"a - b\" or names. Default: all."`
	Start      units.Duration     `json:"start,omitempty" jsonschema_description:"When the first fault may begin. Default 0s."`
	Quiet      units.Duration     `json:"quiet,omitempty" jsonschema_description:"Time at the end of the run in which every fault is over. Default: a fifth of the run."`
	Count      int                `json:"count,omitempty" jsonschema_description:"How many faults are drawn at most. Default: as many as there is time for." jsonschema:"minimum=1"`
	Concurrent int                `json:"concurrent,omitempty" jsonschema_description:"How many faults may be in force at once. Default: no limit." jsonschema:"minimum=1"`
}

// ChaosKind is a kind of fault that chaos draws.
type ChaosKind string
