package chat

import (
	"context"
	"crypto/sha256"
	stdtls "crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"time"

	"netlab/services"
	"netlab/services/failures"
	"netlab/services/figures"
	"netlab/units"
	"netlab/ws"
)

// Socket describes the workload "websocket".
var Socket = services.Type{
	Name: "websocket", Role: services.Workload,
	Doc: "Sends WebSocket messages to a server that sends them back, and measures the handshake and the round trips. It " +
		"shows what pings, compression, message sizes and close codes do.",
	Config: func() services.Config { return NewSocketConfig() },
	Result: func() any { return new(SocketResult) },
	New: func(config services.Config, info services.Info) (services.Runner, error) {
		r := &socketRunner{config: *config.(*SocketConfig)}
		r.result.CloseCodes = map[string]uint64{}
		return r, nil
	},
}

// SocketResult is what the workload "websocket" reports, over all hosts that it ran on.
type SocketResult struct {
	Connections uint64 `json:"connections"` // opened
	Sent        uint64 `json:"sent"`
	Received    uint64 `json:"received"` // as they were sent
	Corrupt     uint64 `json:"corrupt"`  // not as they were sent
	Lost        uint64 `json:"lost"`     // sent, but not back until the end
	// Intact says that a connection was opened, none failed and every message came back as it was.
	Intact bool `json:"intact"`
	// RTT is the time from when a message was due to be sent until its last byte was back.
	RTT *figures.Percentiles `json:"rtt"`
	// Connect is the time from the dial to the answer to the upgrade.
	Connect *figures.Percentiles `json:"connect"`
	// Pings counts pings that were answered.
	Pings uint64 `json:"pings"`
	// BytesSent and BytesReceived are messages without frames and compression.
	BytesSent     units.Bytes `json:"bytes_sent"`
	BytesReceived units.Bytes `json:"bytes_received"`
	// Errors counts connections that could not be opened or broke, by kind.
	Errors failures.Counts `json:"errors"`
	// CloseCodes counts how connections ended, by close code; 1006 means without a close frame. Those that the end of the run
	// cuts off don't count.
	CloseCodes map[string]uint64 `json:"close_codes"`
}

type socketRunner struct {
	config SocketConfig

	mu           sync.Mutex
	result       SocketResult
	connect, rtt figures.Histogram
}

// Run implements services.Runner.
func (r *socketRunner) Run(ctx context.Context, env *services.Env) error {
	for i := range r.config.Connections {
		config, err := clientTLS(env, r.config.URL, &r.config.TLS, i)
		if err != nil {
			return fmt.Errorf("websocket: %w", err)
		}
		env.Go(func() { r.talk(ctx, env, i, config) })
	}
	env.Wait()
	return nil
}

// Result implements services.Runner.
func (r *socketRunner) Result() any {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.result
	result.Lost = result.Sent - result.Received - result.Corrupt
	result.Intact = result.Connections > 0 && result.Errors.Total() == 0 && result.Sent == result.Received
	result.Connect, result.RTT = r.connect.Percentiles(), r.rtt.Percentiles()
	return &result
}

func (r *socketRunner) count(change func(*SocketResult)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.result)
}

// talk runs one connection.
func (r *socketRunner) talk(ctx context.Context, env *services.Env, index int, config *stdtls.Config) {
	c := &r.config
	start := env.Elapsed()
	dialing, cancel := env.WithTimeout(ctx, c.Timeout.Std())
	conn, err := ws.Dial(dialing, env.Host, string(c.URL), &ws.DialOptions{TLS: config, Options: ws.Options{
		Compression: c.Compression, ReadLimit: readLimit(c.Size), Go: env.Go,
		PingInterval: c.PingInterval.Std(), PingTimeout: c.PingTimeout.Std()}})
	cancel()
	if err == nil {
		now := env.Elapsed()
		r.mu.Lock()
		r.result.Connections++
		r.connect.Add(now - start)
		r.mu.Unlock()
		t := &talker{socketRunner: r, env: env, conn: conn, start: now, random: env.Stream(fmt.Sprintf("messages.%d", index))}
		t.ctx, t.end = context.WithCancelCause(ctx)
		env.Go(t.send)
		err = t.receive()
		t.end(nil)
		conn.CloseNow()
	}
	over := env.Over(ctx)
	r.count(func(s *SocketResult) {
		if err != nil && !over {
			s.Errors.CountKind(kind(err))
			env.Log.Debug("websocket failed", "error", err)
		}
		if conn == nil {
			return
		}
		s.Pings += conn.Pings()
		if !over {
			s.CloseCodes[strconv.Itoa(int(conn.Status()))]++
		}
	})
}

// talker is one connection.
type talker struct {
	*socketRunner
	env    *services.Env
	conn   *ws.Conn
	start  time.Duration
	random *rand.Rand
	ctx    context.Context
	end    context.CancelCauseFunc

	mu      sync.Mutex
	waiting []outgoing // for their echo, in the order in which they were sent
}

// outgoing is a message that was sent.
type outgoing struct {
	due time.Duration
	sum [sha256.Size]byte
}

// errUnexpected is why a connection is closed over which something comes that was not sent.
var errUnexpected = errors.New("the server sent a message that it did not get")

// message makes a message.
func (t *talker) message() (ws.MessageType, []byte) {
	size := int(t.config.Size)
	if t.config.Kind == textMessages {
		return ws.Text, []byte(words(t.random, size))
	}
	message := make([]byte, size)
	for i := range message {
		message[i] = byte(t.random.Uint32())
	}
	return ws.Binary, message
}

// send sends the messages, each when it is due, and then sees to it that the last echo is not waited for too long.
func (t *talker) send() {
	for i := 0; i < t.config.Count || t.config.Count == 0; i++ {
		due := t.start + time.Duration(i)*t.config.Interval.Std()
		kind, message := t.message()
		if t.env.SleepUntil(t.ctx, due) != nil {
			return
		}
		t.sent(due, message)
		if t.conn.Write(t.ctx, kind, message) != nil {
			return // receive learns of it
		}
	}
	if t.env.Sleep(t.ctx, t.config.Timeout.Std()) == nil {
		t.end(os.ErrDeadlineExceeded)
	}
}

// sent notes a message that is about to be sent.
func (t *talker) sent(due time.Duration, message []byte) {
	t.mu.Lock()
	t.waiting = append(t.waiting, outgoing{due, sha256.Sum256(message)})
	t.mu.Unlock()
	t.count(func(s *SocketResult) {
		s.Sent++
		s.BytesSent += units.Bytes(len(message))
	})
}

// receive takes echoes until all are there or the connection breaks.
func (t *talker) receive() error {
	for received := 0; received < t.config.Count || t.config.Count == 0; received++ {
		_, message, err := t.conn.Read(t.ctx)
		if err != nil {
			return err
		}
		t.mu.Lock()
		if len(t.waiting) == 0 {
			t.mu.Unlock()
			t.conn.Close(ws.PolicyViolation, "that was not sent")
			return errUnexpected
		}
		first := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.mu.Unlock()
		t.echoed(first, message)
	}
	return t.conn.Close(ws.StatusCode(t.config.CloseCode), "")
}

// echoed counts an echo.
func (t *talker) echoed(m outgoing, message []byte) {
	took := t.env.Elapsed() - m.due
	r := t.socketRunner
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.BytesReceived += units.Bytes(len(message))
	if sha256.Sum256(message) != m.sum {
		r.result.Corrupt++
		return
	}
	r.result.Received++
	r.rtt.Add(took)
}
