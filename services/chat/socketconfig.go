package chat

import (
	"errors"
	"time"

	"netlab/services"
	"netlab/services/secure"
	"netlab/units"
	"netlab/ws"
)

// The kinds of messages.
const (
	textMessages   = "text"
	binaryMessages = "binary"
)

// SocketConfig configures the workload "websocket".
type SocketConfig struct {
	URL          services.URL   `json:"url" jsonschema_description:"Where a server sends WebSocket messages back, such as ws://server/echo." jsonschema:"required"`
	Connections  int            `json:"connections" jsonschema_description:"How many connections each host opens at once." jsonschema:"default=1"`
	Count        int            `json:"count" jsonschema_description:"How many messages each connection carries; 0 goes on until the end of the run." jsonschema:"default=10"`
	Interval     units.Duration `json:"interval" jsonschema_description:"Time from one message to the next." jsonschema:"default=1s"`
	Size         units.Bytes    `json:"size" jsonschema_description:"Size of a message, up to 16MiB." jsonschema:"default=100B"`
	Kind         string         `json:"kind" jsonschema_description:"Whether messages are text, made of words, or binary, made of random bytes, which no compression makes smaller." jsonschema:"enum=text,enum=binary,default=text"`
	Compression  ws.Compression `json:"compression,omitempty" jsonschema_description:"Whether the client wants messages compressed (permessage-deflate). Default none." jsonschema:"enum=none,enum=context-takeover,enum=no-context-takeover"`
	PingInterval units.Duration `json:"ping_interval,omitempty" jsonschema_description:"Time from one ping to the next. Default 0s: none."`
	PingTimeout  units.Duration `json:"ping_timeout,omitempty" jsonschema_description:"How long a pong may take before the connection is given up. Default ping_interval."`
	CloseCode    int            `json:"close_code" jsonschema_description:"Code with which the client closes: 1000 (normal), 1001 (going away), or one of an application, 3000 to 4999." jsonschema:"default=1000"`
	Timeout      units.Duration `json:"timeout" jsonschema_description:"How long a connection may take to open, and how long the client waits for echoes after its last message." jsonschema:"default=30s"`
	TLS          secure.Client  `json:"tls,omitzero" jsonschema_description:"How TLS is used, if the URL asks for it."`
}

// NewSocketConfig returns the defaults.
func NewSocketConfig() *SocketConfig {
	return &SocketConfig{Connections: 1, Count: 10, Interval: units.Duration(time.Second), Size: 100, Kind: textMessages,
		CloseCode: int(ws.NormalClosure), Timeout: units.Duration(30 * time.Second)}
}

// Endless implements services.Config.
func (c *SocketConfig) Endless() bool { return c.Count == 0 }

// Calls implements services.Caller.
func (c *SocketConfig) Calls() []services.Call {
	return []services.Call{{Field: "url", Host: c.URL.Host(), Protocol: services.TCP, Port: c.URL.Port()}}
}

// Validate implements services.Config.
func (c *SocketConfig) Validate() error {
	list := []error{checkAnyURL(c.URL), checkTLS(c.URL, &c.TLS), checkCount("connections", c.Connections, 1, maxUsers),
		checkPositive("interval", c.Interval), checkSize(c.Size), checkPositive("timeout", c.Timeout),
		checkCompression("", c.Compression), checkPings("", c.PingInterval, c.PingTimeout)}
	if c.Count < 0 {
		list = append(list, services.Fieldf("count", "found %d, wanted 0 or more", c.Count))
	}
	if c.Kind != textMessages && c.Kind != binaryMessages {
		list = append(list, services.Fieldf("kind", "%q is not one of %s, %s", c.Kind, textMessages, binaryMessages))
	}
	if c.CloseCode != 1000 && c.CloseCode != 1001 && (c.CloseCode < 3000 || c.CloseCode > 4999) {
		list = append(list, services.Fieldf("close_code", "found %d, wanted 1000, 1001, or 3000 to 4999", c.CloseCode))
	}
	return errors.Join(list...)
}

func checkAnyURL(u services.URL) error {
	if u == "" {
		return services.Fieldf("url", "missing: want one such as \"ws://server/echo\"")
	}
	if _, err := u.ParseAny(); err != nil {
		return services.Fieldf("url", "%s", err)
	}
	return nil
}
