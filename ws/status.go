package ws

import (
	"fmt"

	"github.com/coder/websocket"
)

// StatusCode is a close code: why a connection was closed (RFC 6455, section 7.4).
type StatusCode = websocket.StatusCode

// The codes that are used here. Applications may have others, from 3000 to 4999.
const (
	NormalClosure   = websocket.StatusNormalClosure           // 1000: all is done
	GoingAway       = websocket.StatusGoingAway               // 1001: a server stops, a browser leaves the page
	ProtocolError   = websocket.StatusProtocolError           // 1002
	UnsupportedData = websocket.StatusUnsupportedData         // 1003: such as a binary message where text is wanted
	NoStatus        = websocket.StatusNoStatusRcvd            // 1005: the close frame has no code; never sent
	Abnormal        = websocket.StatusAbnormalClosure         // 1006: there was no close frame; never sent
	InvalidPayload  = websocket.StatusInvalidFramePayloadData // 1007: a message makes no sense
	PolicyViolation = websocket.StatusPolicyViolation         // 1008
	MessageTooBig   = websocket.StatusMessageTooBig           // 1009
	InternalError   = websocket.StatusInternalError           // 1011
	TryAgainLater   = websocket.StatusTryAgainLater           // 1013: the server is overloaded
)

// ErrPingTimeout and ErrCloseTimeout are why a connection was given up whose peer has not answered a ping or a close frame in
// time. They are timeouts in the sense of net.Error.
var (
	ErrPingTimeout  error = &timeout{"no pong in time"}
	ErrCloseTimeout error = &timeout{"no close frame in time"}
)

// timeout implements net.Error.
type timeout struct{ text string }

func (t *timeout) Error() string { return t.text }
func (t *timeout) Timeout() bool { return true }

// Temporary is part of net.Error and means nothing.
func (t *timeout) Temporary() bool { return false }

// ErrMessageTooBig is why a connection was closed whose peer sent a message beyond the read limit.
var ErrMessageTooBig = websocket.ErrMessageTooBig

// CloseError is the close frame of a peer.
type CloseError = websocket.CloseError

// HandshakeError is a server's refusal to speak WebSocket.
type HandshakeError struct {
	// Status is the response's: anything but 101, or 101 if the response is wrong otherwise.
	Status int
	Err    error
}

// Error implements error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("the server does not upgrade the connection (status %d): %v", e.Status, e.Err)
}

// Unwrap returns what the library said.
func (e *HandshakeError) Unwrap() error { return e.Err }

// CloseStatus returns the code of the close frame that an error of [Conn.Read] stands for: Abnormal where there was none, and 0 for
// nil.
func CloseStatus(err error) StatusCode {
	if err == nil {
		return 0
	}
	if code := websocket.CloseStatus(err); code >= 0 {
		return code
	}
	return Abnormal
}
