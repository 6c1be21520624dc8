package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// A capture of another program is told of, packed or not; one that was cut short gives what precedes the fault together with the error.
func TestExplainForeignCapture(t *testing.T) {
	var file bytes.Buffer
	w, err := captures.NewPlainWriter(&file, 0)
	require.NoError(t, err)
	arp := make([]byte, 42)
	copy(arp[12:], []byte{8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2})
	for range 2 {
		require.NoError(t, w.WritePacket(&captures.Packet{Time: time.Unix(1_700_000_000, 0), Data: arp}))
	}
	whole := filepath.Join(t.TempDir(), "whole.pcap")
	require.NoError(t, os.WriteFile(whole, file.Bytes(), 0o666))
	cut := filepath.Join(t.TempDir(), "cut.pcap")
	require.NoError(t, os.WriteFile(cut, file.Bytes()[:file.Len()-1], 0o666))

	out, err := runExplain(whole)
	require.NoError(t, err)
	require.Contains(t, out, "The capture holds two frames with 84 bytes")
	require.Contains(t, out, "10.0.0.1 sent two ARP packets to 10.0.0.2, the first of them ARP who has 10.0.0.2? tell 10.0.0.1 (frame 1 in whole.pcap)")

	out, err = runExplain(cut)
	require.ErrorContains(t, err, cut+": captures: offset 82: the file ends within a packet")
	require.Contains(t, out, "The capture holds one frame with 42 bytes")
}

// runExplain runs the command and returns what it printed.
func runExplain(args ...string) (string, error) {
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"explain", "--width", "300"}, args...))
	root.SetOut(&out)
	err := root.Execute()
	return out.String(), err
}
