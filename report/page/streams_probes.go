package page

import (
	"net/netip"

	"netlab/captures/analysis"
	"netlab/captures/telemetry"
)

// probes is what the stack of one end of a connection told of its congestion control, in columns; times are nanoseconds, to the one
// before.
type probes struct {
	MSS      int     `json:"mss"` // bytes, 0 if no data was sent
	T        []int64 `json:"t"`
	Cwnd     []int   `json:"cwnd"` // segments
	MinCwnd  []int   `json:"min_cwnd"`
	MaxCwnd  []int   `json:"max_cwnd"`
	Ssthresh []int   `json:"ssthresh"` // segments, -1 for none
	RTT      []int64 `json:"rtt"`      // smoothed, 0 until it is measured
	RTO      []int64 `json:"rto"`
	// States are the changes of the congestion control's state.
	States []state `json:"states"`
}

// state is a state of the connection and of its congestion control, from a time on.
type state struct {
	T          int64  `json:"t"` // from the start of the run
	State      string `json:"state"`
	Congestion string `json:"congestion"`
}

// newProbes returns what was taken down at one side of a connection, or nil if nothing was. The side is found by its addresses, as
// any of the captures has them, since the one behind NAT has those of its host; of connections that had the
// same ports one after the other, the one that began latest before this one ended.
func newProbes(file *telemetry.File, s *analysis.Stream, end int) *probes {
	if file == nil {
		return nil
	}
	var found *telemetry.Connection
	for _, v := range s.Views {
		local, remote := addressOf(v.Ends[sideIn(v, end)]), addressOf(v.Ends[sideIn(v, 1-end)])
		for _, c := range file.Connections {
			if c.Local == local && c.Remote == remote && c.Start <= v.Last {
				found = c
			}
		}
	}
	if found == nil {
		return nil
	}
	p := &probes{MSS: found.MSS, States: []state{}}
	last := int64(0)
	for _, q := range found.Points {
		p.T = append(p.T, int64(q.T)-last)
		p.Cwnd, p.MinCwnd, p.MaxCwnd = append(p.Cwnd, q.Cwnd), append(p.MinCwnd, q.MinCwnd), append(p.MaxCwnd, q.MaxCwnd)
		p.Ssthresh = append(p.Ssthresh, q.Ssthresh)
		p.RTT, p.RTO = append(p.RTT, int64(q.RTT)), append(p.RTO, int64(q.RTO))
		last = int64(q.T)
	}
	for _, q := range found.States {
		p.States = append(p.States, state{int64(q.T), q.State, q.Congestion})
	}
	return p
}

// sideIn returns which side of a view one of the stream's is.
func sideIn(v analysis.View, side int) int {
	if v.Flipped {
		return 1 - side
	}
	return side
}

func addressOf(a analysis.Address) string { return netip.AddrPortFrom(a.Addr, a.Port).String() }

// thin makes one of each two neighbours, which has the later one's values and the extremes of both windows, until there are at most
// limit. A nil p has none.
func (p *probes) thin(limit int) {
	if p == nil {
		return
	}
	for len(p.T) > limit {
		n := 0
		for i := 0; i < len(p.T); i++ {
			t, least, most := p.T[i], p.MinCwnd[i], p.MaxCwnd[i]
			if i+1 < len(p.T) {
				i++
				t, least, most = t+p.T[i], min(least, p.MinCwnd[i]), max(most, p.MaxCwnd[i])
			}
			p.T[n], p.Cwnd[n], p.MinCwnd[n], p.MaxCwnd[n] = t, p.Cwnd[i], least, most
			p.Ssthresh[n], p.RTT[n], p.RTO[n] = p.Ssthresh[i], p.RTT[i], p.RTO[i]
			n++
		}
		p.T, p.Cwnd, p.MinCwnd, p.MaxCwnd = p.T[:n], p.Cwnd[:n], p.MinCwnd[:n], p.MaxCwnd[:n]
		p.Ssthresh, p.RTT, p.RTO = p.Ssthresh[:n], p.RTT[:n], p.RTO[:n]
	}
	p.States = p.States[:min(len(p.States), limit)]
}
