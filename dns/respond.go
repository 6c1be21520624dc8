package dns

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	wire "github.com/miekg/dns"
)

// headerSize is the size of a message without anything in it.
const headerSize = 12

// respond returns the bytes of the reply to what a client has sent, nil when it deserves none, and what is worth counting. A
// limit of 0 means that the reply may be as long as it likes: over TCP.
func (z *Zone) respond(packet []byte, client netip.Addr, udp bool) (reply []byte, note note) {
	query := new(wire.Msg)
	if err := query.Unpack(packet); err != nil {
		return malformed(packet), note
	}
	if query.Response {
		return nil, note // an answer to nobody's question would go back and forth for ever
	}
	return pack(query, z.Answer(query, client), udp)
}

// pack returns the bytes of the answer to a query, and what is worth counting.
func pack(query, answer *wire.Msg, udp bool) (reply []byte, note note) {
	if len(query.Question) == 1 {
		note.qtype = typeName(query.Question[0].Qtype)
	}
	if udp {
		answer.Truncate(replySize(query))
		note.truncated = answer.Truncated
	} else {
		answer.Truncate(wire.MaxMsgSize)
	}
	answer.Compress = true // Truncate switches it off where it is not needed
	note.rcode = rcodeName(answer.Rcode)
	packed, err := answer.Pack()
	if err != nil {
		// What can be asked can be answered: a name that was unpacked packs again, and the records were checked.
		return nil, note
	}
	return packed, note
}

// note is what a server counts of a query.
type note struct {
	qtype, rcode string // "" where it was no query
	truncated    bool
	failed       bool // a failure decided on it
	silent       bool // and it gets no reply
}

// replySize is the largest reply that the sender of a query takes over UDP (RFC 6891, section 6.2.3).
func replySize(query *wire.Msg) int {
	opt := query.IsEdns0()
	if opt == nil {
		return wire.MinMsgSize
	}
	return min(max(int(opt.UDPSize()), wire.MinMsgSize), serverSize)
}

// malformed returns the reply to what is no message: the header with an error, or nil when not even that can be read.
func malformed(packet []byte) []byte {
	const response = 1 << 15
	if len(packet) < headerSize || binary.BigEndian.Uint16(packet[2:])&response != 0 {
		return nil
	}
	reply := make([]byte, headerSize)
	copy(reply, packet[:2])
	binary.BigEndian.PutUint16(reply[2:], response|wire.RcodeFormatError)
	return reply
}

// typeName is the name of a record type in results.
func typeName(t uint16) string { return wire.Type(t).String() }

// rcodeName is the name of a response code in results.
func rcodeName(code int) string {
	if name, ok := wire.RcodeToString[code]; ok {
		return name
	}
	return "RCODE" + strconv.Itoa(code)
}
