// Package captures writes, reads and explains what went over the wire.
//
// A run of netlab leaves one capture file for each node that the lab file asks for: the frames as that node's interfaces
// saw them, in the pcapng format that Wireshark and tshark open. One file is one vantage point. A merged file would count
// every packet twice, and an analyser expects to sit in one place.
//
// # Writing
//
// A [Set] is the tap of a whole run (it implements [netem.Tap]). Frames are copied into memory while the emulation goes on;
// the engine calls [Set.Flush] between two events, so that no goroutine of the run is ever inside a system call. A [Writer]
// writes a single pcapng stream and is what tests and tools use; a [PlainWriter] writes the older pcap format.
//
// What a pcapng file of netlab holds, in this order:
//
//   - a section header with the program's name and the comments of the run (lab and seed);
//   - one interface for each network interface of the node, with name, MAC address, speed, the capture filter and, as
//     its description, what the link does to packets; time stamps are nanoseconds;
//   - the names of all addresses (switch name resolution on to see them: tshark -N n);
//   - packets with their direction, a number that is the same in all files of the run (frame.packet_id in Wireshark) and,
//     where netlab did something to one, a comment ("dropped: random loss on
//     r1--server"), mixed with TLS secrets, each before the first packet that needs it;
//   - statistics for each interface. A file without them was cut short; all that precedes the cut can be read.
//
// The format is the one of the IETF draft "PCAP Now Generic (pcapng) Capture File Format". Files are little-endian. The
// plain pcap format has no room for names, comments, directions, interfaces and secrets: they are lost there.
//
// # Filtering
//
// [ParseFilter] reads expressions such as "tcp and host client and not port 22", a small part of tcpdump's language with
// node names in it. See [Filter].
//
// # Reading
//
// [NewReader] reads both formats block by block, [ReadFile] a whole file. Files of other programs are read too: big-endian
// ones, microseconds, several sections. A [Describer] says in one line what a frame is.
//
// # What is left out
//
// VLAN tags (only [Headers] looks behind them), IPv4 and IPv6 reassembly, and checksums: a frame with a wrong checksum is described like any other.
package captures
