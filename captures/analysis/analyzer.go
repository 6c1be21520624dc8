package analysis

import (
	"net/netip"
	"time"
)

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
