package analysis

import (
	"strconv"
	"time"
)

// DNS is what was asked and answered on port 53.
type DNS struct {
	// Queries and Responses count messages, over UDP and TCP, also those sent again.
	Queries   int `json:"queries"`
	Responses int `json:"responses"`
	// Repeated are queries with the ID, the question and the ends of one that is not answered yet.
	Repeated int `json:"repeated"`
	// Unanswered are queries without a response in the capture.
	Unanswered int            `json:"unanswered"`
	Codes      map[string]int `json:"codes"` // responses by code: NOERROR, NXDOMAIN, …
	Exchanges  []*DNSExchange `json:"exchanges,omitempty"`
}

// DNSExchange is a query with its response.
type DNSExchange struct {
	Client   string        `json:"client"`
	Server   string        `json:"server"`
	Name     string        `json:"name"`
	Type     string        `json:"type"`
	Query    int           `json:"query_frame"`
	QueryAt  time.Duration `json:"query_ns"`
	Response int           `json:"response_frame"` // 0 if there is none
	Took     time.Duration `json:"took_ns"`
	Code     string        `json:"code,omitempty"`
	Answers  []string      `json:"answers,omitempty"`
	TCP      bool          `json:"tcp,omitempty"`
	Repeats  int           `json:"repeats,omitempty"`
}

// HTTP is what was asked and answered over HTTP/1 and HTTP/2.
type HTTP struct {
	// Requests and Responses count messages of HTTP/1, as http.request and http.response in Wireshark; Informational are those of the
	// responses with a code below 200.
	Requests      int `json:"requests"`
	Responses     int `json:"responses"`
	Informational int `json:"informational"`
	// Requests2 and Responses2 count those of HTTP/2; Frames2 counts its frames by type: HEADERS, DATA, …
	Requests2  int             `json:"http2_requests"`
	Responses2 int             `json:"http2_responses"`
	Frames2    map[string]int  `json:"http2_frames"`
	Codes      map[string]int  `json:"codes"` // responses by status code, both versions
	Exchanges  []*HTTPExchange `json:"exchanges,omitempty"`
}

// HTTPExchange is a request with its response.
type HTTPExchange struct {
	Stream   int    `json:"stream"`              // tcp.stream
	StreamID uint32 `json:"stream_id,omitempty"` // of HTTP/2
	Version  string `json:"version"`             // HTTP/1.0, HTTP/1.1 or HTTP/2
	Method   string `json:"method"`
	Host     string `json:"host"`
	Target   string `json:"target"`
	Status   int    `json:"status"` // 0 if no response was captured
	// Request and Response are the frames with which the heads are complete, End the one with which the response's body is, 0 where
	// that was not captured. RequestAt is the first one's time; FirstByte and Took are the times from there to the response's head and
	// to its end.
	Request       int           `json:"request_frame"`
	Response      int           `json:"response_frame"`
	End           int           `json:"end_frame"`
	RequestAt     time.Duration `json:"request_ns"`
	FirstByte     time.Duration `json:"first_byte_ns"`
	Took          time.Duration `json:"took_ns"`
	RequestBytes  uint64        `json:"request_bytes"` // of the bodies
	ResponseBytes uint64        `json:"response_bytes"`
	Reset         bool          `json:"reset,omitempty"` // the stream or the connection was reset before the end
}

// WebSocket counts the frames of RFC 6455 by kind and direction. The first frame of a message has its kind, further ones are
// continuations.
type WebSocket struct {
	Connections int            `json:"connections"`
	FromClient  map[string]int `json:"from_client"` // text, binary, continuation, close, ping, pong
	FromServer  map[string]int `json:"from_server"`
}

// TLSCounts counts over all connections.
type TLSCounts struct {
	Sessions  int            `json:"sessions"`
	Decrypted int            `json:"decrypted"` // sessions for which the capture held the secrets
	Records   map[string]int `json:"records"`   // by outer content type: handshake, application, alert, change-cipher-spec
	// Messages counts the handshake messages, by names such as ClientHello. Those that are encrypted count if they could be decrypted.
	Messages map[string]int `json:"messages"`
	Alerts   map[string]int `json:"alerts"`
}

// TLS is what is known of a connection's session.
type TLS struct {
	Version     string   `json:"version"` // "TLS 1.3"; "" if there was no ServerHello
	CipherSuite string   `json:"cipher_suite"`
	ServerName  string   `json:"server_name,omitempty"`
	ALPN        string   `json:"alpn,omitempty"`
	Offered     []string `json:"alpn_offered,omitempty"`
	Resumed     bool     `json:"resumed"`
	Retry       bool     `json:"hello_retry"` // with a HelloRetryRequest
	Decrypted   bool     `json:"decrypted"`
	// Reason says why it, or what followed, could not be decrypted, "" if all could. Early data (0-RTT) never is.
	Reason string `json:"reason,omitempty"`
	// ClientHello and ServerHello are their frames, Finished the one with which both sides had finished, 0 where they were not captured
	// or can't be told. ClientHelloAt is the first one's time, Took the time from there to Finished.
	ClientHello   int           `json:"client_hello_frame"`
	ServerHello   int           `json:"server_hello_frame"`
	Finished      int           `json:"finished_frame"`
	ClientHelloAt time.Duration `json:"client_hello_ns"`
	Took          time.Duration `json:"took_ns"`
	Alerts        []string      `json:"alerts,omitempty"`
}

func itoa(n uint16) string { return strconv.Itoa(int(n)) }
