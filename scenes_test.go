package netlab_test

import "time"

// scene is the part of an example that its transcript shows, as lines of a ladder between nodes from a time on: all of the run, or what
// one node saw.
type scene struct {
	// node is the one whose capture is shown, "" for the run as a whole. Of a node with several interfaces, iface is the one that counts.
	node, iface string
	// watch are the nodes whose captures are read for the run as a whole, empty for all.
	watch   []string
	filter  string // of package captures; empty is everything
	nodes   []string
	from    time.Duration
	lines   int
	caption string
}

// scenes are those of all examples, by name or by name and variant.
var scenes = map[string]scene{
	"handshake": {node: "client", nodes: []string{"client", "server"}, lines: 25, caption: "All of it, as the client sees it"},
	"retransmission": {nodes: []string{"client", "server"}, from: 4805 * time.Millisecond, lines: 28,
		caption: "A loss after 4.8 s and its repair"},
	"udp-vs-tcp": {nodes: []string{"client", "server"}, from: 7400 * time.Millisecond, lines: 32,
		caption: "A datagram is lost after 7.45 s, a segment after 7.55 s"},
	"traceroute": {nodes: []string{"client", "r1", "r2", "r3", "r4", "r5", "server"}, lines: 36,
		caption: "Each probe gets one router further"},
	"lan": {node: "host1", nodes: []string{"host1", "host2", "host3", "server"}, lines: 26, caption: "What host1 sees of itself, host2, host3 and the server"},
	"dumbbell": {node: "r1", iface: "r1-eth0", nodes: []string{"sender1", "sender2", "receiver"}, lines: 26,
		caption: "Two of the fifty flows, in front of the bottleneck"},
	"partition": {filter: "tcp", nodes: []string{"client", "server"}, from: 2018 * time.Millisecond, lines: 40,
		caption: "The upload, without the pings: the partition began at 2 s and ends at 7 s"},
	"https": {node: "client", nodes: []string{"client", "server"}, lines: 32,
		caption: "The two requests over HTTPS: TCP until 0.1 s, TLS until 0.2 s, then HTTP/2"},
	"tls12-vs-tls13": {node: "old", nodes: []string{"old", "server"}, lines: 26,
		caption: "A full handshake of TLS 1.2 goes there and back twice, at 0.1 s and at 0.2 s; the request follows at 0.3 s"},
	"certificates": {node: "client", nodes: []string{"client", "server"}, from: time.Second, lines: 14,
		caption: "The expired certificate, refused after two round trips"},
	"http1-vs-http2": {node: "client-streams-loss", nodes: []string{"client-streams-loss", "server"}, from: 301 * time.Millisecond, lines: 32,
		caption: "HTTP/2 behind a loss: what comes from 0.305 s on waits in the client's stack until the gap is closed, at 0.409 s"},
	"man-in-the-middle": {node: "r1", iface: "r1-eth0", nodes: []string{"client", "server"}, lines: 30,
		caption: "Both logins as the attacker sees them: as far as TCP goes they look alike, but the first one shows the password"},
	"websocket-vs-polling/websocket":    phone(0, "phone1: TCP, a request and its 101 at 0.04 s, then messages, each of which is back after 20 ms"),
	"websocket-vs-polling/polling":      phone(20*time.Second, "phone1 asks at 20 s in vain (158 bytes); at 21 s it writes over one connection and asks over its other one"),
	"websocket-vs-polling/long-polling": phone(0, "phone1 asks at 0.02 s, writes at 1 s over a second connection, is answered at 1.04 s, and asks again at once"),
	"dns": {node: "client1", nodes: []string{"client1", "ns", "web1"}, lines: 44,
		caption: "All that client1 sends and gets until 30 s: the last two answers of the name server are of 18 s, and the page of 'shop' comes nevertheless"},
	"pagination/stateless": {node: "client2", nodes: []string{"client2", "ns", "web1", "web2"}, lines: 30,
		caption: "The first page from web1, the second from web2: each with a question for the name and a connection of its own"},
	"pagination/stateful": {node: "client1", nodes: []string{"client1", "ns", "web1", "web2"}, from: 1100 * time.Millisecond, lines: 30,
		caption: "The last page of client1's first walk, from web1, and all of the second walk: the page that web2 had left"},
	"third-syn-ack": {node: "client3", nodes: []string{"client3", "server"}, lines: 20,
		caption: "The third client: its SYN goes unanswered, and is sent again after 1 s"},
	"crash-restart": {node: "patient", nodes: []string{"patient", "server"}, from: 3500 * time.Millisecond, lines: 20,
		caption: "The last echo before the crash at 5 s, then silence, until the server that is back since 8 s answers with a reset"},
	"one-way-partition": {filter: "icmp", nodes: []string{"a", "b"}, from: 1945 * time.Millisecond, lines: 16,
		caption: "The pings: from 2 s on the requests of b are dropped as they leave, and so are its answers to those of a, which do arrive"},
	"bufferbloat/drop-tail": slowPing("A ping of 20 ms takes 0.4 s"),
	"bufferbloat/codel":     slowPing("The same ping behind CoDel"),
	"bufferbloat/fq-codel":  slowPing("The same ping beside the download's queue"),
	"wifi": {node: "ap", iface: "ap-eth1", filter: "udp", nodes: []string{"client-bursts", "server"}, from: 3 * time.Second, lines: 20,
		caption: "The call over the link with bursts, as the access point hears it"},
	"flapping-link/static": {node: "r1", iface: "r1-eth0", nodes: []string{"client", "server"}, from: 9980 * time.Millisecond, lines: 14,
		caption: "At 10 s the link goes down, and answers stay out"},
	"flapping-link/dynamic": {node: "r1", iface: "r1-eth0", nodes: []string{"client", "server"}, from: 10980 * time.Millisecond, lines: 20,
		caption: "At 11 s the routes lead the long way: the answers come after 80 ms"},
	"satellite": {node: "client-geo", nodes: []string{"client-geo", "server"}, lines: 24,
		caption: "Over the geostationary satellite: the first byte of the page comes after 1.9 s"},
	"bad-day": {node: "r2", iface: "r2-eth0", filter: "tcp", nodes: []string{"client4", "server"}, from: 830 * time.Millisecond, lines: 30,
		caption: "A little of it, behind the path: a damaged segment, duplicates, and some that are late"},
	"nat/full-cone":            door("All three who knock at port 4000 get an answer, at 2, 4 and 8 s"),
	"nat/restricted-cone":      door("alice's knock at 2 s and bob's at 8 s are answered, bob's at 4 s is not"),
	"nat/port-restricted-cone": door("Nobody who knocks is answered; bob sees the same port as alice"),
	"nat/symmetric":            door("Nobody who knocks is answered, and bob sees port 4001 at 6 s"),
	"reverse-proxy": {node: "web1", filter: "tcp", nodes: []string{"www", "web1"}, from: 2 * time.Second, lines: 24,
		caption: "The picture, as the server sees it: one request in clear, from the proxy, and no other; then a health check"},
	"forward-proxy": {node: "client", nodes: []string{"client", "proxy"}, from: 6 * time.Second, lines: 30,
		caption: "The order at the shop: TCP to the proxy, CONNECT and its 200, then TLS with the shop through it"},
	"balancer-failover/active-passive": {node: "lb2", filter: "not tcp", nodes: []string{"lb1", "lb2", "r1"}, from: 8 * time.Second, lines: 16,
		caption: "lb1's advertisements until 9.22 s, silence, and at 12.83 s lb2: a gratuitous ARP packet and an advertisement"},
	"availability/one-server": {node: "clients", nodes: []string{"clients", "web1"}, from: 10200 * time.Millisecond, lines: 22,
		caption: "The last answer is that of 10.2 s; then TCP goes on asking, and so do the users"},
	"availability/two-servers": {node: "web1", filter: "tcp", nodes: []string{"lb", "web1"}, from: 9900 * time.Millisecond, lines: 30,
		caption: "web1: requests and the check of 10 s, the crash at 10.25 s, and the checks from 21 s on"},
	"availability/two-servers-and-retries": {node: "lb", nodes: []string{"clients", "lb", "web1", "web2"}, from: 10395 * time.Millisecond, lines: 40,
		caption: "The request of 10.4 s goes to web1, which is gone, and at 10.9 s to web2"},
	"denial-of-service/syn-flood": {node: "server", nodes: []string{"user1", "user2", "server"}, from: 3487 * time.Millisecond, lines: 24,
		caption: "Half a second into the attack the queue is full: user2's SYN is the last that is answered. The bot's packets are left out"},
	"denial-of-service/syn-cookies": {node: "server", nodes: []string{"user1", "user2", "server"}, from: 3487 * time.Millisecond, lines: 24,
		caption: "The same time with cookies: every SYN is answered, users go on, and their SYN-ACKs offer neither SACK nor a window scale"},
	"load-balancing/round-robin":         slow("After four seconds web4 is far behind: what it answers now came in long ago"),
	"load-balancing/least-response-time": slow("The same time with least response time: a request now and then, and an answer before the next one"),
	"load-balancing/source-hash":         slow("The same time with the source hash"),
	"scaling/one-core":                   knock("A second into each load: answered after 39 ms, 0.6 s and 2.2 s"),
	"scaling/two-servers":                knock("The same requests at two servers: the second load is no trouble any more"),
	"browser-cache/max-age":              views(8*time.Second, "The last picture of the first view, and then nothing until the connection is closed: two views without a packet"),
	"browser-cache/revalidate":           views(10*time.Second, "The second view asks for each picture whether it has changed, and each answer is a 304 without content"),
	"cache-strategies/cache-aside": {node: "app", lines: 30,
		caption: "The application server: a miss at the cache, the slow store, and the cache is told"},
	"cache-strategies/write-back": {node: "app", from: 5 * time.Second, lines: 30,
		caption: "Writes go to the cache's side alone, and are answered at once; the store hears of them later"},
	"consistent-hashing/ring-160": {node: "cache3", filter: "tcp", nodes: []string{"lb", "cache3", "shop"}, lines: 24,
		caption: "cache3 is asked for a page that it doesn't have, and fetches it from the shop"},
	"eviction/lru": {node: "reader", lines: 20, caption: "A reader asks; hits and misses look alike from here, but for the time that they take"},
	"cdn/pull": {node: "edge-ap", nodes: []string{"user-ap1", "edge-ap", "origin", "editor"}, from: 12100 * time.Millisecond, lines: 30,
		caption: "The purge at the edge in Asia, then a look at the page: a miss, for which it asks the origin over the connection that it has"},
	"l4-vs-l7/nat": {node: "lb", lines: 14,
		caption: "NAT at the balancer: each packet comes in and goes out with another address"},
	"l4-vs-l7/direct-return": {node: "lb", lines: 12,
		caption: "Direct server return at the balancer: only what the client sends"},
	"l4-vs-l7/l7": {node: "lb", lines: 18,
		caption: "Layer 7 at the balancer: two connections, and the request is sent anew"},
	"capacity/one-core":  visit("The visitor during 'beyond', which begins at 300 s: answered after 4 ms, 0.8 s, 1.2 s, 1.9 s, 2.4 s, 2.8 s, 4.3 s, 5.0 s"),
	"capacity/two-cores": visit("The same requests at a server with two cores: no queue to speak of"),
}

// phone is what phone1 sees of a chat.
func phone(from time.Duration, caption string) scene {
	return scene{node: "phone1", nodes: []string{"phone1", "server"}, from: from, lines: 21, caption: caption}
}

// slowPing is a ping beside a download.
func slowPing(caption string) scene {
	return scene{node: "laptop", nodes: []string{"laptop", "server"}, from: 20 * time.Second, lines: 12, caption: caption}
}

// door is what passes between a router that translates addresses and those outside, as they see it.
func door(caption string) scene {
	return scene{watch: []string{"alice", "bob"}, nodes: []string{"home", "alice", "bob"}, lines: 24, caption: caption}
}

// views is what a browser sees of its own traffic.
func views(from time.Duration, caption string) scene {
	return scene{node: "browser", nodes: []string{"browser", "server"}, from: from, lines: 14, caption: caption}
}

// slow is what the slow server of several sees.
func slow(caption string) scene {
	return scene{node: "web4", filter: "http", nodes: []string{"lb", "web4"}, from: 4 * time.Second, lines: 12, caption: caption}
}

// knock is what the only client sees that is captured of servers that are scaled.
func knock(caption string) scene {
	return scene{node: "visitor", nodes: []string{"visitor", "lb"}, lines: 21, caption: caption}
}

// visit is what the only client sees that is captured of a server under load.
func visit(caption string) scene {
	return scene{node: "visitor", nodes: []string{"visitor", "server"}, from: 300 * time.Second, lines: 32, caption: caption}
}
