// Command pictures plays examples and writes the pictures of the README and of the pages in docs from what they show:
//
//	go run ./internal/pictures
//
// Ladders are SVG, and a test holds them against the ones in docs/pictures. Screenshots of report.html are PNG; they are made where
// Chromium is installed and are as they come, since browsers differ in how they draw letters.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"netlab"
	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/examples"
	"netlab/report"
	"netlab/report/ladder"
)

func main() {
	dir := flag.String("o", filepath.Join("docs", "pictures"), "the `folder` that the pictures are written into")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintf(os.Stderr, "pictures: %v\n", err)
		os.Exit(1)
	}
}

// run makes all pictures.
func run(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	runs, err := os.MkdirTemp("", "netlab-pictures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(runs)
	for _, p := range pictures {
		if err := play(p.example, runs); err != nil {
			return err
		}
		svg, err := p.draw(filepath.Join(runs, p.example))
		if err != nil {
			return fmt.Errorf("%s: %w", p.example, err)
		}
		if err := os.WriteFile(filepath.Join(dir, p.file()), svg, 0o666); err != nil {
			return err
		}
		fmt.Println(filepath.Join(dir, p.file()))
	}
	return screenshots(dir, runs)
}

// play plays an example into a folder of its name below dir, unless that is there.
func play(example, dir string) error {
	out := filepath.Join(dir, example)
	if _, err := os.Stat(out); err == nil {
		return nil
	}
	text, err := examples.Read(example)
	if err != nil {
		return err
	}
	labs, err := netlab.Parse(example+".json", text, nil)
	if err != nil {
		return err
	}
	if len(labs) != 1 {
		return fmt.Errorf("%s has variants", example)
	}
	_, err = labs[0].Run(context.Background(), &netlab.RunOptions{Dir: out}, nil)
	return err
}

// picture is a ladder of an example.
type picture struct {
	example     string
	title       string
	description string
	filter      string // of package captures; empty is everything
	from, to    time.Duration
	repeats     bool // only segments that were sent again
	options     ladder.Options
	width       int
}

// pictures are all ladders that are drawn.
var pictures = []picture{
	{example: "handshake", title: "A TCP connection from beginning to end",
		description: "The client opens a connection with SYN, SYN and ACK, and ACK; three small messages are echoed; both sides close with FIN."},
	{example: "retransmission", title: "A lost segment and its fast retransmission", from: 4805 * time.Millisecond, to: 4960 * time.Millisecond,
		options: ladder.Options{Fold: true},
		description: "A segment is lost behind the router. The server repeats its ACK with growing SACK blocks for the segments that follow, " +
			"and the client sends the lost one again after a round trip."},
	{example: "partition", title: "Retransmission timeouts that double during a partition", filter: "tcp", repeats: true,
		from: 1900 * time.Millisecond, to: 8250 * time.Millisecond,
		description: "While the network is partitioned, the same segment is sent again and again, and is lost each time. The waits between " +
			"double: 0.4, 0.8, 1.6 and 3.2 seconds. The last one, after the partition, arrives."},
	{example: "https", title: "A page over HTTPS", to: 310 * time.Millisecond,
		description: "TCP opens within one round trip, TLS 1.3 within a second one, and the request over HTTP/2 takes a third one. The messages are decrypted."},
}

func (p *picture) file() string { return p.example + ".svg" }

// draw draws the picture of a run.
func (p *picture) draw(dir string) ([]byte, error) {
	f, err := report.Load(dir)
	if err != nil {
		return nil, err
	}
	var options analysis.RunOptions
	choice := ladder.Selection{From: p.from, Retransmissions: p.repeats}
	if p.to > 0 {
		choice.To = &p.to
	}
	if p.filter != "" {
		filter, err := captures.ParseFilter(p.filter, ladder.Addresses(&f.Topology))
		if err != nil {
			return nil, err
		}
		m := ladder.NewMatcher(filter)
		options.Frame, choice.Filter = m.Frame, m.Match
	}
	var files []analysis.CaptureFile
	for _, c := range f.Captures {
		files = append(files, analysis.CaptureFile(c))
	}
	run, err := analysis.OpenRun(files, options)
	if err != nil {
		return nil, err
	}
	journeys, err := choice.Of(run)
	if err != nil {
		return nil, err
	}
	o := p.options
	for _, e := range ladder.Events(f) {
		if e.At >= p.from && (p.to == 0 || e.At <= p.to) {
			o.Events = append(o.Events, e)
		}
	}
	l, err := ladder.New(run, ladder.NewNetwork(&f.Topology), journeys, o)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = l.SVG(&b, ladder.SVGOptions{Title: p.title, Description: p.description, Width: p.width})
	return b.Bytes(), err
}

// shots are the screenshots: the report of an example from a section on.
var shots = []struct{ example, section, file string }{
	{"retransmission", "topology", "report.png"},
	{"retransmission", "streams", "report-tcp.png"},
}

// screenshots makes pictures of reports in a browser. Where there is none it says so.
func screenshots(dir, runs string) error {
	browser := findBrowser()
	if browser == "" {
		fmt.Println("no screenshots: Chromium is not installed")
		return nil
	}
	for _, s := range shots {
		if err := play(s.example, runs); err != nil {
			return err
		}
		path := filepath.Join(dir, s.file)
		if err := screenshot(browser, filepath.Join(runs, s.example), s.section, path); err != nil {
			return fmt.Errorf("screenshot of %s: %w", s.example, err)
		}
		fmt.Println(path)
	}
	return nil
}

// findBrowser returns the path of Chromium or a relative of it, or "".
func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
