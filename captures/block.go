package captures

import (
	"net"
	"net/netip"
	"time"

	"netlab/netem"
	"netlab/units"
)

// Block is one piece of a capture: a [*Section], [*InterfaceDescription], [*Packet], [*Names], [*Secrets] or
// [*Statistics].
type Block interface{ block() }

// Section begins a pcapng file and says who wrote it.
type Section struct {
	// Application is the program that wrote the file, such as "netlab 0.1".
	Application string
	// Comments are lines for people, such as the lab's name and the seed.
	Comments []string
}

// LinkEthernet is the link type of Ethernet frames, the only one that netlab writes.
const LinkEthernet = 1

// InterfaceDescription tells of one interface on which packets were captured.
type InterfaceDescription struct {
	// Name is the interface's, such as "client-eth0".
	Name string
	// Description is free text. netlab puts there what the link does to packets.
	Description string
	// MAC is a 6-byte address, or nil.
	MAC net.HardwareAddr
	// Speed in bits per second; 0 is unknown.
	Speed units.BitRate
	// SnapLength is how many bytes of each packet were kept; 0 is all of them.
	SnapLength int
	// LinkType is the kind of the frames. The writers take 0 for [LinkEthernet].
	LinkType uint16
	// Filter is the capture filter, or empty.
	Filter string
}

// Packet is one captured frame.
type Packet struct {
	// Interface counts the interface descriptions before it, from 0.
	Interface int
	// Time is when it passed, to the nanosecond.
	Time time.Time
	// Directed says that Direction is known. It never is in plain pcap files.
	Directed bool
	// Direction is the way that the frame passed the interface.
	Direction netem.Direction
	// ID is the same wherever the same packet was captured, at other interfaces and in other files of the run (pcapng calls it
	// packet identifier), or 0 if that is not known. Copies that the network made of a packet share its ID, fragments don't.
	// It never is known in plain pcap files.
	ID uint64
	// Length is the frame's length on the wire in bytes; Data may hold less. The writers take 0 for len(Data).
	Length int
	// Data is the frame, as much of it as was kept.
	Data []byte
	// Comment is empty or says what happened to the frame. Several comments of one packet are read as several lines.
	Comment string
}

// Name is the name of an address.
type Name struct {
	Addr netip.Addr
	Name string
}

// Names holds names of addresses. A node with several addresses has several entries.
type Names struct{ Names []Name }

// SecretsTLS is the type of TLS secrets in the format of NSS key logs, as crypto/tls writes them.
const SecretsTLS = 0x544c534b

// Secrets lets an analyser decrypt the packets that follow.
type Secrets struct {
	// Type is what the secrets are for. The writer takes 0 for [SecretsTLS].
	Type uint32
	Data []byte
}

// Statistics counts what an interface saw. It stands at the end of a complete file.
type Statistics struct {
	// Interface counts the interface descriptions before it, from 0.
	Interface int
	// Time is when the counters were read; Start and End delimit the capture. Zero times are unknown.
	Time, Start, End time.Time
	// Received is how many packets passed the interface and Accepted how many of them the filter let through.
	Received, Accepted uint64
	// Dropped is how many packets the capture itself lost. Packets that the emulated network dropped are not counted
	// here: they are in the file, with a comment.
	Dropped uint64
}

func (*Section) block()              {}
func (*InterfaceDescription) block() {}
func (*Packet) block()               {}
func (*Names) block()                {}
func (*Secrets) block()              {}
func (*Statistics) block()           {}

// Block types of pcapng.
const (
	blockSection    = 0x0a0d0d0a
	blockInterface  = 1
	blockSimple     = 3
	blockNames      = 4
	blockStatistics = 5
	blockPacket     = 6
	blockSecrets    = 10
)

// byteOrderMagic is the first field of a section header: it reads so in the order in which the file was written.
const byteOrderMagic = 0x1a2b3c4d

// Option codes of pcapng; each kind of block has its own.
const (
	optionEnd     = 0
	optionComment = 1

	optionSectionApplication = 4

	optionInterfaceName        = 2
	optionInterfaceDescription = 3
	optionInterfaceMAC         = 6
	optionInterfaceSpeed       = 8
	optionInterfaceResolution  = 9
	optionInterfaceFilter      = 11
	optionInterfaceTimeOffset  = 14

	optionPacketFlags = 2
	optionPacketID    = 5

	optionStatisticsStart    = 2
	optionStatisticsEnd      = 3
	optionStatisticsReceived = 4
	optionStatisticsDropped  = 5
	optionStatisticsAccepted = 6
)

// Directions in the lowest two bits of a packet's flags.
const (
	flagsInbound  = 1
	flagsOutbound = 2
)

// Record types of a name resolution block.
const (
	nameEnd  = 0
	nameIPv4 = 1
	nameIPv6 = 2
)

// maxOption is the length of the longest option value in bytes.
const maxOption = 1<<16 - 1
