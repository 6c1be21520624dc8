package captures

import (
	"bytes"
	"fmt"
)

// Operations of WebSocket frames (RFC 6455, section 5.2).
const (
	webSocketContinuation = 0
	webSocketText         = 1
	webSocketBinary       = 2
	webSocketClose        = 8
	webSocketPing         = 9
	webSocketPong         = 10
)

var webSocketNames = map[byte]string{
	webSocketContinuation: "continuation", webSocketText: "text", webSocketBinary: "binary",
	webSocketClose: "close", webSocketPing: "ping", webSocketPong: "pong",
}

// opensWebSocket says whether a segment begins with the answer that changes a connection to WebSocket.
func opensWebSocket(b []byte) bool {
	return bytes.HasPrefix(b, []byte("HTTP/1.1 101 ")) && bytes.Contains(bytes.ToLower(b), []byte("\r\nupgrade: websocket\r\n"))
}

// webSocketFrame reads a frame. Its size is told as it is on the wire, which with compression is less than the message's.
func webSocketFrame(b []byte) (text string, size int) {
	if len(b) < 2 {
		return "", 0
	}
	name, known := webSocketNames[b[0]&15]
	if !known || b[0]&0x30 != 0 {
		return "", 0
	}
	header, length := 2, uint64(b[1]&0x7f)
	switch {
	case length == 126 && len(b) >= 4:
		header, length = 4, uint64(be.Uint16(b[2:]))
	case length == 127 && len(b) >= 10:
		header, length = 10, be.Uint64(b[2:])
	case length >= 126:
		return "", 0
	}
	var key []byte
	if b[1]&0x80 != 0 {
		if len(b) < header+4 {
			return "", 0
		}
		key = b[header : header+4]
		header += 4
	}
	if length > maxFrame {
		return "", 0
	}
	text = "WebSocket " + name
	switch b[0] & 15 {
	case webSocketContinuation, webSocketText, webSocketBinary:
		text += fmt.Sprintf(" %d B", length)
		if b[0]&0x40 != 0 {
			text += " compressed"
		}
		if b[0]&0x80 == 0 {
			text += ", more follow"
		}
	case webSocketClose:
		if length >= 2 && len(b) >= header+2 {
			code := be.Uint16(b[header:])
			if key != nil {
				code ^= be.Uint16(key)
			}
			text += fmt.Sprintf(" %d", code)
		}
	}
	return text, header + int(length)
}
