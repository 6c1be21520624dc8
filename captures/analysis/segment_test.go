package analysis

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// open is a handshake with a round-trip time of 50 ms, seen at the client: frames 1 to 3.
const open = `
	0    > S 0                  = syn
	50   < SA 0 ack 1
	50   > A 1 ack 1
`

// scripts are sequences of segments with what is special about each.
var scripts = []struct {
	name string
	text script
	// tshark is where Wireshark sees something else, by frame, and why is the reason.
	tshark map[int]string
	why    string
}{
	{name: "handshake, data, close", text: open + `
	60   > PA 1+100 ack 1
	110  < A 1 ack 101
	120  < PA 1+2000 ack 101
	120  > A 101 ack 2001
	130  > FA 101 ack 2001      = fin
	180  < FA 2001 ack 102      = fin
	180  > A 102 ack 2002`},
	{name: "SYN and SYN-ACK again", text: `
	0    > S 0                  = syn
	1000 > S 0                  = retransmission handshake<1
	1050 < SA 0 ack 1
	2050 < SA 0 ack 1           = retransmission handshake<3
	2050 > A 1 ack 1
	2060 > A 1 ack 1            = duplicate_ack`},
	{name: "refused", text: `
	0    > S 0                  = syn
	50   < RA 0 ack 1           = reset`},
	{name: "fast: three duplicates", text: open + `
	60   > A 1+1000 ack 1 | dropped: random loss on a--b = dropped
	60   > A 1001+1000 ack 1
	60   > A 2001+1000 ack 1
	60   > A 3001+1000 ack 1
	110  < A 1 ack 1 win 512    = duplicate_ack
	110  < A 1 ack 1 win 512    = duplicate_ack
	110  < A 1 ack 1 win 512    = duplicate_ack
	110  > A 1+1000 ack 1       = retransmission fast<4
	160  < A 1 ack 4001`},
	{name: "fast: SACK", text: open + `
	60   > A 1+1000 ack 1
	61   > A 1001+1000 ack 1
	110  < A 1 ack 1 sack 1001-2001 = duplicate_ack
	122.5 > A 1+1000 ack 1      = retransmission fast<4
	172.5 < A 1 ack 2001`},
	{name: "timeout, and what follows it", text: open + `
	60   > A 1+1000 ack 1
	61   > A 1001+1000 ack 1
	62   > A 2001+1000 ack 1
	260  > A 1+1000 ack 1       = retransmission timeout<4
	310  < A 1 ack 1001
	310  > A 1001+1000 ack 1    = retransmission timeout<5
	310  > A 2001+1000 ack 1    = retransmission timeout<6
	710  > A 1001+1000 ack 1    = retransmission timeout<9
	760  < A 1 ack 3001
	760  > A 3001+1000 ack 1
	810  < A 1 ack 4001`},
	{name: "tail loss probe, then timeout", text: open + `
	60   > A 1+1000 ack 1
	360  > A 1+1000 ack 1       = retransmission tail-loss-probe<4
	560  > A 1+1000 ack 1       = retransmission timeout<5
	960  > A 1+1000 ack 1       = retransmission timeout<6`},
	{name: "tail loss probe of the last of several", text: open + `
	60   > A 1+1000 ack 1
	60   > A 1001+1000 ack 1
	160  > A 1001+1000 ack 1    = retransmission tail-loss-probe<5`},
	{name: "no probes without SACK", text: `
	0    > S 0 nosack           = syn
	50   < SA 0 ack 1 nosack
	50   > A 1 ack 1
	60   > A 1+1000 ack 1
	360  > A 1+1000 ack 1       = retransmission timeout<4`},
	{name: "spurious: acknowledged before", text: open + `
	60   > A 1+1000 ack 1
	110  < A 1 ack 1001
	260  > A 1+1000 ack 1       = retransmission spurious<4
	310  < A 1 ack 1001 sack 1-1001 = duplicate_ack dsack`},
	{name: "copies that the network made", text: open + `
	60   > A 1+1000 ack 1 id 7
	61   > A 1+1000 ack 1 id 7  = retransmission copy<4
	110  < A 1 ack 1001`},
	{name: "FIN again", text: open + `
	60   > FA 1 ack 1           = fin
	360  > FA 1 ack 1           = retransmission fin tail-loss-probe<4
	560  > FA 1 ack 1           = retransmission fin timeout<5`},
	{name: "out of order: the original was not captured", text: open + `
	60   < A 1001+1000 ack 1    = lost_segment
	60   > A 1 ack 1 sack 1001-2001 = duplicate_ack
	110  < A 1+1000 ack 1       = out_of_order
	110  > A 1 ack 2001`},
	{name: "a segment longer than its original", text: open + `
	60   > A 1+500 ack 1
	260  > A 1+1000 ack 1       = retransmission timeout<4
	310  < A 1 ack 1001`, tshark: map[int]string{6: "ack_lost_segment"},
		why: "Wireshark doesn't take down that a segment sent again went beyond what was sent before"},
	{name: "ACK for what was not captured", text: open + `
	60   > A 1+1000 ack 1
	110  < A 1 ack 2001         = ack_lost_segment
	120  > A 2001+1000 ack 1    = lost_segment`},
	{name: "zero window and probes", text: open + `
	60   > A 1+1000 ack 1
	110  < A 1 ack 1001 win 0   = zero_window
	310  > A 1001+1 ack 1       = zero_window_probe
	360  < A 1 ack 1001 win 0   = zero_window zero_window_probe_ack
	760  > A 1001+1 ack 1       = zero_window_probe
	810  < A 1 ack 1001 win 512 = window_update
	810  > A 1001+1000 ack 1`},
	{name: "zero-window probe that repeats", text: open + `
	60   > A 1+1000 ack 1
	60   > A 1001+1000 ack 1
	110  < A 1 ack 1001 win 0   = zero_window
	310  > A 1001+1000 ack 1    = retransmission zero-window-probe<5`},
	{name: "window full, window update", text: open + `
	55   < A 1 ack 1 win 8      = window_update
	60   > A 1+1024 ack 1       = window_full
	110  < A 1 ack 1025 win 8
	120  < A 1 ack 1025 win 16  = window_update`},
	{name: "keep-alive", text: open + `
	60   > A 1+1000 ack 1
	110  < A 1 ack 1001
	9000 > A 1000+1 ack 1       = keep_alive
	9050 < A 1 ack 1001         = keep_alive_ack
	18000 > A 1000 ack 1        = keep_alive
	18050 < A 1 ack 1001        = keep_alive_ack`},
	{name: "reset", text: open + `
	60   > A 1+1000 ack 1
	110  < R 1                  = reset`},
	{name: "ports used again", text: open + `
	60   > FA 1 ack 1           = fin
	110  < FA 1 ack 2           = fin
	110  > A 2 ack 2
	200  > S 0 isn 77           = syn reused_ports
	250  < RA 0                 = reset`},
	{name: "capture begins in the middle", text: `
	0    > PA 5001+1000 ack 70001
	50   < A 70001 ack 6001
	60   > PA 6001+1000 ack 70001
	70   > PA 5501+500 ack 70001 = retransmission spurious<1
	110  < A 70001 ack 7001`},
	{name: "congestion experienced", text: open + `
	60   > A 1+1000 ack 1 ce    = ecn_ce`},
	{name: "dropped, corrupted", text: open + `
	60   > A 1+1000 ack 1 | dropped: queue full on a--b = dropped
	61   > A 1001+1000 ack 1 | corrupted: flipped 0x80 in byte 99 on a--b = altered`},
}

func TestMarks(t *testing.T) {
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			_, got := c.text.analyze(t, Options{})
			var want []string
			for _, l := range c.text.lines(t) {
				want = append(want, l.want)
			}
			require.Equal(t, want, got)
		})
	}
}

// tsharkMarks are the marks that Wireshark has a field for.
var tsharkMarks = []Mark{
	MarkDuplicateACK, MarkLostSegment, MarkAckedUnseen, MarkZeroWindow, MarkZeroWindowProbe, MarkZeroWindowProbeACK, MarkWindowUpdate,
	MarkWindowFull, MarkKeepAlive, MarkKeepAliveACK, MarkReused,
}

// again are Wireshark's words for a segment that begins below what was sent before.
var again = []string{"retransmission", "fast_retransmission", "spurious_retransmission", "out_of_order"}

// Wireshark marks the same frames of the scripts.
func TestMarksAgreeWithTshark(t *testing.T) {
	path, err := exec.LookPath("tshark")
	if err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "tshark is not installed")
		t.Skip("tshark is not installed")
	}
	for _, c := range scripts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "script.pcapng")
			c.text.write(t, file)
			args := []string{"-r", file, "-T", "fields", "-E", "occurrence=f", "-E", "separator=|"}
			for _, word := range again {
				args = append(args, "-e", "tcp.analysis."+word)
			}
			for _, m := range tsharkMarks {
				args = append(args, "-e", "tcp.analysis."+m.String())
			}
			out, err := exec.Command(path, args...).Output()
			require.NoError(t, err)
			_, got := c.text.analyze(t, Options{})
			rows := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
			require.Len(t, rows, len(got))
			for i, row := range rows {
				columns := strings.Split(row, "|")
				var theirs, ours []string
				if strings.Join(columns[:len(again)], "") != "" {
					theirs = append(theirs, "again")
				}
				words := strings.Fields(got[i])
				if slices.Contains(words, "retransmission") || slices.Contains(words, "out_of_order") {
					ours = append(ours, "again")
				}
				for k, m := range tsharkMarks {
					if columns[len(again)+k] != "" {
						theirs = append(theirs, m.String())
					}
					if slices.Contains(words, m.String()) {
						ours = append(ours, m.String())
					}
				}
				if other, ok := c.tshark[i+1]; ok {
					require.NotEmpty(t, c.why)
					require.Equal(t, other, strings.Join(theirs, " "), "frame %d in Wireshark", i+1)
					continue
				}
				require.Equal(t, theirs, ours, "frame %d: Wireshark's and ours", i+1)
			}
		})
	}
}

// A segment that is dropped before it waits in the queue stands before those that wait. That is marked, but nothing to worry about; what
// else is out of order is.
func TestOvertakingIsNoNews(t *testing.T) {
	for _, c := range []struct {
		name, drop       string
		lost, outOfOrder int
	}{
		{"dropped", `| dropped: rule "lost" on a--b`, 0, 1},
		{"captured only", "", 1, 3},
	} {
		a := New(Options{})
		for _, l := range (open + script("60 > PA 21+10 ack 1 "+c.drop+`
			61 > PA 1+10 ack 1
			62 > PA 11+10 ack 1
			63 > PA 51+10 ack 1
			64 > PA 41+10 ack 1`)).lines(t) {
			a.Add(&l.packet)
		}
		r := a.Finish()
		require.Equal(t, 2, r.Marks["lost_segment"], c.name)
		require.Equal(t, 3, r.Marks["out_of_order"], c.name)
		require.Equal(t, c.lost+1, r.NoteCounts["lost_segment"], c.name)
		require.Equal(t, c.outOfOrder, r.NoteCounts["out_of_order"], c.name)
	}
}

// A RST says nothing of a window: what is sent again after it is no zero-window probe.
func TestResetClosesNoWindow(t *testing.T) {
	a := New(Options{})
	for _, l := range (open + script("60 > PA 1+10 ack 1\n 61 > PA 11+10 ack 1\n 62 < RA 1 ack 1 win 0\n 500 > PA 1+10 ack 1")).lines(t) {
		a.Add(&l.packet)
	}
	require.Equal(t, map[Kind]int{Timeout: 1}, a.Finish().TCPTotal.Retransmitted)
}
