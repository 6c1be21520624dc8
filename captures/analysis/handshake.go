package analysis

import "netlab/captures"

// openOrClose takes down what a segment does to the connection's state.
func (a *Analyzer) openOrClose(f *Frame, st *streamState, n *numbers) {
	s, t := f.Stream, &f.Segment
	h, total := &s.Handshake, &a.analysis.TCPTotal
	syn, acks := t.Flags&captures.SYN != 0, t.Flags&captures.ACK != 0
	switch {
	case syn && !acks:
		total.SYNs++
		if h.SYNs++; h.SYNs == 1 {
			h.SYN, h.SYNAt = f.Number, f.At
		}
		s.offer(f)
	case syn:
		total.SYNACKs++
		if h.SYNACKs++; h.SYNACKs == 1 {
			h.SYNACK, h.SYNACKAt = f.Number, f.At
		}
		s.offer(f)
	case acks && t.Flags&captures.RST == 0 && h.ACK == 0 && h.SYNACK != 0 && f.Side == Client && n.ack >= 1:
		h.ACK, h.ACKAt = f.Number, f.At
		if h.SYN != 0 {
			h.Complete, h.Took = true, h.ACKAt-h.SYNAt
			total.Handshakes++
		}
	}
	a.close(f, st)
}

// offer takes down the options of a SYN.
func (s *TCPStream) offer(f *Frame) {
	t, side := &f.Segment, &s.Sides[f.Side]
	side.MSS, side.Scale, side.SACK, side.Timestamps = t.MSS, t.Scale, t.SACKPermitted, t.Timestamps
}

// close takes down how the connection ends.
func (a *Analyzer) close(f *Frame, st *streamState) {
	c, t := &f.Stream.Close, &f.Segment
	both := st.sides[Client].fin > 0 && st.sides[Server].fin > 0
	switch {
	case t.Flags&captures.RST != 0:
		if c.How == CloseFIN || c.How == CloseReset {
			break
		}
		h := &f.Stream.Handshake
		h.Refused = f.Side == Server && h.SYN != 0 && h.SYNACK == 0
		*c = Close{How: CloseReset, Side: f.Side, Frame: f.Number, At: f.At}
		st.reset = true
	case t.Flags&captures.FIN != 0 && c.How == CloseOpen:
		*c = Close{How: CloseHalf, Side: f.Side, Frame: f.Number, At: f.At}
	case both && c.How == CloseHalf:
		c.How = CloseFIN
	}
	if !st.closed && (st.reset || both && st.sides[Client].acknowledged > st.sides[Client].fin && st.sides[Server].acknowledged > st.sides[Server].fin) {
		st.closed = true
		for i := range st.sides {
			st.sides[i].pieces.shrink()
		}
	}
}
