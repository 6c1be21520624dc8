package ws

import (
	"crypto/tls"
	"errors"
	"fmt"
	nethttp "net/http"
	"time"

	"github.com/coder/websocket"
)

// MessageType says what a message holds.
type MessageType = websocket.MessageType

// The types of messages.
const (
	// Text is UTF-8.
	Text = websocket.MessageText
	// Binary is anything.
	Binary = websocket.MessageBinary
)

// Compression says whether a side compresses messages (permessage-deflate, RFC 7692). It is used when both sides want it.
type Compression string

// The kinds of compression. The empty string means NoCompression.
const (
	NoCompression Compression = "none"
	// ContextTakeover compresses messages of 128 bytes or more and may refer to what earlier messages of the connection held.
	// It costs about 1.2 MB a connection.
	ContextTakeover Compression = "context-takeover"
	// NoContextTakeover compresses messages of 512 bytes or more, each on its own.
	NoContextTakeover Compression = "no-context-takeover"
)

// Compressions are all kinds, for configurations.
var Compressions = []Compression{NoCompression, ContextTakeover, NoContextTakeover}

var modes = map[Compression]websocket.CompressionMode{
	"": websocket.CompressionDisabled, NoCompression: websocket.CompressionDisabled,
	ContextTakeover: websocket.CompressionContextTakeover, NoContextTakeover: websocket.CompressionNoContextTakeover,
}

// DefaultReadLimit is the size of the largest message that a connection takes unless it is told otherwise.
const DefaultReadLimit = 1 << 20

// Options are what both sides of a connection may choose. The zero value is the default.
type Options struct {
	// Compression says whether messages are compressed if the peer agrees.
	Compression Compression
	// ReadLimit is the size in bytes of the largest message that is taken; a larger one closes the connection with
	// MessageTooBig. 0 means DefaultReadLimit.
	ReadLimit int64
	// Subprotocols are those that this side speaks, the best first (RFC 6455, section 1.9).
	Subprotocols []string
	// PingInterval is the time from one ping to the next. 0 sends none. Pongs are read by [Conn.Read], so somebody has to
	// read.
	PingInterval time.Duration
	// PingTimeout is how long a pong may take; then the connection is reset, and its methods return ErrPingTimeout. 0 means
	// PingInterval, and it can't be longer than that.
	PingTimeout time.Duration
	// Go starts the goroutines that send pings and watch over closing. Nil means those of the host.
	Go func(func())
}

// check returns what is wrong with the options.
func (o *Options) check() error {
	if _, ok := modes[o.Compression]; !ok {
		return fmt.Errorf("compression %q: want one of %q", string(o.Compression), Compressions)
	}
	if o.ReadLimit < 0 {
		return fmt.Errorf("read limit %d: want 0 or more", o.ReadLimit)
	}
	if o.PingInterval < 0 || o.PingTimeout < 0 {
		return errors.New("pings: want an interval and a timeout of 0 or more")
	}
	if o.PingTimeout > o.PingInterval {
		return fmt.Errorf("ping timeout %v: want at most the interval of %v", o.PingTimeout, o.PingInterval)
	}
	return nil
}

// DialOptions change what [Dial] does. The zero value, and nil, are the defaults.
type DialOptions struct {
	Options
	// Header is added to the request.
	Header nethttp.Header
	// TLS is used for URLs with the scheme wss or https. Nil makes these fail.
	TLS *tls.Config
}

// AcceptOptions change what [Accept] does. The zero value, and nil, are the defaults.
type AcceptOptions struct {
	Options
}
