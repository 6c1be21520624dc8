package topology

import (
	"encoding/json"
	"io/fs"
	"net/netip"

	"netlab/services"
	"netlab/services/slo"
	"netlab/units"
)

// Topology is one file: what there is, what happens to it and what is expected. [Load] makes it; Go programs may also
// fill it by hand and call [Topology.Resolve].
type Topology struct {
	Schema      string         `json:"$schema,omitempty" jsonschema_description:"Where editors find the JSON schema of this file; netlab doesn't read it."`
	Name        string         `json:"name,omitempty" jsonschema_description:"Name of the lab, an RFC 1123 label; the output folder is called so. Default: the file's name without its ending."`
	Description string         `json:"description,omitempty" jsonschema_description:"What one sees in this lab."`
	Seed        uint64         `json:"seed,omitempty" jsonschema_description:"Seed of all random choices. The same seed gives the same packets." jsonschema:"minimum=1,maximum=18446744073709551615,default=1"`
	Duration    units.Duration `json:"duration,omitempty" jsonschema_description:"How long the run lasts in virtual time. Default: until all workloads are done."`
	Defaults    Defaults       `json:"defaults,omitzero" jsonschema_description:"Values for all links and nodes that don't say otherwise."`
	Profiles    Map[Profile]   `json:"profiles,omitzero" jsonschema_description:"Properties of links by name, for the links' profile; beside those that netlab has."`
	Nodes       Map[Node]      `json:"nodes" jsonschema_description:"Hosts, routers and switches by name; a range such as web[1..3] stands for several." jsonschema:"required"`
	Links       []Link         `json:"links,omitempty" jsonschema_description:"Links between nodes: \"a - b\", or an object with properties."`
	Addresses   Map[Address]   `json:"addresses,omitzero" jsonschema_description:"Addresses with a name of their own: virtual addresses, which move between hosts, and anycast addresses, which several hosts have."`
	Workloads   Map[Workload]  `json:"workloads,omitzero" jsonschema_description:"What clients do, by name."`
	Routing     *Routing       `json:"routing,omitempty" jsonschema_description:"Whether routes follow links and routers that fail: static, dynamic, or an object. Default static."`
	Faults      []Fault        `json:"faults,omitempty" jsonschema_description:"What breaks and when."`
	Chaos       *Chaos         `json:"chaos,omitempty" jsonschema_description:"Faults that are drawn from the seed, beside those of the list."`
	Captures    *Captures      `json:"captures,omitempty" jsonschema_description:"What is captured. Default: every node of a lab of up to 64 nodes, nothing in a larger one."`
	Telemetry   *Telemetry     `json:"telemetry,omitempty" jsonschema_description:"What is taken down over time beside packets: true, false, \"on\", \"off\", or an object. Default: the TCP connections of every host and the traffic of every link of a lab of up to 64 nodes, nothing in a larger one."`
	Expect      []string       `json:"expect,omitempty" jsonschema_description:"Expressions over the results that have to hold."`
	Sweep       *Sweep         `json:"sweep,omitempty" jsonschema_description:"Plays the file several times: with several seeds, and with several values of what it says."`
	Variants    Map[RawObject] `json:"variants,omitzero" jsonschema_description:"Changes to parts of the file by name; each variant is run, one after the other."`

	// Files is where the files are that the topology names, such as tables of delays. Load takes it from its options.
	Files fs.FS `json:"-"`
	// contents are the files that it names, once they have been read.
	contents map[string][]byte
	// checkFilter is that of the options with which it was resolved.
	checkFilter func(filter string, nodes []string) error
}

// Defaults are values for everything that doesn't say otherwise.
type Defaults struct {
	Link LinkParams `json:"link,omitzero" jsonschema_description:"Properties of links that don't give them."`
	TCP  TCP        `json:"tcp,omitzero" jsonschema_description:"TCP settings of hosts that don't give them."`
	IP   IPFamilies `json:"ip,omitempty" jsonschema_description:"IP versions of nodes that don't give them." jsonschema:"enum=dual,enum=ipv4,enum=ipv6,default=dual"`
	DNS  DNS        `json:"dns,omitzero" jsonschema_description:"Name servers of hosts that don't give them."`
}

// NodeKind is what a node is.
type NodeKind string

// The kinds of nodes.
const (
	Host   NodeKind = "host"
	Router NodeKind = "router"
	Switch NodeKind = "switch"
)

// IPFamilies says which IP versions a node speaks.
type IPFamilies string

// The combinations of IP versions.
const (
	Dual     IPFamilies = "dual"
	IPv4Only IPFamilies = "ipv4"
	IPv6Only IPFamilies = "ipv6"
)

// Node is a host, a router or a switch.
type Node struct {
	Kind     NodeKind           `json:"kind,omitempty" jsonschema_description:"What the node is. Default host." jsonschema:"enum=host,enum=router,enum=switch,default=host"`
	IP       IPFamilies         `json:"ip,omitempty" jsonschema_description:"IP versions that a host or router speaks. Default dual; names then resolve to IPv4 first." jsonschema:"enum=dual,enum=ipv4,enum=ipv6,default=dual"`
	Prefer   IPFamilies         `json:"prefer,omitempty" jsonschema_description:"IP version that a dual-stack host dials first. Default ipv4." jsonschema:"enum=ipv4,enum=ipv6,default=ipv4"`
	Location *services.Location `json:"location,omitempty" jsonschema_description:"Where the node is: a region such as eu-west, or degrees \"latitude,longitude\". Only services look at it, such as a balancer that chooses the nearest backend: the latency of a link is what the link says. Default: unknown."`
	Services Map[Service]       `json:"services,omitzero" jsonschema_description:"What runs on a host, by name."`
	TCP      TCP                `json:"tcp,omitzero" jsonschema_description:"TCP settings of a host."`
	DNS      DNS                `json:"dns,omitzero" jsonschema_description:"Name servers that a host asks for names: a node with a dns-server, a list of them, or an object. Default: none; the host then knows the names of all nodes and sends no packet for them."`
	Disk     *Disk              `json:"disk,omitempty" jsonschema_description:"How fast and how large a host's disk is. Default: without limits."`
	Firewall *Firewall          `json:"firewall,omitempty" jsonschema_description:"Stateful packet filter of a router. Default: none."`
	NAT      *NAT               `json:"nat,omitempty" jsonschema_description:"Address translation of a router (IPv4). Default: none."`
	Routes   []Route            `json:"routes,omitzero" jsonschema_description:"Routes of a host or router beyond its own networks. Default: shortest paths by latency. When given, these are all."`
	// Subnets and Ageing and Neighbors belong to switches.
	Subnets   []netip.Prefix `json:"subnets,omitempty" jsonschema_description:"IPv4 and IPv6 networks of the segment behind a switch. Default: 10.x.0.0/16 and fd00:0:0:x::/64 after a hash of the switch's name."`
	Ageing    units.Duration `json:"ageing,omitempty" jsonschema_description:"How long a switch remembers where a MAC address is. Default 5m (IEEE 802.1Q)."`
	Neighbors Neighbors      `json:"neighbors,omitempty" jsonschema_description:"How nodes behind a switch find each other's MAC addresses: resolve asks by ARP and neighbour discovery, static knows them from the start." jsonschema:"enum=resolve,enum=static,default=resolve"`
}

// Neighbors says how nodes behind a switch know each other's MAC addresses.
type Neighbors string

// The ways to know a neighbour.
const (
	Resolve Neighbors = "resolve"
	Static  Neighbors = "static"
)

// TCP holds the TCP settings of a host; zero values mean the default.
type TCP struct {
	CongestionControl string         `json:"congestion_control,omitempty" jsonschema_description:"Congestion control. Only cubic (RFC 9438): the stack's Reno grows by one segment for each ACK and so isn't Reno." jsonschema:"enum=cubic,default=cubic"`
	SACK              *bool          `json:"sack,omitempty" jsonschema_description:"Selective acknowledgements (RFC 2018)." jsonschema:"default=true"`
	RACK              *bool          `json:"rack,omitempty" jsonschema_description:"RACK-TLP loss detection (RFC 8985)." jsonschema:"default=true"`
	NoDelay           *bool          `json:"no_delay,omitempty" jsonschema_description:"Send small segments at once, without Nagle's algorithm (RFC 896)." jsonschema:"default=true"`
	SendBuffer        units.Bytes    `json:"send_buffer,omitempty" jsonschema_description:"Send buffer of a connection, and so the most that is sent and not acknowledged. Default 4MiB, tuned up to 16MiB; when given it is not tuned."`
	ReceiveBuffer     units.Bytes    `json:"receive_buffer,omitempty" jsonschema_description:"Receive buffer of a connection, and so the largest window that it offers. Default 512KiB, tuned up to 8MiB; when given it is not tuned."`
	KeepAlive         units.Duration `json:"keep_alive,omitempty" jsonschema_description:"Idle time after which a keep-alive probe is sent, and the time between unanswered ones; after nine the connection is given up. Default: none are sent."`
	UserTimeout       units.Duration `json:"user_timeout,omitempty" jsonschema_description:"How long sent data may stay unacknowledged before the connection is given up (RFC 5482); that of a single segment counts from its tail loss probe. Default: 15 retransmissions."`
	Backlog           int            `json:"backlog,omitempty" jsonschema_description:"How many connections of a listener may be half-open, and how many may wait to be accepted. Default 4096." jsonschema:"minimum=1,maximum=65536"`
	SYNCookies        string         `json:"syn_cookies,omitempty" jsonschema_description:"What a listener does with SYNs (RFC 4987): auto answers them with cookies while backlog connections are half-open, always answers all of them so, never drops those for which there is no room. Connections that begin with a cookie have neither window scaling nor SACK. Default auto." jsonschema:"enum=auto,enum=always,enum=never"`
}

// DNS says how a host finds names. Without servers it knows those of all nodes.
type DNS struct {
	Servers  Patterns       `json:"servers,omitzero" jsonschema_description:"Nodes with a dns-server on port 53, in the order in which they are asked. An empty list means none."`
	Search   []string       `json:"search,omitzero" jsonschema_description:"Domains that complete a name: web1 is looked up as web1.lab. Default: the zones of the servers. An empty list means none."`
	Timeout  units.Duration `json:"timeout,omitempty" jsonschema_description:"How long a server has for an answer. Default 5s."`
	Attempts int            `json:"attempts,omitempty" jsonschema_description:"How often all servers are asked before a lookup fails. Default 2."`
	Cache    *bool          `json:"cache,omitempty" jsonschema_description:"Whether answers are kept for their time to live." jsonschema:"default=true"`
}

// Route is one entry of a node's routing table.
type Route struct {
	To  netip.Prefix `json:"to" jsonschema_description:"Destination network, such as 10.2.0.0/16; 0.0.0.0/0 and ::/0 are default routes." jsonschema:"required"`
	Via netip.Addr   `json:"via" jsonschema_description:"Address of the next router, on one of the node's own networks." jsonschema:"required"`
}

// Service is a service of a host: a type of the catalog and its configuration.
type Service struct {
	Type   string          `json:"type" jsonschema:"required"`
	Config services.Config `json:"-"` // the decoded rest of the object; part of the same JSON object as Type
}

// Workload is a workload: a type of the catalog, the hosts it runs on and its configuration.
type Workload struct {
	Type   string          `json:"type" jsonschema:"required"`
	From   Patterns        `json:"from" jsonschema_description:"Hosts that it runs on: a name, a range or a glob, or a list of them." jsonschema:"required"`
	Start  units.Duration  `json:"start" jsonschema_description:"When it starts, from the start of the run. Default 0s."`
	SLO    *slo.Config     `json:"slo,omitempty" jsonschema_description:"What was promised to its users: a service level objective. The results then say how available the service was to them, for how long it wasn't, and what that costs. Default: nothing."`
	Config services.Config `json:"-"`
}

// Patterns is one pattern or a list of them; in the file a single one is a plain string.
type Patterns []string

// Captures says what is captured.
type Captures struct {
	Nodes      Patterns     `json:"nodes,omitzero" jsonschema_description:"Nodes at which frames are captured, one file each. Default: all. An empty list switches captures off."`
	Interfaces Patterns     `json:"interfaces,omitempty" jsonschema_description:"Only these interfaces of those nodes, such as client-eth0. Default: all."`
	Filter     string       `json:"filter,omitempty" jsonschema_description:"Only frames for which this holds: tcp, udp, icmp, arp, ip, ip6, host NAME, port N, src and dst before host and port, joined by and, or, not and parentheses."`
	Secrets    Patterns     `json:"secrets,omitzero" jsonschema_description:"Captured nodes whose files hold the secrets of all TLS connections, so that Wireshark decrypts them. Default: all captured nodes. An empty list leaves the secrets out."`
	SnapLength *units.Bytes `json:"snap_length,omitempty" jsonschema_description:"How much of each frame is kept. Default: all of it."`
	Format     string       `json:"format,omitempty" jsonschema_description:"File format." jsonschema:"enum=pcapng,enum=pcap,default=pcapng"`
}

// Telemetry says what is taken down of the run over virtual time: how the congestion control of hosts' TCP connections fares, and what
// links carry.
type Telemetry struct {
	Nodes  Patterns `json:"nodes,omitzero" jsonschema_description:"Hosts whose TCP connections are watched. Default: all. An empty list switches telemetry off, that of links too."`
	Points int      `json:"points,omitempty" jsonschema_description:"How many points a connection's series has at most; when there are more, those that are close to each other become one that keeps the extremes. Default 512." jsonschema:"minimum=16,maximum=65536,default=512"`
}

// RawObject is a part of a file that is merged into it later.
type RawObject json.RawMessage
