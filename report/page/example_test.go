package page_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"netlab"
	"netlab/examples"
	"netlab/report"
	"netlab/report/page"
)

// The report is made from the folder that a run has left.
func ExampleWriteFolder() {
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

	if err := page.WriteFolder(dir, page.Options{Budget: 2_000_000}); err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, report.PageFile))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Name(), "fits its budget:", info.Size() <= 2_000_000)
	// Output: report.html fits its budget: true
}
