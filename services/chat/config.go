package chat

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"netlab/services"
	"netlab/services/secure"
	"netlab/units"
	"netlab/ws"
)

// Transport is how users hear of messages.
type Transport string

// The transports.
const (
	WebSocket   Transport = "websocket"
	Polling     Transport = "polling"
	LongPolling Transport = "long-polling"
)

// maxUsers and maxMessages bound what a workload keeps count of.
const (
	maxUsers    = 1 << 16
	maxMessages = 1 << 20
)

// Config configures the workload "chat".
type Config struct {
	URL          services.URL   `json:"url" jsonschema_description:"The room's path on the server, such as http://server/chat." jsonschema:"required"`
	Transport    Transport      `json:"transport" jsonschema_description:"How users send and hear of messages: over WebSocket, or by HTTP requests, of which some ask every so often (polling) or wait for the answer (long-polling)." jsonschema:"enum=websocket,enum=polling,enum=long-polling,default=websocket"`
	Users        int            `json:"users" jsonschema_description:"How many users each host has. All of them watch." jsonschema:"default=1"`
	Senders      int            `json:"senders" jsonschema_description:"How many of all users send as well: the first of each host, then the second of each, and so on." jsonschema:"default=1"`
	Messages     int            `json:"messages" jsonschema_description:"How many messages each sender sends." jsonschema:"default=10"`
	Interval     units.Duration `json:"interval" jsonschema_description:"Time from one message of a sender to the next." jsonschema:"default=1s"`
	Size         units.Bytes    `json:"size" jsonschema_description:"Length of a message's text." jsonschema:"default=100B"`
	LeadTime     units.Duration `json:"lead_time" jsonschema_description:"Time from the start to the senders' first messages. Users connect during the first half of it, evenly; pollers spread over the poll_interval instead." jsonschema:"default=1s"`
	PollInterval units.Duration `json:"poll_interval,omitempty" jsonschema_description:"Time from one poll of a user to the next, with polling. Default 1s."`
	Wait         units.Duration `json:"wait,omitempty" jsonschema_description:"How long the server may keep a poll waiting, with long-polling. The room has a limit for it. Default 30s."`
	PingInterval units.Duration `json:"ping_interval,omitempty" jsonschema_description:"Time from one ping of a user to the next, with websocket. Default 0s: none."`
	PingTimeout  units.Duration `json:"ping_timeout,omitempty" jsonschema_description:"How long a pong may take before the connection is given up. Default ping_interval."`
	Compression  ws.Compression `json:"compression,omitempty" jsonschema_description:"Whether users want their WebSocket messages compressed. context-takeover costs 1.2 MB a user. Default none." jsonschema:"enum=none,enum=context-takeover,enum=no-context-takeover"`
	Reconnect    Reconnect      `json:"reconnect,omitzero" jsonschema_description:"Whether users whose connection breaks or whose request fails try again, and after which time. Those who poll do so at the next interval. true, false, or an object. Default true."`
	Timeout      units.Duration `json:"timeout" jsonschema_description:"How long a connection or a request may take, beyond the wait, and how long watchers wait for messages that are still missing after the time of the last one." jsonschema:"default=30s"`
	TLS          secure.Client  `json:"tls,omitzero" jsonschema_description:"How TLS is used, if the URL asks for it."`
}

// NewConfig returns the defaults.
func NewConfig() *Config {
	return &Config{
		Transport: WebSocket, Users: 1, Senders: 1, Messages: 10, Interval: units.Duration(time.Second), Size: 100,
		LeadTime: units.Duration(time.Second), Timeout: units.Duration(30 * time.Second),
	}
}

// The defaults that depend on the transport.
const (
	defaultPollInterval = units.Duration(time.Second)
	defaultWait         = units.Duration(30 * time.Second)
)

// Endless implements services.Config.
func (c *Config) Endless() bool { return false }

// Calls implements services.Caller.
func (c *Config) Calls() []services.Call {
	return []services.Call{{Field: "url", Host: c.URL.Host(), Protocol: services.TCP, Port: c.URL.Port()}}
}

// Validate implements services.Config.
func (c *Config) Validate() error {
	list := []error{checkURL(c.URL), checkTLS(c.URL, &c.TLS), c.Reconnect.validate("reconnect."),
		checkCount("users", c.Users, 1, maxUsers), checkCount("senders", c.Senders, 1, maxUsers), checkCount("messages", c.Messages, 1, maxMessages),
		checkPositive("interval", c.Interval), checkSize(c.Size), checkPositive("timeout", c.Timeout), c.validateTransport()}
	if c.LeadTime < 0 {
		list = append(list, services.Fieldf("lead_time", "found %s, wanted 0s or more", c.LeadTime))
	}
	return errors.Join(list...)
}

// ValidateFrom returns an error if the configuration makes no sense for a workload that runs on so many hosts.
func (c *Config) ValidateFrom(hosts int) error {
	if most := c.Users * hosts; c.Senders > most {
		return services.Fieldf("senders", "found %d, but there are %d users: wanted at most that many", c.Senders, most)
	}
	return nil
}

// validateTransport returns errors about what belongs to one transport.
func (c *Config) validateTransport() error {
	var list []error
	only := func(field string, given bool, t Transport) {
		if given && c.Transport != t {
			list = append(list, services.Fieldf(field, "means nothing with transport %s: it is for %s", c.Transport, t))
		}
	}
	switch c.Transport {
	case WebSocket, Polling, LongPolling:
		only("poll_interval", c.PollInterval != 0, Polling)
		only("wait", c.Wait != 0, LongPolling)
		only("ping_interval", c.PingInterval != 0, WebSocket)
		only("ping_timeout", c.PingTimeout != 0, WebSocket)
		only("compression", c.Compression != "" && c.Compression != ws.NoCompression, WebSocket)
	default:
		list = append(list, services.Fieldf("transport", "%q is not one of %s, %s, %s", c.Transport, WebSocket, Polling, LongPolling))
	}
	if c.PollInterval < 0 {
		list = append(list, services.Fieldf("poll_interval", "found %s, wanted more than 0s", c.PollInterval))
	}
	if c.Wait < 0 {
		list = append(list, services.Fieldf("wait", "found %s, wanted more than 0s", c.Wait))
	}
	list = append(list, checkCompression("", c.Compression), checkPings("", c.PingInterval, c.PingTimeout))
	return errors.Join(list...)
}

func checkURL(u services.URL) error {
	if u == "" {
		return services.Fieldf("url", "missing: want one such as \"http://server/chat\"")
	}
	p, err := u.ParseAny()
	if err != nil {
		return services.Fieldf("url", "%s", err)
	}
	if p.RawQuery != "" || p.ForceQuery {
		return services.Fieldf("url", "%q has a query: want a path alone", string(u))
	}
	return nil
}

func checkTLS(u services.URL, c *secure.Client) error {
	if _, err := u.ParseAny(); err == nil && !u.Secure() && *c != (secure.Client{}) {
		return services.Fieldf("tls", "means nothing with %q, which asks for no TLS: want https or wss", string(u))
	}
	return c.Validate("tls")
}

func checkCount(field string, n, least, most int) error {
	if n < least || n > most {
		return services.Fieldf(field, "found %d, wanted %d to %d", n, least, most)
	}
	return nil
}

func checkPositive(field string, d units.Duration) error {
	if d <= 0 {
		return services.Fieldf(field, "found %s, wanted more than 0s", d)
	}
	return nil
}

func checkSize(size units.Bytes) error {
	if size < 0 || size > maxText {
		return services.Fieldf("size", "found %s, wanted 0B to %s", size, maxText)
	}
	return nil
}

// below returns the URL of something in the room for a scheme: "http" or "ws", with an s if the URL has TLS.
func below(u services.URL, scheme, element string) *url.URL {
	p, err := u.ParseAny()
	if err != nil {
		panic("chat: a URL that was not checked: " + err.Error())
	}
	p.Scheme = scheme
	if u.Secure() {
		p.Scheme += "s"
	}
	p.Path, p.RawPath = strings.TrimSuffix(p.Path, "/")+"/"+element, ""
	return p
}
