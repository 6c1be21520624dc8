package netem

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/gopacket/layers"

	"netlab/units"
)

// fuzzRules has a rule for each action and each rejection.
func fuzzRules() (list []RuleConfig) {
	for _, a := range actions {
		r := RuleConfig{Name: string(a.name), Action: a.name}
		switch a.name {
		case ActDelay:
			r.Delay = units.Constant(ms)
		case ActReject:
			for _, m := range rejections {
				list = append(list, RuleConfig{Name: string(m.name), Action: ActReject, Rejection: m.name})
			}
			list[len(list)-1].MTU = 1280
			continue
		}
		list = append(list, r)
	}
	return list
}

// Whatever a frame holds, each action lives with it, and all of them behind each other do; no frame is lost or released twice.
func FuzzRules(f *testing.F) {
	c := &chain{t: f}
	for _, v6 := range []bool{false, true} {
		f.Add(c.udp(v6, 1), uint8(0))
		f.Add(request(v6, 1, 2), uint8(1))
		f.Add(c.frame(v6, false, &layers.TCP{SYN: true, Seq: 7}, 1, 2, 3), uint8(2))
		f.Add(packet{v6: v6, src: 1, dst: 2, protocol: protocolUDP, offset: 8, more: true}.data(), uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, first uint8) {
		if len(data) > DefaultMTU+etherHeader {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			c := newChain(t, latency(ms))
			c.SetTap(c)
			check := stock(t, c.Engine)
			rules := fuzzRules()
			everywhere := []Place{{c.a, Outbound}, {c.ra, Outbound}, {c.rb, Outbound}, {c.b, Outbound}}
			for i := range rules {
				r := rules[(i+int(first))%len(rules)]
				r.Places, r.Nth = everywhere, i/2+1 // each hits one of the frames, several some of them
				c.rule(r)
			}
			for range rules {
				c.send(sec, c.a, data)
				c.send(2*sec, c.b, data)
			}
			if err := c.Run(context.Background()); err != ErrStandstill {
				t.Fatal(err)
			}
			check()
			c.conserved(true)
			for _, g := range c.shown {
				if g.comment == "forged by rule \"reset\"" {
					decode(t, g.data)
				}
			}
		})
	})
}
