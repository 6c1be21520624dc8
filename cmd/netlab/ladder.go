package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
	"netlab/report/ladder"
)

const ladderHelp = `Ladder draws the packets of a run as a sequence diagram: a column for each node, an arrow
for each packet, from the node that sent it across the routers to the one that got it. A
packet that was lost ends in ✗ on the link that lost it, with the reason. A segment that
was sent again names the packet that it repeats. Numbers count the run's packets, times
are seconds from its start.

FILE is a capture of any program in the formats pcapng and pcap, also compressed by gzip;
its columns are addresses, or their names if the capture has them. DIR is the folder of a
run; the name of a lab means its folder in netlab-out.

Of more packets than --limit, long stretches of plain data segments and ACKs become a line
each, and what is still too much is left out. Colours mark what opens (green), closes
(cyan) and resets (bold red) connections, retransmissions (yellow), losses (red),
applications (blue), DNS and ICMP (magenta); plain ACKs and ARP are dim.`

const ladderExamples = `  netlab ladder handshake
  netlab ladder retransmission --retransmissions -C 2
  netlab ladder https --from 0.1s --to 0.3s --nodes client,server
  netlab ladder capture.pcap --filter 'port 443' --svg ladder.svg`

// ladderOptions are what the command line says.
type ladderOptions struct {
	choice    ladder.Selection
	picture   ladder.Options
	text      ladder.TextOptions
	filter    string
	stream    int
	color     string
	svg       string
	json      bool
	toScale   bool
	foldGiven bool
	from      *time.Duration
}

func ladderCommand() *cobra.Command {
	var o ladderOptions
	c := &cobra.Command{
		Use:               "ladder DIR|FILE",
		Short:             "Draw the packets of a run between its nodes",
		Long:              ladderHelp,
		Example:           ladderExamples,
		Args:              oneRun,
		ValidArgsFunction: completeRuns,
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c); err != nil {
				return err
			}
			return drawLadder(c, args[0], &o)
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.StringSliceVar(&o.picture.Nodes, "nodes", nil, "the columns, from left to right: `A,B,…`")
	f.StringVar(&o.filter, "filter", "", "only packets that fit `EXPR`, a capture filter")
	f.IntVar(&o.stream, "stream", 0, "only the run's TCP connection `N`, counted from 0")
	f.StringSliceVar(&o.choice.Protocols, "protocol", nil, "only packets of these protocols: `tcp,dns,…`")
	f.Var(timeFlag(&o.from), "from", "only packets from time `T` on, such as 1.5s")
	f.Var(timeFlag(&o.choice.To), "to", "only packets up to time `T`")
	f.BoolVar(&o.choice.Lost, "lost", false, "only packets that were lost")
	f.BoolVar(&o.choice.Retransmissions, "retransmissions", false, "only segments that were sent again")
	f.IntVarP(&o.choice.Context, "context", "C", 0, "with these two, `N` packets before and after, too")
	f.IntVar(&o.picture.Limit, "limit", defaultLimit, "draw at most `N` packets; 0: all (default 200)")
	f.BoolVar(&o.picture.Fold, "fold", false, "put stretches of plain segments together, also below --limit")
	f.BoolVar(&o.picture.Hops, "hops", false, "a line for each hop, at its own time")
	f.IntVar(&o.text.Width, "width", 0, "lines of at most `N` columns; default: the terminal's, else 100")
	f.BoolVar(&o.text.ASCII, "ascii", false, "use ASCII only; default: if the locale isn't UTF-8")
	f.StringVar(&o.color, "color", "auto", "colours: `WHEN` is auto, always or never (default auto)")
	f.StringVar(&o.svg, "svg", "", "write a picture into `FILE` instead; - is standard output")
	f.BoolVar(&o.toScale, "to-scale", false, "with --svg, distances down are proportional to time")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each packet; all without --limit")
	_ = c.MarkFlagFilename("svg", "svg")
	_ = c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]cobra.Completion{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"nodes", "filter", "stream", "protocol", "from", "to", "context", "limit", "width"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	return c
}

// defaultLimit is how many packets are drawn if nothing is said.
const defaultLimit = 200

// oneRun wants the folder of a run, or a file.
func oneRun(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	problem := "which run? Give the folder of one, or a capture"
	if len(args) > 1 {
		problem = fmt.Sprintf("%d runs: give one", len(args))
	}
	return fmt.Errorf("%s\nRun '%s --help' for usage.", problem, c.CommandPath()) //nolint:staticcheck // two sentences for a person
}

// check refuses what doesn't go together and fills in what depends on the terminal.
func (o *ladderOptions) check(c *cobra.Command) error {
	given := c.Flags().Changed
	switch {
	case o.json && o.svg != "":
		return errors.New("--json and --svg exclude each other")
	case given("svg") && o.svg == "":
		return errors.New("--svg wants the name of a file")
	case o.toScale && o.svg == "":
		return errors.New("--to-scale is for pictures: give --svg FILE, too")
	case o.choice.Context < 0:
		return fmt.Errorf("--context %d: want 0 or more", o.choice.Context)
	case o.choice.Context > 0 && !o.choice.Lost && !o.choice.Retransmissions:
		return errors.New("--context goes with --lost or --retransmissions")
	case o.picture.Limit < 0:
		return fmt.Errorf("--limit %d: want 0 or more", o.picture.Limit)
	case given("width") && o.text.Width < 1:
		return fmt.Errorf("--width %d: want 1 or more", o.text.Width)
	case o.color != "auto" && o.color != "always" && o.color != "never":
		return fmt.Errorf("--color %q: want auto, always or never%s", o.color, didYouMean(o.color, []string{"auto", "always", "never"}, ""))
	}
	if err := checkTimes(o.from, o.choice.To); err != nil {
		return err
	}
	if o.from != nil {
		o.choice.From = *o.from
	}
	if given("stream") {
		o.choice.Stream = &o.stream
	}
	if o.json && !given("limit") {
		o.picture.Limit = 0
	}
	o.foldGiven = given("fold")
	o.text.Hint = "--limit 0 shows all"
	o.text.Color = o.color == "always" || o.color == "auto" && coloured(c.OutOrStdout())
	if !given("ascii") {
		o.text.ASCII = !localeIsUTF8(os.Getenv)
	}
	if !given("width") {
		o.text.Width = terminalWidth(c.OutOrStdout(), ladder.DefaultWidth)
	}
	return nil
}

// openedRun is what a ladder is drawn of.
type openedRun struct {
	run     *analysis.Run
	network *ladder.Network
	events  []ladder.Event
	matcher *ladder.Matcher
	// err tells of captures that were damaged: what precedes the fault is there.
	err error
}

// drawLadder draws the ladder of a folder or a file.
func drawLadder(c *cobra.Command, arg string, o *ladderOptions) error {
	r, err := openRun(arg, o.filter)
	if err != nil {
		return err
	}
	for _, note := range r.run.Notes {
		fmt.Fprintf(c.ErrOrStderr(), "netlab: %s\n", note)
	}
	if r.run.Left > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "netlab: only the first %s are looked at, %d follow\n", plural(len(r.run.Journeys), "packet"), r.run.Left)
	}
	if r.matcher != nil {
		o.choice.Filter = r.matcher.Match
	}
	chosen, err := o.choice.Of(r.run)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return errors.Join(r.err, fmt.Errorf("nothing to draw: none of %s in %s is chosen", plural(len(r.run.Journeys), "packet"), arg))
	}
	picture := o.picture
	if !o.foldGiven {
		picture.Fold = !o.json && picture.Limit > 0 && len(chosen) > picture.Limit
	}
	picture.Events = during(r.events, &o.choice)
	l, err := ladder.New(r.run, r.network, chosen, picture)
	if err != nil {
		return err
	}
	return errors.Join(o.write(c, l), r.err)
}

// during returns the events in the time that is looked at.
func during(events []ladder.Event, s *ladder.Selection) []ladder.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e ladder.Event) bool { return e.At < s.From || s.To != nil && e.At > *s.To })
}

// openRun reads what the argument names.
func openRun(arg, filter string) (*openedRun, error) {
	r := &openedRun{}
	var options analysis.RunOptions
	useFilter := func(resolve func(string) ([]netip.Addr, bool)) error {
		if filter == "" {
			return nil
		}
		f, err := captures.ParseFilter(filter, resolve)
		if err != nil {
			return err
		}
		r.matcher = ladder.NewMatcher(f)
		options.Frame = r.matcher.Frame
		return nil
	}
	if info, err := os.Stat(arg); err == nil && !info.IsDir() {
		names, err := ladder.AddressesIn(arg)
		if err != nil {
			return nil, err
		}
		if err := useFilter(names); err != nil {
			return nil, err
		}
		if r.run, r.err = analysis.OpenFile(arg, options); r.run == nil {
			return nil, r.err
		}
		return r, nil
	}
	folder, err := openFolder(arg)
	if err != nil {
		return nil, err
	}
	if len(folder.Captures) == 0 {
		return nil, fmt.Errorf("%s: holds no captures", folder.Dir)
	}
	addresses := ladder.Addresses(&folder.Topology)
	if err := useFilter(addresses); err != nil {
		return nil, err
	}
	// A plain pcap names neither addresses nor the interfaces of frames: it shows packets from end to end.
	plain := strings.HasSuffix(folder.Captures[0].Path, ".pcap")
	if plain {
		names := map[netip.Addr]string{}
		for _, n := range folder.Topology.Nodes {
			list, _ := addresses(n.Name)
			for _, a := range list {
				names[a] = n.Name
			}
		}
		options.Name = func(a netip.Addr) string { return names[a] }
	}
	if r.run, r.err = analysis.OpenRun(captureFiles(folder), options); r.run == nil {
		return nil, r.err
	}
	r.events = ladder.Events(folder)
	if !plain {
		r.network = ladder.NewNetwork(&folder.Topology)
	}
	return r, nil
}

// captureFiles returns a folder's captures for the analysis.
func captureFiles(f *report.Folder) []analysis.CaptureFile {
	var list []analysis.CaptureFile
	for _, c := range f.Captures {
		list = append(list, analysis.CaptureFile(c))
	}
	return list
}

// write writes the ladder in the form that is asked for.
func (o *ladderOptions) write(c *cobra.Command, l *ladder.Ladder) error {
	out := c.OutOrStdout()
	var err error
	switch {
	case o.json:
		return l.JSON(out)
	case o.svg == "-":
		err = l.SVG(out, ladder.SVGOptions{ToScale: o.toScale})
	case o.svg != "":
		err = writeFile(o.svg, func(w io.Writer) error { return l.SVG(w, ladder.SVGOptions{ToScale: o.toScale}) })
	default:
		err = l.Text(out, o.text)
	}
	var narrow *ladder.WidthError
	if errors.As(err, &narrow) {
		way := fmt.Sprintf(", or give --width %d", narrow.Needed)
		if o.svg != "" {
			way = ""
		}
		columns := l.Columns()
		return fmt.Errorf("%w: choose some with --nodes, such as --nodes %s,%s%s", err, columns[0], columns[len(columns)-1], way)
	}
	return err
}

// writeFile writes a file; if that fails it takes it away again.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}
