package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
	"netlab/captures"
	"netlab/captures/analysis"
)

// inspectCommandLine runs netlab inspect in this process and returns what it printed.
func inspectCommandLine(t *testing.T, stdin io.Reader, args ...string) (string, error) {
	t.Helper()
	c := newRoot()
	var out bytes.Buffer
	setOutput(c, &out)
	c.SetIn(stdin)
	c.SetArgs(append([]string{"inspect"}, args...))
	err := c.Execute()
	return out.String(), err
}

// runLab runs a lab and returns the capture of its node client.
func runLab(t *testing.T, text string) string {
	t.Helper()
	labs, err := netlab.Parse("lab.json", []byte(text), nil)
	require.NoError(t, err)
	dir := t.TempDir()
	_, err = labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dir}, nil)
	require.NoError(t, err)
	return filepath.Join(dir, "captures", "client.pcapng")
}

const pageLab = `{
	"nodes": { "client": {}, "server": { "services": { "web": { "type": "http-server", "listen": ":443", "tls": true } } } },
	"links": [{ "between": "client - server", "latency": "1ms" }],
	"workloads": { "fetch": { "type": "http-fetch", "from": "client", "url": "https://server/page" } }
}`

// A file that is cut short is shown up to there, and the error says where that is.
func TestInspectDamaged(t *testing.T) {
	path := runLab(t, pageLab)
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	whole, err := inspectCommandLine(t, nil, path, "--json")
	require.NoError(t, err)
	var all inspected
	require.NoError(t, json.Unmarshal([]byte(whole), &all))

	cut := filepath.Join(t.TempDir(), "cut.pcapng")
	require.NoError(t, os.WriteFile(cut, file[:2*len(file)/3], 0o666))
	text, err := inspectCommandLine(t, nil, cut)
	require.Equal(t, exitUsage, codeOf(err))
	var format *captures.FormatError
	require.ErrorAs(t, err, &format)
	require.ErrorContains(t, err, cut+": captures: offset "+strconv.FormatInt(format.Offset, 10)+": the file ends within")
	require.Contains(t, text, "the file is damaged or cut short: what follows is what precedes that")
	require.Contains(t, text, "TCP streams")

	text, err = inspectCommandLine(t, nil, cut, path, "--json")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the file behind it is read nevertheless")
	var both []inspected
	require.NoError(t, json.Unmarshal([]byte(text), &both))
	require.Equal(t, err.Error(), both[0].Error)
	require.Empty(t, both[1].Error)
	require.Less(t, both[0].Analysis.Frames, both[1].Analysis.Frames)
	require.Equal(t, all.Analysis, both[1].Analysis)

	var frames int
	reader, err := captures.NewReader(bytes.NewReader(file[:2*len(file)/3]))
	require.NoError(t, err)
	for err == nil {
		var b captures.Block
		if b, err = reader.Next(); err == nil {
			if _, ok := b.(*captures.Packet); ok {
				frames++
			}
		}
	}
	require.Equal(t, frames, both[0].Analysis.Frames, "all packets before the fault")

	damaged := bytes.Clone(file)
	copy(damaged[format.Offset+4:], []byte{1, 2, 3}) // the length of that block
	text, err = inspectCommandLine(t, bytes.NewReader(damaged), "-", "--section", "hierarchy")
	var again *captures.FormatError
	require.ErrorAs(t, err, &again)
	require.False(t, errors.Is(err, io.ErrUnexpectedEOF))
	require.Equal(t, format.Offset, again.Offset)
	require.ErrorContains(t, err, "standard input: captures: offset ")
	require.Contains(t, text, "frames      "+strconv.Itoa(frames)+",")
}

// The formats of other programs, and a file that gzip has compressed, give the same.
func TestInspectFormats(t *testing.T) {
	path := runLab(t, pageLab)
	want, err := inspectCommandLine(t, nil, path)
	require.NoError(t, err)
	file, err := os.ReadFile(path)
	require.NoError(t, err)

	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err = z.Write(file)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	got, err := inspectCommandLine(t, &packed, "-")
	require.NoError(t, err)
	require.Equal(t, withoutFirstLine(want), withoutFirstLine(got))

	capture, err := captures.ReadFile(path)
	require.NoError(t, err)
	var plain bytes.Buffer
	w, err := captures.NewPlainWriter(&plain, 0)
	require.NoError(t, err)
	var keys []byte
	for _, p := range capture.Packets {
		require.NoError(t, w.WritePacket(p))
	}
	for _, s := range capture.Secrets {
		keys = append(keys, s.Data...)
	}
	got, err = inspectCommandLine(t, bytes.NewReader(plain.Bytes()), "-", "--section", "http,tls")
	require.NoError(t, err)
	require.Contains(t, got, "1, 0 decrypted", "pcap has no secrets")
	keyLog := filepath.Join(t.TempDir(), "keys.txt")
	require.NoError(t, os.WriteFile(keyLog, keys, 0o666))
	got, err = inspectCommandLine(t, bytes.NewReader(plain.Bytes()), "-", "--section", "http,tls", "--keylog", keyLog)
	require.NoError(t, err)
	require.Contains(t, got, "1, 1 decrypted")
	require.Contains(t, got, "GET server/page")

	got, err = inspectCommandLine(t, nil, path, "--section", "tls", "--no-decrypt")
	require.NoError(t, err)
	require.Contains(t, got, "1, 0 decrypted")
}

func withoutFirstLine(text string) string {
	_, rest, _ := strings.Cut(text, "\n")
	return rest
}

// No line is wider than there is room for, whatever the section.
func TestInspectWidths(t *testing.T) {
	path := runLab(t, pageLab)
	for _, columns := range []int{60, 80, 120, 200} {
		for _, args := range [][]string{{"--section", "all"}, {"--stream", "0"}} {
			text, err := inspectCommandLine(t, nil, append(args, path, "--width", strconv.Itoa(columns))...)
			require.NoError(t, err)
			for line := range strings.Lines(withoutFirstLine(text)) { // the name of the file is as long as it is
				require.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), columns, line)
			}
		}
	}
}

// A capture without a packet is a capture.
func TestInspectNothing(t *testing.T) {
	var file bytes.Buffer
	_, err := captures.NewPlainWriter(&file, 0)
	require.NoError(t, err)
	text, err := inspectCommandLine(t, bytes.NewReader(file.Bytes()), "-")
	require.NoError(t, err)
	require.Equal(t, "standard input\n  frames      0, 0B\n  interfaces  0 frames, 0B\n", text)
	_, err = inspectCommandLine(t, bytes.NewReader(file.Bytes()), "-", "--stream", "0")
	require.EqualError(t, err, "standard input: has no TCP stream")
}

func TestSumNotes(t *testing.T) {
	require.Equal(t, []*noteSum{
		{kind: "broken", severity: analysis.Error, count: 1, first: 9},
		{kind: "retransmission", severity: analysis.Warning, count: 5, first: 4},
		{kind: "http", severity: analysis.Notable, count: 7},
		{kind: "syn", severity: analysis.Chat, count: 2, first: 1},
	}, sumNotes(&analysis.Analysis{
		Notes: []analysis.Note{
			{Frame: 1, Severity: analysis.Chat, Kind: "syn"}, {Frame: 4, Severity: analysis.Notable, Kind: "retransmission"},
			{Frame: 5, Severity: analysis.Warning, Kind: "retransmission"}, {Frame: 9, Severity: analysis.Error, Kind: "broken"},
		},
		NoteCounts: map[string]int{"syn": 2, "retransmission": 5, "broken": 1, "http": 7}, // those of http are beyond the limit
	}))
	require.Equal(t, "tcp.analysis.retransmission", displayFilter("retransmission"))
	require.Equal(t, "tcp.flags.reset == 1", displayFilter("reset"))
	require.Equal(t, "http2", displayFilter("http2"))
	require.Equal(t, "frame.cap_len < frame.len", displayFilter("cut"))
}

func TestTable(t *testing.T) {
	printed := func(columns int) string {
		list := table{columns: []column{{title: "name", cut: true}, {title: "spare", spare: 1}, {title: "more spare", spare: 2}, {title: "n", right: true}}}
		list.add("a name that is rather long, longer than others", "one", "two", "1")
		list.add("short", "three", "", "1,000")
		p := &page{}
		list.print(p, "  ", columns)
		return p.text.String()
	}
	require.Equal(t, `  name                                            spare  more spare      n
  a name that is rather long, longer than others  one    two             1
  short                                           three              1,000
`, printed(80))
	require.Equal(t, `  name                            spare  more spare      n
  a name that is rather long, l…  one    two             1
  short                           three              1,000
`, printed(58))
	require.Equal(t, `  name                               n
  a name that is rather long, …      1
  short                          1,000
`, printed(38))
}
