package analysis

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"netlab/captures"
)

// Initial sequence numbers of the scripts: those of the client wrap around after 1,000 bytes.
const (
	clientISN = 1<<32 - 1000
	serverISN = 5000
)

// script is a capture in text, a frame on each line:
//
//	TIME > FLAGS SEQ[+LEN] [ack N] [win N] [sack FROM-TO]... [id N] [port N] [isn N] [nosack] [| COMMENT] [= MARKS]
//
// Time is in milliseconds. > is from the client to the server, < the other way. Flags are letters of SFRPAEC, . for none. Sequence
// numbers count from the start of the stream. Windows are as they stand in the header; 512 if none is given. SYNs offer MSS, SACK and a
// window scale of 7. Marks are the words of Marks.Words, and what repeats something has its kind and the original's number:
// fast<7.
type script string

// line is a frame of a script with what is expected of it.
type line struct {
	packet captures.Packet
	want   string
}

// lines reads a script.
func (s script) lines(t testing.TB) (lines []line) {
	t.Helper()
	for text := range strings.Lines(string(s)) {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		text, want, _ := strings.Cut(text, "=")
		text, comment, _ := strings.Cut(text, "|")
		words := strings.Fields(text)
		ms, err := strconv.ParseFloat(words[0], 64)
		require.NoError(t, err)
		lines = append(lines, line{captures.Packet{
			Time: time.Unix(0, 0).Add(time.Duration(ms * 1e6)), Comment: strings.TrimSpace(comment),
		}, strings.TrimSpace(want)})
		parseFrame(t, &lines[len(lines)-1].packet, words[1:])
	}
	return lines
}

// parseFrame makes the frame that words describe.
func parseFrame(t testing.TB, p *captures.Packet, words []string) {
	t.Helper()
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
	tcp := &layers.TCP{SrcPort: 49152, DstPort: 80, Window: 512}
	out := words[0] == ">"
	isn, peer := uint32(clientISN), uint32(serverISN)
	if !out {
		ip.SrcIP, ip.DstIP, tcp.SrcPort, tcp.DstPort = ip.DstIP, ip.SrcIP, tcp.DstPort, tcp.SrcPort
		isn, peer = peer, isn
	}
	for _, c := range words[1] {
		*map[rune]*bool{'S': &tcp.SYN, 'F': &tcp.FIN, 'R': &tcp.RST, 'P': &tcp.PSH, 'A': &tcp.ACK, 'E': &tcp.ECE, 'C': &tcp.CWR, '.': new(bool)}[c] = true
	}
	number := func(s string) uint32 {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		return uint32(n)
	}
	from, length, _ := strings.Cut(words[2], "+")
	payload := 0
	if length != "" {
		payload = int(number(length))
	}
	sackPermitted := true
	var blocks []byte
	for i := 3; i < len(words); i++ {
		value := ""
		if i+1 < len(words) {
			value = words[i+1]
		}
		switch words[i] {
		case "nosack":
			sackPermitted = false
			continue
		case "ack":
			tcp.Ack = peer + number(value)
		case "win":
			tcp.Window = uint16(number(value))
		case "id":
			p.ID = uint64(number(value))
		case "ce":
			ip.TOS = 3
			continue
		case "port":
			if tcp.SrcPort = layers.TCPPort(number(value)); !out {
				tcp.SrcPort, tcp.DstPort = 80, tcp.SrcPort
			}
		case "isn":
			if isn = number(value); !out {
				isn, peer = peer, isn
			}
		case "sack":
			a, b, _ := strings.Cut(value, "-")
			blocks = binary.BigEndian.AppendUint32(blocks, peer+number(a))
			blocks = binary.BigEndian.AppendUint32(blocks, peer+number(b))
		default:
			require.Fail(t, "word", "%q", words[i])
		}
		i++
	}
	tcp.Seq = isn + number(from)
	if tcp.SYN {
		tcp.Options = append(tcp.Options, layers.TCPOption{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 180}},
			layers.TCPOption{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{7}})
		if sackPermitted {
			tcp.Options = append(tcp.Options, layers.TCPOption{OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2})
		}
	}
	if blocks != nil {
		tcp.Options = append(tcp.Options, layers.TCPOption{OptionType: layers.TCPOptionKindSACK, OptionLength: uint8(2 + len(blocks)), OptionData: blocks})
	}
	require.NoError(t, tcp.SetNetworkLayerForChecksum(ip))
	buffer := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, ip, tcp,
		gopacket.Payload(bytes.Repeat([]byte{'x'}, payload))))
	p.Data = buffer.Bytes()
	p.Length = len(p.Data)
}

// analyze analyses the frames of a script and returns what is special about each: the marks, and what was sent again.
func (s script) analyze(t testing.TB, o Options) (a *Analysis, got []string) {
	t.Helper()
	var frames []Frame
	o.Frame = func(f *Frame) { frames = append(frames, *f) }
	analyzer := New(o)
	analyzer.Add(&captures.Section{})
	analyzer.Add(&captures.InterfaceDescription{LinkType: captures.LinkEthernet})
	analyzer.Add(&captures.Names{Names: []captures.Name{
		{Addr: netip.MustParseAddr("10.0.0.1"), Name: "client"}, {Addr: netip.MustParseAddr("10.0.0.2"), Name: "server"},
	}})
	for _, l := range s.lines(t) {
		analyzer.Add(&l.packet)
	}
	a = analyzer.Finish()
	for i := range frames {
		words := frames[i].Marks.Words()
		if r := frames[i].Retransmission; r != nil {
			words = append(words, string(r.Kind)+"<"+strconv.Itoa(r.Original))
		}
		got = append(got, strings.Join(words, " "))
	}
	return a, got
}

// write writes the script's frames as a capture.
func (s script) write(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w, err := captures.NewWriter(f, captures.Section{})
	require.NoError(t, err)
	_, err = w.AddInterface(captures.InterfaceDescription{Name: "eth0"})
	require.NoError(t, err)
	for _, l := range s.lines(t) {
		require.NoError(t, w.WritePacket(&l.packet))
	}
}

func be32(b []byte, n uint32) { binary.BigEndian.PutUint32(b, n) }

func captureInfo(at time.Time, n int) gopacket.CaptureInfo {
	return gopacket.CaptureInfo{Timestamp: at, CaptureLength: n, Length: n}
}
