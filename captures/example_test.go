package captures_test

import (
	"bytes"
	"fmt"
	"log"
	"net/netip"
	"time"

	"netlab/captures"
	"netlab/netem"
)

// arp is a request for 10.0.0.2 by 10.0.0.1.
var arp = []byte{
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06,
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2,
}

func Example() {
	var file bytes.Buffer
	w, err := captures.NewWriter(&file, captures.Section{Application: "netlab", Comments: []string{"seed 1"}})
	if err != nil {
		log.Fatal(err)
	}
	eth0, err := w.AddInterface(captures.InterfaceDescription{Name: "client-eth0"})
	if err != nil {
		log.Fatal(err)
	}
	err = w.WriteNames([]captures.Name{
		{Addr: netip.MustParseAddr("10.0.0.1"), Name: "client"},
		{Addr: netip.MustParseAddr("10.0.0.2"), Name: "server"},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = w.WritePacket(&captures.Packet{
		Interface: eth0, Time: time.Unix(0, 0), Directed: true, Direction: netem.Outbound, Data: arp,
		Comment: "dropped: random loss on client--server",
	})
	if err != nil {
		log.Fatal(err)
	}

	c, err := captures.ReadAll(&file)
	if err != nil {
		log.Fatal(err)
	}
	describer := captures.Describer{Name: c.NameFunc()}
	for _, p := range c.Packets {
		fmt.Println(describer.Describe(p.Data))
		fmt.Println(p.Comment)
	}
	// Output:
	// ARP who has server? tell client
	// dropped: random loss on client--server
}

func ExampleParseFilter() {
	resolve := func(name string) ([]netip.Addr, bool) {
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, name == "client"
	}
	filter, err := captures.ParseFilter("arp and host client", resolve)
	fmt.Println(filter.Match(arp), err)
	_, err = captures.ParseFilter("arp and hots client", resolve)
	fmt.Println(err)
	// Output:
	// true <nil>
	// filter, at offset 8: "hots" is not a filter; did you mean host?
}

func ExampleDescribe() {
	fmt.Println(captures.Describe(arp))
	// Output: ARP who has 10.0.0.2? tell 10.0.0.1
}
