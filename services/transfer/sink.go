package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"netlab/services"
	"netlab/services/content"
	"netlab/tcp"
	"netlab/units"
)

// DefaultPort is where a sink listens when the file doesn't say otherwise, as iperf's servers do.
const DefaultPort = 5001

// SinkConfig configures the service "tcp-sink".
type SinkConfig struct {
	Listen services.ListenTCP `json:"listen" jsonschema_description:"Where it listens." jsonschema:"default=:5001"`
}

// Endless implements services.Config.
func (c *SinkConfig) Endless() bool { return true }

// Validate implements services.Config.
func (c *SinkConfig) Validate() error {
	if c.Listen == "" {
		return services.Fieldf("listen", "missing: want a colon and a port, such as \":%d\"", DefaultPort)
	}
	return nil
}

// SinkResult is what a sink reports.
type SinkResult struct {
	Connections uint64      `json:"connections"`
	Received    units.Bytes `json:"received_bytes"` // data of uploads, complete or not
	Sent        units.Bytes `json:"sent_bytes"`     // data of downloads, as handed to the stack
	// Retransmits counts segments that the sink's connections sent again.
	Retransmits uint64 `json:"retransmits"`
	// Errors counts connections that broke or asked for something else, not those that the end of the run or the crash of the
	// sink's host broke.
	Errors uint64 `json:"errors"`
}

// Sink describes the service.
var Sink = services.Type{
	Name: "tcp-sink", Role: services.Service,
	Doc:    "The other end of tcp-transfer: takes uploads and answers with their length and CRC-32C, and sends what downloads ask for.",
	Config: func() services.Config { return &SinkConfig{Listen: ":5001"} },
	Result: func() any { return new(SinkResult) },
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &sink{config: *config.(*SinkConfig)}, nil
	},
}

type sink struct {
	config SinkConfig

	mu     sync.Mutex
	result SinkResult
}

// Result implements services.Runner.
func (s *sink) Result() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	result := s.result
	return &result
}

// Run implements services.Runner.
func (s *sink) Run(ctx context.Context, env *services.Env) error {
	return env.ServeTCP(ctx, string(s.config.Listen), func(conn *tcp.Conn) { s.serve(ctx, env, conn) })
}

// serve serves one connection.
func (s *sink) serve(ctx context.Context, env *services.Env, conn *tcp.Conn) {
	received, sent, err := s.answer(env, conn)
	retransmits := conn.Info().Retransmits
	if env.Over(ctx) {
		err = nil
	}
	if err != nil {
		env.Log.Warn("transfer failed", "client", conn.RemoteAddr().String(), "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Connections++
	s.result.Received += units.Bytes(received)
	s.result.Sent += units.Bytes(sent)
	s.result.Retransmits += retransmits
	if err != nil {
		s.result.Errors++
	}
}

// answer does what the client asks for.
func (s *sink) answer(env *services.Env, conn *tcp.Conn) (received, sent int64, err error) {
	in := bufio.NewReaderSize(conn, content.BlockSize)
	line, err := readLine(in)
	if err != nil {
		return 0, 0, err
	}
	r, err := parseRequest(line)
	if r.dscp != 0 {
		if err := conn.SetDSCP(r.dscp); err != nil {
			return 0, 0, err
		}
	}
	switch {
	case err != nil:
		fmt.Fprintf(conn, "ERR %s\n", err)
	case r.get:
		sent, err = s.send(env, conn, in, r)
	default:
		received, err = s.receive(env, conn, in, r)
	}
	return received, sent, err
}

// receive takes an upload and tells the client what arrived.
func (s *sink) receive(env *services.Env, conn *tcp.Conn, in *bufio.Reader, r request) (int64, error) {
	if r.bytes < 0 {
		if err := conn.SetReadDeadline(env.Host.Network().Epoch().Add(r.until)); err != nil {
			return 0, err
		}
	}
	sum := newSum()
	n, err := io.Copy(sum, in)
	over := r.bytes < 0 && errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil && !over {
		return n, err
	}
	if _, err := conn.Write([]byte(answer{n, sum.Sum32()}.String())); err != nil {
		return n, err
	}
	switch {
	case over:
		return n, discard(conn)
	case r.bytes >= 0 && n != r.bytes:
		return n, fmt.Errorf("%d bytes arrived, %d were announced", n, r.bytes)
	}
	return n, nil
}

// discard reads what nobody counts, up to the end of a connection that the client ends by a reset.
func discard(conn *tcp.Conn) error {
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	return unlessReset(err)
}

// unlessReset returns err, but nil if it says that the client has reset the connection.
func unlessReset(err error) error {
	if errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// send sends what a download asks for and waits until the client has closed the connection. The client may reset it when it
// has asked for data for a time.
func (s *sink) send(env *services.Env, conn *tcp.Conn, in *bufio.Reader, r request) (int64, error) {
	sent, err := write(conn, content.New(r.seed), r, env.Host.Network().Epoch().Add(env.Elapsed()+r.duration), io.Discard)
	if err == nil {
		err = conn.CloseWrite()
	}
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if r.bytes < 0 {
		err = unlessReset(err)
	}
	return sent, err
}

// write writes as much of the stream as r asks for: so many bytes, or up to a time. What is written goes to copied too.
func write(conn *tcp.Conn, data *content.Stream, r request, until time.Time, copied io.Writer) (written int64, err error) {
	left := r.bytes
	if left < 0 {
		left = 1<<63 - 1
		conn.SetUnsentLimit(unsentLimit(conn))
		if err := conn.SetWriteDeadline(until); err != nil {
			return 0, err
		}
	}
	for left > 0 {
		piece := data.Peek(left)
		n, err := conn.Write(piece)
		copied.Write(piece[:n])
		data.Advance(n)
		written += int64(n)
		left -= int64(n)
		if r.bytes < 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// unsentLimit is what a sender that stops at a time hands over at once: five full segments of a path with an MTU of 1500 bytes.
func unsentLimit(conn *tcp.Conn) int {
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok && a.IP.To4() == nil {
		return 5 * 1400
	}
	return 5 * 1420
}

// readLine reads a line with its newline, of at most maxLine bytes.
func readLine(in *bufio.Reader) (string, error) {
	var line []byte
	for len(line) < maxLine {
		b, err := in.ReadByte()
		if err == io.EOF && len(line) > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		line = append(line, b)
		if b == '\n' {
			return string(line), nil
		}
	}
	return "", errLine
}
