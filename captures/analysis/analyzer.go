package analysis

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"netlab/captures"
)

// defaultLimit is how many entries each list holds unless the options say otherwise.
const defaultLimit = 100_000

// maxNames is how many names of addresses are taken from a capture.
const maxNames = 1 << 20

// Options say how a capture is analysed. The zero value reads headers only.
type Options struct {
	// Name returns the name of an address, or "" if it has none. Names in the capture come first. It may be nil.
	Name func(netip.Addr) string
	// Start is the time from which all others count. The zero value is that of the run if the capture says so, else that of the first
	// packet.
	Start time.Time
	// Applications puts segments together and reads what is in them: TLS, HTTP, WebSocket, DNS over TCP.
	Applications bool
	// KeyLog holds TLS secrets in the format of NSS key logs, beside those in the capture.
	KeyLog []byte
	// Limit is how many entries each list of the analysis holds at most; 0 means 100,000, a negative number none at all.
	Limit int
	// Select, if it isn't nil, says of each frame whether it is analysed. Of the frame only Number, At, Packet, Headers and LinkType are
	// known then. Those left out have their number all the same, so that numbers are those of the file.
	Select func(*Frame) bool
	// Frame, if it isn't nil, is called for each frame in order.
	Frame func(*Frame)
}

// application reads what the two sides of a connection say. The analyzer of TCP makes one for each connection when its first
// payload comes, and gives it the payload in order, without repetitions.
type application interface {
	// data takes the next bytes of a side. f is the frame with which they became readable: the one that carried them, or the one
	// that closed the gap before them. The bytes are valid during the call only. What became complete is added to f.Messages.
	data(f *Frame, side int, b []byte)
	// gap says that n bytes of a side are missing and will not come: they were not captured, or the frame was cut short.
	gap(f *Frame, side int, n uint64)
	// end says that a side has sent all it had (FIN), or that the connection is over (RST, or the end of the capture; f is nil then).
	end(f *Frame, side int)
}

// Analyzer analyses one capture while it is read. The zero value is not ready: see [New]. It is not safe for use by several
// goroutines.
type Analyzer struct {
	options  Options
	limit    int
	analysis *Analysis
	apps     applications
	started  bool
	number   int // of the frame at hand

	headers captures.Headers
	frame   Frame
	names   map[netip.Addr]string
	root    Protocol // its children are the tree's roots

	endpoints     map[netip.Addr]*Endpoint
	conversations map[conversationKey]int
	tcp           generations[streamKey, *TCPStream]
	udp           generations[streamKey, *UDPStream]
	marks         [len(markNames)]int
	repeats       int // in the lists of all streams together
	waiting       int // bytes behind gaps, of all streams together
}

// New returns an analyzer of one capture.
func New(o Options) *Analyzer {
	a := &Analyzer{
		options: o, limit: o.Limit,
		analysis: &Analysis{
			Interfaces: []Interface{}, Protocols: []*Protocol{}, Endpoints: []*Endpoint{}, Conversations: []Conversation{},
			TCP: []*TCPStream{}, UDP: []*UDPStream{}, ICMP: map[string]int{}, ARP: map[string]int{}, Notes: []Note{},
			NoteCounts: map[string]int{}, Marks: map[string]int{}, TCPTotal: TCPTotal{Retransmitted: map[Kind]int{}},
		},
		names: map[netip.Addr]string{}, endpoints: map[netip.Addr]*Endpoint{}, conversations: map[conversationKey]int{},
	}
	if o.Limit == 0 {
		a.limit = defaultLimit
	}
	a.tcp = generations[streamKey, *TCPStream]{size: maxStreams, drop: a.forget}
	a.udp = generations[streamKey, *UDPStream]{size: maxStreams}
	a.apps.start(a)
	return a
}

// room says whether a list that has n entries may have another.
func (a *Analyzer) room(n int) bool { return n < a.limit }

// Add takes the next block of the capture. Nothing of it is kept.
func (a *Analyzer) Add(b captures.Block) {
	switch b := b.(type) {
	case *captures.Section:
		a.addSection(b)
	case *captures.InterfaceDescription:
		a.analysis.Interfaces = append(a.analysis.Interfaces,
			Interface{Name: b.Name, Description: b.Description, LinkType: b.LinkType})
	case *captures.Names:
		for _, n := range b.Names {
			if _, known := a.names[n.Addr]; !known && len(a.names) < maxNames {
				a.names[n.Addr] = n.Name
			}
		}
	case *captures.Secrets:
		if b.Type == captures.SecretsTLS {
			a.apps.keyLog(b.Data)
		}
	case *captures.Packet:
		a.addPacket(b)
	}
}

func (a *Analyzer) addSection(s *captures.Section) {
	r := a.analysis
	if r.Application == "" {
		r.Application = s.Application
	}
	r.Comments = append(r.Comments, s.Comments...)
	if start, ok := s.Start(); ok && !a.started && a.options.Start.IsZero() {
		a.begin(start)
	}
}

// begin sets the time from which others count.
func (a *Analyzer) begin(at time.Time) { a.analysis.Start, a.started = at, true }

// name returns the name of an address, "" if it has none.
func (a *Analyzer) name(addr netip.Addr) string {
	if name := a.names[addr]; name != "" || a.options.Name == nil {
		return name
	}
	return a.options.Name(addr)
}

// Finish returns the analysis. The analyzer must not be used any more.
func (a *Analyzer) Finish() *Analysis {
	r := a.analysis
	a.tcp.clear()
	r.Protocols = append(r.Protocols, a.root.Children...)
	for i, m := range a.marks {
		if m > 0 {
			r.Marks[markNames[i]] = m
		}
	}
	a.nameAll()
	return r
}

// nameAll gives names to what was listed before the capture told them.
func (a *Analyzer) nameAll() {
	r := a.analysis
	for _, e := range r.Endpoints {
		e.Name = a.name(e.Addr)
	}
	for i := range r.Conversations {
		c := &r.Conversations[i]
		c.AName, c.BName = a.name(c.A), a.name(c.B)
	}
	for _, s := range r.TCP {
		a.nameEnds(&s.Ends)
	}
	for _, s := range r.UDP {
		a.nameEnds(&s.Ends)
	}
}

func (a *Analyzer) nameEnds(ends *[2]Address) {
	for i := range ends {
		ends[i].Name = a.name(ends[i].Addr)
	}
}

// forget ends streams that nothing more is expected of, in their order.
func (a *Analyzer) forget(streams map[streamKey]*TCPStream) {
	list := make([]*TCPStream, 0, len(streams))
	for _, s := range streams {
		list = append(list, s)
	}
	slices.SortFunc(list, func(s, t *TCPStream) int { return s.Index - t.Index })
	for _, s := range list {
		a.endStream(s)
	}
}

// dropReason returns what a comment says of why the emulated network dropped the frame, such as "random loss on r1--server". ok is
// false if it did not.
func dropReason(comment string) (reason string, ok bool) {
	if comment == "" {
		return "", false
	}
	reason, link, ok, _ := splitComment(comment)
	if link != "" {
		reason += " on " + link
	}
	return reason, ok
}

// altered says whether a comment is one of those by which netlab tells what else it did to a frame.
func altered(comment string) bool {
	_, _, _, others := splitComment(comment)
	return slices.ContainsFunc(others, func(c string) bool {
		word, _, _ := strings.Cut(c, " ")
		switch strings.TrimSuffix(word, ":") {
		case "corrupted", "truncated", "duplicate", "duplicated", "reordered":
			return true
		}
		return false
	})
}
