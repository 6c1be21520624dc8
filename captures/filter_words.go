package captures

import (
	"slices"
	"strings"
)

// FilterWord is a form of the language of filters, for documentation.
type FilterWord struct {
	// Form is how it is written. Words in capitals stand for what is chosen.
	Form string
	// Meaning says which frames it chooses.
	Meaning string
}

// filterForm is a form that begins with a word of its own, the first of form.
type filterForm struct {
	form, meaning string
	// node is what the word alone means.
	node node
	// read reads what comes after the word t. Nil is for a word that is complete.
	read func(p *filterParser, t token) (node, error)
}

func (f *filterForm) word() string {
	word, _, _ := strings.Cut(f.form, " ")
	return word
}

// filterForms are all forms but those that join others. Of two with the same word the first one reads them both.
var filterForms = []filterForm{
	{"tcp", "TCP over IPv4 and IPv6, later fragments too", node{op: opProto, value: protoTCP}, nil},
	{"udp", "UDP over IPv4 and IPv6, later fragments too", node{op: opProto, value: protoUDP}, nil},
	{"icmp", "ICMP of either version, later fragments too", node{}, readICMP},
	{"icmp4", "ICMP over IPv4", node{}, readICMP},
	{"icmp6", "ICMP over IPv6", node{}, readICMP},
	{"icmp TYPE", "echo, echo-reply, unreachable, time-exceeded or too-big, of either version; also after icmp4 and icmp6", node{}, readICMP},
	{"arp", "ARP", node{op: opEther, value: etherARP}, nil},
	{"ip", "IPv4", node{op: opEther, value: etherIPv4}, nil},
	{"ip6", "IPv6", node{op: opEther, value: etherIPv6}, nil},

	{"host X", "sent from or to X, a node or an address; ARP asking or telling of it too", node{}, readEnd},
	{"net N", "sent from or to an address in N, such as 10.0.0.0/8 or fd00::/64; ARP asking or telling of one too", node{}, readEnd},
	{"port P", "a TCP or UDP port at either end, such as 80, or one of several, such as 1000-2000", node{}, readEnd},
	{"src host X", "sent from X; also src net N and src port P", node{}, readSide},
	{"dst host X", "sent to X; also dst net N and dst port P", node{}, readSide},

	{"size > N", "the IP packet, by the length in its header, is larger than N", node{}, readComparison},
	{"ttl > N", "the time to live of IPv4 or the hop limit of IPv6 is more than N", node{}, readComparison},
	{"dscp D", "the differentiated services code point, by name (RFC 4594), such as ef, or number", node{}, readDSCP},
	{"ecn E", "explicit congestion notification (RFC 3168): not-ect, ect0, ect1 or ce", node{}, readECN},
	{"fragment", "any fragment of an IP packet", node{op: opFragment, value: fragmentAny}, nil},
	{"first-fragment", "the fragment with which a packet begins", node{op: opFragment, value: fragmentFirst}, nil},
	{"later-fragment", "a fragment other than the first", node{op: opFragment, value: fragmentLater}, nil},

	{"syn", "TCP with SYN but without ACK: the first segment of a connection", flagsNode(flagSYN|flagACK, flagSYN), nil},
	{"syn-ack", "TCP with SYN and ACK: the answer to it", flagsNode(flagSYN|flagACK, flagSYN|flagACK), nil},
	{"fin", "TCP with FIN", flagsNode(flagFIN, flagFIN), nil},
	{"rst", "TCP with RST", flagsNode(flagRST, flagRST), nil},
	{"pure-ack", "TCP with ACK, without SYN, FIN, RST and payload; window updates and keep-alives too", node{op: opPureAck}, nil},
	{"flags A,B", "TCP with the flags A and B, whatever the others are: fin, syn, rst, psh, ack, urg, ece and cwr", node{}, readFlags},
	{"flags = A,B", "TCP with the flags A and B and no others", node{}, readFlags},

	{"data", "TCP or UDP with payload", node{op: opData}, nil},
	{"payload-size > N", "the payload of TCP, UDP or ICMP, by the lengths in the headers, is larger than N", node{}, readComparison},
	{`payload "GET /"`, "the payload of TCP, UDP or ICMP contains that text", node{}, readPayload},
	{"payload hex 160301", "the payload contains those bytes", node{}, readPayload},
	{`payload-prefix "GET /"`, "the payload begins with that text; also payload-prefix hex 160301", node{}, readPayload},

	{"tls", "TCP whose payload begins with the header of a TLS record", node{}, readTLS},
	{"tls RECORD", "a record of that type begins in the segment: handshake, application, alert or change-cipher-spec", node{}, readTLS},
	{"tls MESSAGE", "a handshake message of that type lies in a record that begins in the segment: " + tlsMessageList(), node{}, readTLS},
	{"dns", "a DNS message on port 53 of UDP or TCP", node{}, readDNS},
	{"dns query", "a message that asks", node{}, readDNS},
	{"dns response", "a message that answers", node{}, readDNS},
	{`dns name "web.lab"`, "a message whose question is about that name, in upper or lower case", node{}, readDNS},
	{"http", "HTTP/1 in clear: the segment with which a request or a response begins", node{}, readHTTP},
	{"http request", "the payload begins with a method and a target", node{}, readHTTP},
	{"http response", `the payload begins with "HTTP/1."`, node{}, readHTTP},
}

// filterJoints are the forms that are made of others.
var filterJoints = []FilterWord{
	{"tcp port P", `short for "tcp and port P"; also "udp dst port P", "ip src host X" and the like`},
	{"not F, ! F", "frames that F doesn't choose; it binds tightest"},
	{"F and G, F && G", "frames that both choose"},
	{"F or G, F || G", "frames that one of them chooses"},
	{"( F )", "grouping"},
}

// protocolWords are the words of protocols, after which src, dst and port may follow without "and".
var protocolWords = []string{"tcp", "udp", "icmp", "icmp4", "icmp6", "arp", "ip", "ip6"}

// endWords are the words with which forms about the ends of a packet begin.
var endWords = []string{"host", "net", "port", "src", "dst"}

// FilterWords returns all forms of the language of filters in the order of the documentation at [Filter].
func FilterWords() []FilterWord {
	var words []FilterWord
	for _, f := range filterForms {
		words = append(words, FilterWord{f.form, f.meaning})
	}
	return append(words, filterJoints...)
}

// filterWords returns the words with which a filter can begin.
func filterWords() []string {
	var words []string
	for _, f := range filterForms {
		if word := f.word(); !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return append(words, "not")
}
