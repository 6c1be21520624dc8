package chat

import (
	"errors"
	"slices"
	"time"

	"netlab/services"
	"netlab/units"
	"netlab/ws"
)

// SlowPolicy says what becomes of a member that takes messages more slowly than they come.
type SlowPolicy string

// The policies. The empty string means CloseSlow.
const (
	// CloseSlow closes its connection with code 1008.
	CloseSlow SlowPolicy = "close"
	// SkipSlow leaves out the oldest of the messages that wait for it.
	SkipSlow SlowPolicy = "skip"
)

// The defaults of a room.
const (
	DefaultHistory                = 1000
	DefaultQueue                  = 256
	DefaultMaxMessage units.Bytes = 64_000
	DefaultMaxWait                = units.Duration(60 * time.Second)
)

// maxHistory bounds what a room keeps.
const maxHistory = 1 << 20

// maxText is the largest message that rooms and clients can be told to send.
const maxText units.Bytes = 16 << 20

// RoomConfig configures a room. The zero value is the default.
type RoomConfig struct {
	History      int            `json:"history,omitempty" jsonschema_description:"How many messages the room keeps, the latest ones. Default 1000."`
	MaxMessage   units.Bytes    `json:"max_message,omitempty" jsonschema_description:"Size of the largest message, with its JSON, before compression. Over WebSocket a larger one closes the connection with code 1009, POST gets status 413. Default 64kB."`
	MaxWait      units.Duration `json:"max_wait,omitempty" jsonschema_description:"Longest wait that a long poll may ask for. Default 60s."`
	Compression  ws.Compression `json:"compression,omitempty" jsonschema_description:"Whether WebSocket messages are compressed when the client agrees (permessage-deflate). context-takeover costs 1.2 MB a member. Default none." jsonschema:"enum=none,enum=context-takeover,enum=no-context-takeover"`
	Queue        int            `json:"queue,omitempty" jsonschema_description:"How many messages may wait for a member over WebSocket, at most history. Default 256, or history if that is less."`
	Slow         SlowPolicy     `json:"slow,omitempty" jsonschema_description:"What becomes of a member for whom more messages wait: close closes its connection with code 1008, skip leaves out the oldest. Default close." jsonschema:"enum=close,enum=skip"`
	PingInterval units.Duration `json:"ping_interval,omitempty" jsonschema_description:"Time from one ping to the next that the room sends each member over WebSocket. Default 0s: none."`
	PingTimeout  units.Duration `json:"ping_timeout,omitempty" jsonschema_description:"How long a pong may take before the member is given up. Default ping_interval."`
}

// Validate returns errors about the fields below field, which is the name of the whole.
func (c *RoomConfig) Validate(field string) error {
	if field != "" {
		field += "."
	}
	var list []error
	if c.History < 0 || c.History > maxHistory {
		list = append(list, services.Fieldf(field+"history", "found %d, wanted 1 to %d", c.History, maxHistory))
	}
	if c.MaxMessage < 0 || c.MaxMessage > maxText {
		list = append(list, services.Fieldf(field+"max_message", "found %s, wanted 1B to %s", c.MaxMessage, maxText))
	}
	if c.MaxWait < 0 {
		list = append(list, services.Fieldf(field+"max_wait", "found %s, wanted more than 0s", c.MaxWait))
	}
	if full := c.withDefaults(); c.Queue < 0 || list == nil && c.Queue > full.History {
		list = append(list, services.Fieldf(field+"queue", "found %d, wanted 1 to %d, the history", c.Queue, full.History))
	}
	if c.Slow != "" && c.Slow != CloseSlow && c.Slow != SkipSlow {
		list = append(list, services.Fieldf(field+"slow", "%q is not one of %s, %s", c.Slow, CloseSlow, SkipSlow))
	}
	list = append(list, checkCompression(field, c.Compression), checkPings(field, c.PingInterval, c.PingTimeout))
	return errors.Join(list...)
}

func checkCompression(prefix string, c ws.Compression) error {
	if c == "" || slices.Contains(ws.Compressions, c) {
		return nil
	}
	return services.Fieldf(prefix+"compression", "%q is not one of %s, %s, %s", c, ws.NoCompression, ws.ContextTakeover, ws.NoContextTakeover)
}

func checkPings(prefix string, interval, timeout units.Duration) error {
	switch {
	case interval < 0:
		return services.Fieldf(prefix+"ping_interval", "found %s, wanted 0s or more", interval)
	case timeout != 0 && interval == 0:
		return services.Fieldf(prefix+"ping_timeout", "there is no ping_interval")
	case timeout < 0 || timeout > interval:
		return services.Fieldf(prefix+"ping_timeout", "found %s, wanted more than 0s and at most the ping_interval of %s", timeout, interval)
	}
	return nil
}

// withDefaults returns the configuration with all defaults filled in.
func (c RoomConfig) withDefaults() RoomConfig {
	if c.History == 0 {
		c.History = DefaultHistory
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = DefaultMaxMessage
	}
	if c.MaxWait == 0 {
		c.MaxWait = DefaultMaxWait
	}
	if c.Queue == 0 {
		c.Queue = min(DefaultQueue, c.History)
	}
	if c.Slow == "" {
		c.Slow = CloseSlow
	}
	return c
}
