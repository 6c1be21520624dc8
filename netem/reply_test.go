package netem

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// decode reads a frame, and fails unless its lengths and checksums are right.
func decode(t *testing.T, data []byte) gopacket.Packet {
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	require.Nil(t, p.ErrorLayer())
	var parts []gopacket.SerializableLayer
	for _, l := range p.Layers()[1:] { // gopacket would pad the Ethernet frame
		s, ok := l.(gopacket.SerializableLayer)
		require.True(t, ok, "%v", l.LayerType())
		if c, ok := l.(interface {
			SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
		}); ok && p.NetworkLayer() != nil {
			require.NoError(t, c.SetNetworkLayerForChecksum(p.NetworkLayer()))
		}
		parts = append(parts, s)
		if kind := l.LayerType(); kind == layers.LayerTypeICMPv4 || kind == layers.LayerTypeICMPv6 {
			parts = append(parts, gopacket.Payload(l.LayerPayload()))
			break
		}
	}
	buffer := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...))
	require.Equal(t, buffer.Bytes(), data[etherHeader:])
	return p
}

// at returns what reached a port.
func (c *chain) at(port string) (list []caught) {
	for _, g := range c.got {
		if g.port == port {
			list = append(list, g)
		}
	}
	return list
}

// Both ends get a RST with the numbers of RFC 9293, sections 3.5.2 and 3.10.7: the sender at once, the receiver over the wire.
func TestRuleReset(t *testing.T) {
	type numbers struct {
		Seq, Ack uint32
		ACK      bool
	}
	for name, test := range map[string]struct {
		segment            layers.TCP
		payload            int
		toSender, toRemote numbers
	}{
		"SYN":        {layers.TCP{SYN: true, Seq: 1000}, 0, numbers{0, 1001, true}, numbers{1001, 0, false}},
		"SYN+ACK":    {layers.TCP{SYN: true, ACK: true, Seq: 1000, Ack: 7001}, 0, numbers{7001, 0, false}, numbers{1001, 7001, true}},
		"data":       {layers.TCP{ACK: true, PSH: true, Seq: 1001, Ack: 7001}, 501, numbers{7001, 0, false}, numbers{1001, 7001, true}},
		"wrapped":    {layers.TCP{FIN: true, Seq: 0xffffffff}, 2, numbers{0, 2, true}, numbers{0xffffffff, 0, false}},
		"FIN+ACK":    {layers.TCP{FIN: true, ACK: true, Seq: 5, Ack: 6}, 0, numbers{6, 0, false}, numbers{5, 6, true}},
		"an empty 0": {layers.TCP{Seq: 5}, 0, numbers{0, 5, true}, numbers{5, 0, false}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v6 := range []bool{false, true} {
				var r *Rule
				c := onChain(t, latency(10*ms), func(c *chain) {
					r = c.rule(RuleConfig{Action: ActReset, First: 1})
					test.segment.SrcPort, test.segment.DstPort = 1234, 80
					c.send(sec, c.a, c.udp(v6, 1)) // no match
					c.send(sec, c.a, c.frame(v6, false, &test.segment, make([]byte, test.payload)...))
				})
				require.EqualValues(t, 1, r.Matches())
				require.Len(t, c.at("a"), 1)
				require.Len(t, c.at("b"), 2)
				for port, want := range map[string]numbers{"a": test.toSender, "b": test.toRemote} {
					g := c.at(port)[len(c.at(port))-1]
					p := decode(t, g.data)
					tcp := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
					require.True(t, tcp.RST && !tcp.SYN && !tcp.FIN && !tcp.PSH && tcp.Window == 0)
					require.Equal(t, want, numbers{tcp.Seq, tcp.Ack, tcp.ACK})
					src, dst := p.NetworkLayer().NetworkFlow().Endpoints()
					want1, want2 := address4(1), address4(2)
					if v6 {
						want1, want2 = address6(1), address6(2)
					}
					if port == "a" {
						require.Equal(t, sec, g.at)
						require.EqualValues(t, 80, tcp.SrcPort)
						require.EqualValues(t, 1234, tcp.DstPort)
						want1, want2 = want2, want1
					} else {
						require.Equal(t, sec+20*ms, g.at)
						require.EqualValues(t, 1234, tcp.SrcPort)
						require.EqualValues(t, 80, tcp.DstPort)
					}
					require.Equal(t, want1.AsSlice(), src.Raw())
					require.Equal(t, want2.AsSlice(), dst.Raw())
				}
				m1, m2 := mac(1), mac(2)
				require.Equal(t, append(m1[:], m2[:]...), c.at("a")[0].data[:12])
				require.Equal(t, []string{"", `dropped: rule "x" on a--ra`, `forged by rule "x"`}, c.comments("a", Outbound))
				require.Equal(t, []string{`forged by rule "x"`}, c.comments("a", Inbound))
				require.Equal(t, []string{"", `forged by rule "x"`}, c.comments("ra", Inbound))
				require.Empty(t, c.comments("ra", Outbound))
				require.Empty(t, c.details("rule"))
				require.Len(t, c.details("drop"), 1)
				out, back := c.links[0].Stats(Forward), c.links[0].Stats(Backward)
				require.Equal(t, []uint64{2, 1, 2, 1}, []uint64{out.Sent.Frames, out.Duplicated.Frames, out.Delivered.Frames, out.Dropped.Total()})
				require.Equal(t, []uint64{0, 1, 1, 0}, []uint64{back.Sent.Frames, back.Duplicated.Frames, back.Delivered.Frames, back.Dropped.Total()})
			}
		})
	}
}

// A rule behind a router gives the sender's RST to the router, which forwards it.
func TestRuleResetFurtherOn(t *testing.T) {
	c := onChain(t, latency(10*ms), func(c *chain) {
		c.rule(RuleConfig{Action: ActReset, Places: []Place{{c.rb, Outbound}}})
		c.send(sec, c.a, c.frame(false, false, &layers.TCP{ACK: true, Seq: 1, Ack: 2}))
	})
	require.Equal(t, []time.Duration{sec + 20*ms, sec + 20*ms}, []time.Duration{c.at("a")[0].at, c.at("b")[0].at})
	decode(t, c.at("a")[0].data)
}

// What a rule behind a switch answers goes to the switch, which knows whom it is for.
func TestRuleAnswersBehindSwitch(t *testing.T) {
	for _, action := range []RuleConfig{{Action: ActReset}, {Action: ActReject, Rejection: RejectPort}} {
		bubble(t, Config{}, func(n *Network) {
			l, _ := newTalk(t, n, 4)
			action.Name, action.Places = "x", []Place{{l.ports[2], Inbound}}
			r, err := n.AddRule(action)
			require.NoError(t, err)
			c := &chain{t: t}
			data := c.frame(false, false, &layers.TCP{ACK: true, Seq: 1, Ack: 1})
			m := mac(2)
			copy(data, m[:])
			l.say(sec, data, 1, 1) // both 2 and the switch's others hear of it
			l.At(0, KindControl, 2*sec, func() {
				require.EqualValues(t, 1, r.Hits())
				require.Contains(t, l.got, received{1, sec, 2})
				for _, g := range l.got {
					require.False(t, g.src == 2 && g.port != 1, "the answer is for its sender alone")
				}
			})
		})
	}
}

// What isn't a TCP segment that may be answered with a RST doesn't match.
func TestRuleResetOthers(t *testing.T) {
	c := onChain(t, Params{}, func(c *chain) {
		segment := c.frame(false, false, &layers.TCP{ACK: true, Seq: 1, Ack: 2}, 1, 2, 3)
		r := c.rule(RuleConfig{Action: ActReset, Places: c.here()})
		change := func(at int, b ...byte) []byte {
			d := slices.Clone(segment)
			copy(d[at:], b)
			return d
		}
		for i, data := range [][]byte{
			c.frame(false, false, &layers.TCP{RST: true, Seq: 1}),
			c.frame(true, false, &layers.TCP{RST: true, ACK: true, Seq: 1}),
			c.udp(false, 1), c.udp(true, 1), request(false, 1, 2), request(true, 1, 2),
			segment[:len(segment)-1], segment[:40], segment[:20], segment[:3], {},
			change(20, 0x20), change(20, 0, 1), // fragments
			change(46, 0x40), change(46, 0xf0), // data offset
			change(14, 0x44), change(14, 0x65), change(16, 0, 10), // IPv4 header
			change(0, 1), change(30, 224), change(30, 255), change(26, 0), change(26, 127), // groups and the like
		} {
			c.send(sec+time.Duration(i)*ms, c.a, data)
		}
		c.At(0, KindControl, 2*sec, func() { require.Zero(t, r.Matches()) })
		c.send(2*sec, c.a, append(segment, 0, 0, 0)) // with padding
		c.At(0, KindControl, 3*sec, func() { require.EqualValues(t, 1, r.Hits()) })
	})
	last := c.at("b")[len(c.at("b"))-1]
	require.Len(t, last.data, etherHeader+40)
	require.Len(t, c.at("a"), 1)
}

// The sender of a packet gets each of the errors, from the destination, with a quotation as long as may be.
func TestRuleReject(t *testing.T) {
	for rejection, want := range map[Rejection][2][2]uint8{
		RejectPort: {{3, 3}, {1, 4}}, RejectHost: {{3, 1}, {1, 3}}, RejectNet: {{3, 0}, {1, 0}},
		RejectAdmin: {{3, 13}, {1, 1}}, RejectTTL: {{11, 0}, {3, 0}}, RejectSize: {{3, 4}, {2, 0}},
	} {
		for version, v6 := range []bool{false, true} {
			for _, payload := range []int{0, 1, 520, 521, 1184, 1185, 1400} {
				rule := RuleConfig{Action: ActReject, Rejection: rejection}
				if rejection == RejectSize {
					rule.MTU = 1400
				}
				var sent []byte
				c := onChain(t, latency(10*ms), func(c *chain) {
					c.rule(rule)
					sent = c.udp(v6, make([]byte, payload)...)
					c.send(sec, c.a, append(sent, 0, 0)) // with padding
				})
				require.Empty(t, c.at("b"))
				require.Len(t, c.at("a"), 1)
				g := c.at("a")[0]
				require.Equal(t, sec, g.at)
				p := decode(t, g.data)
				src, dst := p.NetworkLayer().NetworkFlow().Endpoints()
				packet := sent[etherHeader:]
				var message []byte
				var limit int
				if v6 {
					message, limit = p.Layer(layers.LayerTypeIPv6).LayerPayload(), 1280-48
					require.Equal(t, address6(2).AsSlice(), src.Raw())
					require.Equal(t, address6(1).AsSlice(), dst.Raw())
				} else {
					message, limit = p.Layer(layers.LayerTypeIPv4).LayerPayload(), 576-28
					require.Equal(t, address4(2).AsSlice(), src.Raw())
					require.Equal(t, address4(1).AsSlice(), dst.Raw())
				}
				require.Equal(t, want[version][:], message[:2])
				require.EqualValues(t, rule.MTU, binary.BigEndian.Uint32(message[4:]))
				require.Equal(t, packet[:min(len(packet), limit)], message[8:])
				require.Equal(t, []string{`dropped: rule "x" on a--ra`}, c.comments("a", Outbound))
				require.Equal(t, []string{`forged by rule "x"`}, c.comments("a", Inbound))
				require.EqualValues(t, 1, c.links[0].Stats(Backward).Duplicated.Frames)
			}
		}
	}
}

// The quotation is as short as the MTU of the way back wants it.
func TestRuleRejectSmallMTU(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		c := onChain(t, Params{}, func(c *chain) {
			require.NoError(t, c.links[0].Set(Backward, Params{MTU: 68}))
			c.rule(RuleConfig{Action: ActReject, Rejection: RejectPort})
			c.send(sec, c.a, c.udp(v6, make([]byte, 1000)...))
		})
		require.Len(t, c.at("a")[0].data, etherHeader+68)
	}
}

// RFC 1122, section 3.2.2, and RFC 4443, section 2.4(e): some packets are dropped without an answer.
func TestRuleRejectWithoutAnswer(t *testing.T) {
	c := onChain(t, Params{}, func(c *chain) {
		v4, v6 := c.udp(false, 1), c.udp(true, 1)
		icmp4 := func(kind uint8) []byte {
			return c.frame(false, false, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, 0)})
		}
		icmp6 := func(kind uint8) []byte {
			return c.frame(true, false, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, 0)}, 0, 0, 0, 0)
		}
		change := func(data []byte, at int, b ...byte) []byte {
			d := slices.Clone(data)
			copy(d[at:], b)
			return d
		}
		laterFragment := packet{v6: true, src: 1, dst: 2, protocol: protocolUDP, offset: 8}.data()
		laterFragment[19] = byte(len(laterFragment) - 54)
		hidden := slices.Concat(icmp6(1)[:54], []byte{58, 0, 1, 4, 0, 0, 0, 0}, icmp6(1)[54:]) // behind hop-by-hop options
		hidden[20], hidden[19] = 0, hidden[19]+8
		for _, data := range [][]byte{
			icmp4(3), icmp4(4), icmp4(5), icmp4(11), icmp4(12), icmp6(1), icmp6(2), icmp6(3), icmp6(4), icmp6(127), icmp6(137), hidden,
			icmp4(8)[:34], icmp6(128)[:54], // nobody knows which
			change(v4, 20, 0, 1), laterFragment, laterFragment[:60],
			change(v4, 0, 0xff), change(v6, 0, 0x33), // to a group of the Ethernet
			change(v4, 30, 224), change(v4, 30, 255, 255, 255, 255), change(v6, 38, 0xff, 2),
			change(v4, 26, 0, 0, 0, 0), change(v4, 26, 127), change(v4, 26, 224), change(v4, 26, 240),
			change(v6, 22, 0xff), change(v6, 22, make([]byte, 16)...), change(v6, 22, append(make([]byte, 15), 1)...),
			request(false, 1, 2), v4[:30], v6[:50], v4[:14], v4[:2], {},
		} {
			c.send(sec, c.a, data)
		}
		c.rule(RuleConfig{Action: ActReject, Rejection: RejectPort, Places: c.here()})
	})
	require.Empty(t, c.got)
	require.Equal(t, c.links[0].Stats(Forward).Sent.Frames, c.links[0].Stats(Forward).Dropped[DropRule])

	c = onChain(t, Params{}, func(c *chain) {
		first := packet{src: 1, dst: 2, protocol: protocolUDP, more: true}.data()
		first[17] = byte(len(first) - etherHeader)
		for _, data := range [][]byte{
			c.frame(false, false, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0)}),
			c.frame(true, false, &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}),
			c.frame(true, false, &layers.TCP{SYN: true}),
			first,
		} {
			c.send(sec, c.a, data)
		}
		c.rule(RuleConfig{Action: ActReject, Rejection: RejectPort, Places: c.here()})
	})
	require.Len(t, c.at("a"), 4)
}
