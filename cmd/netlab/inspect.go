package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netlab/captures/analysis"
)

const inspectHelp = `Inspect says what captures show: protocols, who talked to whom, TCP connections with what
was sent again and why, and what was said in DNS, HTTP, TLS and WebSocket.

FILE is a capture of any program in the formats pcapng and pcap, also compressed by gzip;
- is standard input. DIR is the folder of a run, whose captures follow one another; the
name of a lab means its folder in netlab-out.

Sections, for --section:

  hierarchy      frames and bytes by protocol
  endpoints      what each address sent and received
  conversations  what pairs of addresses sent each other
  streams        TCP connections, a line each
  tcp            statistics of both sides of each TCP connection
  udp            UDP streams
  dns, http, tls, websocket
                 counts, and the exchanges or sessions
  notes          what deserves attention; if it is asked for, each note too
  all            all of them

Without --section they are hierarchy, conversations, streams and the sums of notes.
--stream shows one TCP connection with all that is known of it.

TLS is decrypted with the secrets in the capture, as netlab puts them there, and those in
--keylog (SSLKEYLOGFILE of browsers). --headers-only is for large files: it reads no more
than headers, several hundred megabytes a second.

Frames count from 1 and streams from 0, as in Wireshark: frame.number == 7 and tcp.stream
== 0. With --filter, --from or --to only the frames that these choose are analysed: frames
keep their numbers, but streams are counted among those frames, and may have other numbers
in Wireshark. Times count from the start of the run, or from the first packet in captures
of others. A file is read to its end, as frames need not be in order of time.

A file that is cut short or damaged is shown up to there; then the error says at which
offset that is, and the exit code is 3.`

const inspectExamples = `  netlab inspect retransmission
  netlab inspect retransmission --node client --stream 0
  netlab inspect trace.pcapng --section tcp,notes --from 1s --to 2s
  netlab inspect trace.pcap.gz --filter 'host 10.0.0.1 and port 443' --keylog keys.txt
  tcpdump -w - | netlab inspect - --json`

// inspectFlags are what the command line of inspect says.
type inspectFlags struct {
	sections    []string
	stream      int
	node        string
	filter      string
	from, to    *time.Duration
	limit       int
	keyLog      string
	noDecrypt   bool
	headersOnly bool
	json        bool
	width       int
	secrets     []byte // of keyLog
}

// inspectSections are the names of the sections in the order in which they are printed.
var inspectSections = []string{"hierarchy", "endpoints", "conversations", "streams", "tcp", "udp", "dns", "http", "tls", "websocket", "notes"}

// usualSections are those that are shown unless others are asked for.
var usualSections = []string{"hierarchy", "conversations", "streams", "notes"}

// defaultRows is how many rows of each table are shown unless the command line says otherwise.
const defaultRows = 50

func inspectCommand() *cobra.Command {
	f := &inspectFlags{}
	c := &cobra.Command{
		Use:               "inspect FILE|DIR…",
		Short:             "Say what captures show: protocols, connections, retransmissions, exchanges",
		Long:              inspectHelp,
		Example:           inspectExamples,
		Args:              atLeastOne,
		ValidArgsFunction: completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(c); err != nil {
				return err
			}
			return f.run(c, args)
		},
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringSliceVar(&f.sections, "section", nil, "show only these sections, such as `tcp,notes`")
	flags.IntVar(&f.stream, "stream", 0, "show TCP stream `N` in full")
	flags.StringVar(&f.node, "node", "", "of a run's captures only that of node `NAME`")
	flags.StringVar(&f.filter, "filter", "", "look only at frames that `FILTER` chooses, such as 'port 80'")
	flags.Var(timeFlag(&f.from), "from", "look only at frames from that time on, such as 1.5s")
	flags.Var(timeFlag(&f.to), "to", "look only at frames up to that time")
	flags.IntVar(&f.limit, "limit", defaultRows, "show at most `N` rows of each table; 0: all")
	flags.StringVar(&f.keyLog, "keylog", "", "decrypt TLS with the secrets in `FILE` too")
	flags.BoolVar(&f.noDecrypt, "no-decrypt", false, "decrypt nothing")
	flags.BoolVar(&f.headersOnly, "headers-only", false, "read headers only, no applications; faster")
	flags.BoolVar(&f.json, "json", false, "print all that was found as JSON; of several captures, an array")
	flags.IntVar(&f.width, "width", 0, "print lines of `N` columns; default: the terminal's, else 80")
	_ = c.MarkFlagFilename("keylog")
	_ = c.RegisterFlagCompletionFunc("section", cobra.FixedCompletions(append(slices.Clone(inspectSections), "all"), cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"stream", "node", "filter", "from", "to", "limit", "width"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

// check refuses what makes no sense, and reads the secrets.
func (f *inspectFlags) check(c *cobra.Command) error {
	given := func(name string) bool { return c.Flags().Changed(name) }
	for _, s := range f.sections {
		if s != "all" && !slices.Contains(inspectSections, s) {
			return fmt.Errorf("there is no section %q%s", s, didYouMean(s, append(slices.Clone(inspectSections), "all"), ""))
		}
	}
	switch {
	case given("section") && len(f.sections) == 0:
		return errors.New("--section wants the name of a section")
	case given("section") && f.json:
		return errors.New("--section and --json exclude each other: JSON has all sections")
	case given("section") && given("stream"):
		return errors.New("--section and --stream exclude each other")
	case given("stream") && f.stream < 0:
		return fmt.Errorf("--stream %d: want a number from 0", f.stream)
	case f.limit < 0:
		return fmt.Errorf("--limit %d: want 0 for all, or a number of rows", f.limit)
	case f.headersOnly && f.keyLog != "":
		return errors.New("--headers-only and --keylog exclude each other: there is nothing to decrypt")
	case f.noDecrypt && f.keyLog != "":
		return errors.New("--no-decrypt and --keylog exclude each other")
	case given("node") && f.node == "":
		return errors.New("--node wants the name of a node")
	}
	if err := checkTimes(f.from, f.to); err != nil {
		return err
	}
	if !given("stream") {
		f.stream = -1
	}
	if !given("width") {
		f.width = max(terminalWidth(c.OutOrStdout(), columns), minWidth)
	}
	if err := checkWidth(f.width); err != nil {
		return err
	}
	if f.keyLog != "" {
		var err error
		if f.secrets, err = os.ReadFile(f.keyLog); err != nil {
			return err
		}
	}
	return nil
}

// shows says whether a section is shown.
func (f *inspectFlags) shows(section string) bool {
	if len(f.sections) == 0 {
		return slices.Contains(usualSections, section)
	}
	return slices.Contains(f.sections, section) || slices.Contains(f.sections, "all")
}

// inspected is what is known of a capture: in JSON, either the analysis or a stream.
type inspected struct {
	File     string             `json:"file"`
	Node     string             `json:"node,omitempty"`
	Error    string             `json:"error,omitempty"` // where the file is damaged
	Analysis *analysis.Analysis `json:"analysis,omitempty"`
	Stream   *streamDetail      `json:"stream,omitempty"`
}

// run inspects all captures, and goes on behind those that are damaged.
func (f *inspectFlags) run(c *cobra.Command, args []string) error {
	sources, err := f.findCaptures(args)
	if err != nil {
		return err
	}
	var damaged []error
	var list []*inspected
	for i, s := range sources {
		found, err := f.inspect(c, s)
		if found == nil {
			return errors.Join(append(damaged, err)...)
		}
		if err != nil {
			found.Error = err.Error()
			damaged = append(damaged, err)
		}
		if f.json {
			list = append(list, found)
			continue
		}
		p := newPage(c.OutOrStdout())
		if i > 0 {
			p.linef("")
		}
		if err := f.print(p, found); err != nil {
			return errors.Join(append(damaged, err)...)
		}
		if err := p.print(c.OutOrStdout()); err != nil {
			return err
		}
	}
	if f.json {
		if err := f.printList(c.OutOrStdout(), list); err != nil {
			return err
		}
	}
	return errors.Join(damaged...)
}

func (f *inspectFlags) printList(w io.Writer, list []*inspected) error {
	if f.stream >= 0 {
		for _, i := range list {
			if i.Stream == nil {
				return f.noStream(i)
			}
			i.Analysis = nil
		}
	}
	if len(list) == 1 {
		return printJSON(w, list[0])
	}
	return printJSON(w, list)
}

// noStream says that a capture doesn't have the stream that was asked for.
func (f *inspectFlags) noStream(i *inspected) error {
	switch n := i.Analysis.TCPTotal.Streams; n {
	case 0:
		return fmt.Errorf("%s: has no TCP stream", i.File)
	case 1:
		return fmt.Errorf("%s: has no TCP stream %d: the only one is 0", i.File, f.stream)
	default:
		return fmt.Errorf("%s: has no TCP stream %d: want 0 to %d", i.File, f.stream, n-1)
	}
}

// rows returns how many of n rows are shown.
func (f *inspectFlags) rows(n int) int {
	if f.limit == 0 {
		return n
	}
	return min(n, f.limit)
}

// more tells of rows that are not shown.
func (p *page) more(left int) {
	if left > 0 {
		p.linef("  … and %s more: --limit 0 shows all", printCount(uint64(left)))
	}
}

// printFrames prints frame numbers: "7, 9 and 11".
func printFrames(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ", ")
}
