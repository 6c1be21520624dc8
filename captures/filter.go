package captures

import "fmt"

// Filter chooses frames by what is in their headers and, as far as that can be told from one packet alone, by what the
// application sends. A nil Filter chooses all.
//
// The language is like tcpdump's:
//
//	tcp                    TCP over IPv4 and IPv6, later fragments too
//	udp                    UDP over IPv4 and IPv6, later fragments too
//	icmp                   ICMP of either version, later fragments too
//	icmp4                  ICMP over IPv4
//	icmp6                  ICMP over IPv6
//	icmp TYPE              echo, echo-reply, unreachable, time-exceeded or too-big, of either version; also after icmp4
//	                       and icmp6
//	arp                    ARP
//	ip                     IPv4
//	ip6                    IPv6
//	host X                 sent from or to X, a node or an address; ARP asking or telling of it too
//	net N                  sent from or to an address in N, such as 10.0.0.0/8 or fd00::/64; ARP asking or telling of one
//	                       too
//	port P                 a TCP or UDP port at either end, such as 80, or one of several, such as 1000-2000
//	src host X             sent from X; also src net N and src port P
//	dst host X             sent to X; also dst net N and dst port P
//	size > N               the IP packet, by the length in its header, is larger than N
//	ttl > N                the time to live of IPv4 or the hop limit of IPv6 is more than N
//	dscp D                 the differentiated services code point, by name (RFC 4594), such as ef, or number
//	ecn E                  explicit congestion notification (RFC 3168): not-ect, ect0, ect1 or ce
//	fragment               any fragment of an IP packet
//	first-fragment         the fragment with which a packet begins
//	later-fragment         a fragment other than the first
//	syn                    TCP with SYN but without ACK: the first segment of a connection
//	syn-ack                TCP with SYN and ACK: the answer to it
//	fin                    TCP with FIN
//	rst                    TCP with RST
//	pure-ack               TCP with ACK, without SYN, FIN, RST and payload; window updates and keep-alives too
//	flags A,B              TCP with the flags A and B, whatever the others are: fin, syn, rst, psh, ack, urg, ece and cwr
//	flags = A,B            TCP with the flags A and B and no others
//	data                   TCP or UDP with payload
//	payload-size > N       the payload of TCP, UDP or ICMP, by the lengths in the headers, is larger than N
//	payload "GET /"        the payload of TCP, UDP or ICMP contains that text
//	payload hex 160301     the payload contains those bytes
//	payload-prefix "GET /" the payload begins with that text; also payload-prefix hex 160301
//	tls                    TCP whose payload begins with the header of a TLS record
//	tls RECORD             a record of that type begins in the segment: handshake, application, alert or
//	                       change-cipher-spec
//	tls MESSAGE            a handshake message of that type lies in a record that begins in the segment: client-hello,
//	                       server-hello, certificate, server-key-exchange, certificate-request, server-hello-done,
//	                       certificate-verify, client-key-exchange, certificate-status, new-session-ticket or finished
//	dns                    a DNS message on port 53 of UDP or TCP
//	dns query              a message that asks
//	dns response           a message that answers
//	dns name "web.lab"     a message whose question is about that name, in upper or lower case
//	http                   HTTP/1 in clear: the segment with which a request or a response begins
//	http request           the payload begins with a method and a target
//	http response          the payload begins with "HTTP/1."
//	tcp port P             short for "tcp and port P"; also "udp dst port P", "ip src host X" and the like
//	not F, ! F             frames that F doesn't choose; it binds tightest
//	F and G, F && G        frames that both choose
//	F or G, F || G         frames that one of them chooses
//	( F )                  grouping
//
// "a and b or c" means "(a and b) or c". But "a or b and c" is an error that asks for parentheses, because tcpdump reads it
// as "(a or b) and c" and most other languages the other way. An empty text chooses all.
//
// For > there can be also =, !=, <, <= and >=. Sizes are numbers of bytes with or without a unit, such as 1000 or 1KiB; a
// time to live is a number from 0 to 255. Text in quotes is written as in Go: "\x00", "\r\n", "\"".
//
// What a frame doesn't have is not compared with anything: "ttl != 1" and "payload-size = 0" don't choose ARP, and "not
// ttl = 1" does. Of broken headers those parts are read that are there.
//
// Fragments are looked at one by one. Those other than the first have neither ports nor flags nor payload, and of the
// first one the payload is what it has itself. The payload of ICMP is what follows the first 8 bytes of the message, so
// that of errors is the packet that they quote. "icmp unreachable" is any destination unreachable except the code
// "fragmentation needed" of IPv4, which is too-big, as packet too big of IPv6 is.
//
// Segments are not put together. What an application sends is seen only in the segment in which it begins: a text that is
// spread over two segments is not found, TLS records are found one after another from the start of a payload, and one that
// begins in a segment which itself begins in the middle of another record is not. A frame that was cut short is
// chosen by what is left of it.
//
// TLS encrypts most of its handshake. In TLS 1.3 all that follows the ServerHello looks like application data: certificate,
// certificate-request, certificate-verify, finished and new-session-ticket can be seen only in TLS 1.2 and before (RFC 8446,
// section 2). Finished is encrypted there too; it is the handshake record that follows ChangeCipherSpec, and is known
// where both are in one segment (RFC 5246, section 7.4.9).
type Filter struct {
	text string
	root node
}

// FilterError is a mistake in the text of a filter.
type FilterError struct {
	// Offset is where the mistake begins in the text, in bytes from 0.
	Offset int
	// Problem says what was found and what was wanted.
	Problem string
}

// Error returns offset and problem.
func (e *FilterError) Error() string {
	return fmt.Sprintf("filter, at offset %d: %s", e.Offset, e.Problem)
}

// String returns the text that the filter was made from, and "" for nil.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Match reports whether the filter chooses an Ethernet frame. It allocates nothing, takes any bytes and may be called by
// several goroutines at once.
func (f *Filter) Match(frame []byte) bool {
	if f == nil {
		return true
	}
	var v view
	v.dissect(frame)
	return f.root.match(&v)
}
