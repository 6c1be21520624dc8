package analysis_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"netlab"
	"netlab/captures/analysis"
	"netlab/examples"
	"netlab/report"
)

// A run's captures are read together: each segment that was sent again is tied to its original, wherever that was lost.
func ExampleOpenRun() {
	dir, err := os.MkdirTemp("", "run-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text, err := examples.Read("handshake")
	if err != nil {
		log.Fatal(err)
	}
	labs, err := netlab.Parse("handshake.json", text, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := labs[0].Run(context.Background(), &netlab.RunOptions{Dir: dir}, nil); err != nil {
		log.Fatal(err)
	}

	folder, err := report.Load(dir)
	if err != nil {
		log.Fatal(err)
	}
	var files []analysis.CaptureFile
	for _, c := range folder.Captures {
		files = append(files, analysis.CaptureFile(c))
	}
	run, err := analysis.OpenRun(files, analysis.RunOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(run.Journeys), "packets,", len(run.Streams), "stream")
	for _, c := range run.Captures[:1] {
		h := c.Analysis.TCP[0].Handshake
		fmt.Printf("%s: SYN in frame %d, SYN-ACK in frame %d, took %v\n", c.Node, h.SYN, h.SYNACK, h.Took)
	}
	// Output:
	// 19 packets, 1 stream
	// client: SYN in frame 1, SYN-ACK in frame 2, took 40ms
}
