package netlab_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"netlab"
	"netlab/topology"
	"netlab/units"
)

// A lab from Go values, and ordinary net/http on its hosts. The latency of 20 ms makes a round trip of 40 ms, and a
// request on a new connection takes two.
func Example() {
	latency := units.Constant(20 * time.Millisecond)
	lab, err := netlab.New(&topology.Topology{
		Name:  "hello",
		Nodes: topology.MapOf(topology.Entry[topology.Node]{Name: "client"}, topology.Entry[topology.Node]{Name: "server"}),
		Links: []topology.Link{{Between: "client - server", LinkParams: topology.LinkParams{Latency: &latency}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = lab.Run(context.Background(), nil, func(run *netlab.Run) error {
		listener, err := run.Host("server").Listen("tcp", ":80")
		if err != nil {
			return err
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "hello from ", r.Host)
		})}
		run.Go(func() error {
			if err := server.Serve(listener); err != http.ErrServerClosed {
				return err
			}
			return nil
		})
		defer server.Close()

		client := http.Client{Transport: &http.Transport{DialContext: run.Host("client").DialContext}}
		defer client.CloseIdleConnections()
		start := time.Now() // virtual time
		response, err := client.Get("http://server/")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		fmt.Printf("%s, after %v\n", text, time.Since(start).Round(time.Millisecond))
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: hello from server, after 80ms
}

// An example's file, its results and its expectations.
func ExampleLoad() {
	lab, err := netlab.Load("examples/retransmission.json", nil)
	if err != nil {
		log.Fatal(err)
	}
	results, err := lab.Run(context.Background(), nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	client, _ := results.Nodes.Get("client")
	link, _ := results.Links.Get("r1--server")
	fmt.Println("lost:", link.Forward.Dropped["loss"], "sent again:", client.TCP.Retransmits)
	fmt.Println("all expectations hold:", results.Verdict() == netlab.Holds)
	// Output:
	// lost: 32 sent again: 32
	// all expectations hold: true
}

// A fault in the middle of a test: the client's read deadline passes while the link is cut, and the same connection works
// again afterwards.
func ExampleRun_Inject() {
	labs, err := netlab.Parse("lab.json", []byte(`{
		"nodes": { "client": {}, "server": { "services": { "echo": { "type": "tcp-echo" } } } },
		"links": [{ "between": "client - server", "latency": "10ms" }],
	}`), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = labs[0].Run(context.Background(), nil, func(run *netlab.Run) error {
		conn, err := run.Host("client").Dial("tcp", "server:7")
		if err != nil {
			return err
		}
		defer conn.Close()
		cut, err := run.Inject(topology.Fault{Cut: "client - server"})
		if err != nil {
			return err
		}
		if _, err := conn.Write([]byte("anybody there?")); err != nil {
			return err
		}
		answer := make([]byte, len("anybody there?"))
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		_, err = io.ReadFull(conn, answer)
		timeout, ok := err.(net.Error)
		fmt.Println("timeout:", ok && timeout.Timeout())

		cut.Remove()
		if err := conn.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		_, err = io.ReadFull(conn, answer)
		fmt.Printf("%s\n", answer)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// timeout: true
	// anybody there?
}

// A page that is fetched while the server's cable is out for 1.5 s. The host asks for the server's MAC address at once, after
// 1 s and after 2 s, and only then there is an answer.
func ExampleLab_Run() {
	lab, err := netlab.Load("examples/lan.json", nil) // or netlab.New with Go values
	if err != nil {
		log.Fatal(err)
	}
	results, err := lab.Run(context.Background(), nil, func(run *netlab.Run) error {
		client := http.Client{Transport: &http.Transport{DialContext: run.Host("host1").DialContext}}
		defer client.CloseIdleConnections()
		if _, err := run.Inject(topology.Fault{Cut: "server - sw", For: units.Constant(1500 * time.Millisecond)}); err != nil {
			return err
		}
		start := time.Now() // virtual time
		response, err := client.Get("http://server/")
		if err != nil {
			return err
		}
		defer response.Body.Close()
		n, err := io.Copy(io.Discard, response.Body)
		fmt.Println(n, "bytes after", time.Since(start).Round(time.Second))
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	switches, _ := results.Nodes.Get("sw")
	fmt.Println(switches.Switch.Stations, "stations")
	// Output:
	// 10000 bytes after 2s
	// 51 stations
}
