package analysis

import (
	"math/bits"
	"strings"
)

// markNames are in the order of the marks.
var markNames = [...]string{
	"retransmission", "out_of_order", "duplicate_ack", "lost_segment", "ack_lost_segment", "zero_window", "zero_window_probe",
	"zero_window_probe_ack", "window_update", "window_full", "keep_alive", "keep_alive_ack", "reset", "syn", "reused_ports", "fin",
	"dropped", "altered", "broken", "ecn_ce", "dsack", "cut",
}

// tcpMarks are the marks that say something of a segment.
const tcpMarks = MarkRetransmission | MarkOutOfOrder | MarkDuplicateACK | MarkLostSegment | MarkAckedUnseen | MarkZeroWindow |
	MarkZeroWindowProbe | MarkZeroWindowProbeACK | MarkWindowUpdate | MarkWindowFull | MarkKeepAlive | MarkKeepAliveACK | MarkReset |
	MarkOpens | MarkReused | MarkCloses | MarkDSACK

// String returns the name: that of Wireshark's field tcp.analysis.<name> where there is one.
func (m Mark) String() string {
	if i := bits.TrailingZeros32(uint32(m)); i < len(markNames) && m == 1<<i {
		return markNames[i]
	}
	return "unknown"
}

// Has says whether m is among the marks. If m is several, it says whether any of them is.
func (s Marks) Has(m Mark) bool { return s&Marks(m) != 0 }

// Words returns the names of the marks, in the order of the constants.
func (s Marks) Words() []string {
	var words []string
	for i, name := range markNames {
		if s&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	return words
}

// String returns the names with commas between them.
func (s Marks) String() string { return strings.Join(s.Words(), ", ") }

func (s *Marks) set(m Mark) { *s |= Marks(m) }
