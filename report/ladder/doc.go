// Package ladder draws the packets of a run as a sequence diagram: a column for each node, an arrow for each packet from the node that
// sent it to those that it reached, across the life lines of the routers between. A packet that was lost ends in ✗ on the link that lost
// it, with the reason; a segment that was sent again names the packet that it repeats.
//
//	  #    time (s)  client                          r1                          server
//	#31    4.806224  │── [ACK] seq 1439893 len 1420 ─┼──────✗ random loss          │
//	#52    4.906825  │── [ACK] seq 1439893 len 1420 ─┼── ↻ fast, again #31 ───────→│
//
// [New] takes the journeys that package analysis joins from all captures of a run and finds the columns and each packet's way between
// them. [Ladder.Text] draws for terminals, [Ladder.SVG] for pages, [Ladder.JSON] writes the same as data.
//
// Numbers are those of the run's packets in the order of their first sighting, from 1; where all packets come from one interface
// of one capture that is frame.number in Wireshark. Times count from the start of the run.
//
// A ladder shows a packet that a broadcast or a switch copied to several nodes as one arrow with several heads. In a capture that
// knows neither the other nodes nor directions, each packet goes straight from its source to its destination.
package ladder
