// Package analysis finds out what a capture shows: streams with their handshakes, retransmissions and why they happened, round-trip
// times, what was said in them, and who talked to whom.
//
// An [Analyzer] takes the packets of one capture, one vantage point, in the order of the file, and keeps little of them: it reads
// files of any size. [Options.Frame] sees each packet as it passes, with what is known of it then; plots and ladders are made
// from that. [OpenRun] reads all captures of a run's folder and joins what the nodes saw of the same packet to its journey, so that a
// retransmission is known together with where and why the original was lost.
//
// Frames are numbered from 1 and streams from 0, as in Wireshark: frame.number == 7 and tcp.stream == 0 find them there.
//
// Fragments of IP are not put together: the first fragment of a datagram counts for its ports and its stream, as far as it goes, the others
// for addresses only.
//
// A frame that the emulated network drops before it reaches the queue of the sender's own link is captured at once, and so stands before
// frames that were sent earlier and still wait there. Marks and counters are Wireshark's there too: a lost segment, and those that waited
// out of order. As the cause is known, they get no note.
//
// What one vantage point can tell is limited: near the sender of data, it shows all that was sent and when ACKs came, but not what
// arrived; near the receiver the other way round. Figures such as bytes in flight and round-trip times are those that can be
// measured where the capture was taken.
package analysis
