package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"netlab/services"
	"netlab/services/content"
	"netlab/tcp"
)

// flow is one connection of the client and what came of it.
type flow struct {
	seed   uint64
	config Config

	started   bool
	connected bool
	intact    bool
	wrong     bool   // data arrived that was not sent
	cut       bool   // the end of the run cut it off
	err       string // why it failed

	start, connect, end time.Duration // times of the dial, the established connection, the end
	firstByte           time.Duration // when the first byte of data came; 0 means never
	bytes               int64         // that are known to have arrived
	counted             int64         // of these, what the goodput counts
	info                tcp.Info
}

// run transfers the data of a flow. It is no error when the end of the run cuts the flow off.
func (f *flow) run(ctx context.Context, env *services.Env, address string) error {
	f.start = env.Elapsed()
	err := f.transfer(ctx, env, address)
	f.end = env.Elapsed()
	if err != nil && env.Over(ctx) && !f.wrong {
		f.cut = true
		f.intact = !f.unknown()
		return nil
	}
	return err
}

func (f *flow) transfer(ctx context.Context, env *services.Env, address string) error {
	conn, err := (&tcp.Dialer{DSCP: f.config.DSCP}).Dial(ctx, env.Host, address)
	if err != nil {
		return err
	}
	f.connect, f.connected = env.Elapsed(), true
	defer context.AfterFunc(ctx, func() { conn.Abort() })()
	defer conn.Close()
	defer func() { f.info = conn.Info() }()
	r := f.config.request(f.seed)
	if r.get {
		return f.download(env, conn, r)
	}
	return f.upload(env, conn, r)
}

// upload sends data and waits for the answer.
func (f *flow) upload(env *services.Env, conn *tcp.Conn, r request) error {
	r.until = f.deadline()
	if _, err := conn.Write([]byte(r.String())); err != nil {
		return err
	}
	sum := newSum()
	sent, err := write(conn, content.New(f.seed), r, env.Host.Network().Epoch().Add(r.until), sum)
	if err != nil {
		return err
	}
	if r.bytes >= 0 {
		if err := conn.CloseWrite(); err != nil {
			return err
		}
	}
	line, err := readLine(bufio.NewReaderSize(conn, maxLine))
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	a, err := parseAnswer(line)
	if err != nil {
		return fmt.Errorf("answer %q: %w", line, err)
	}
	f.bytes, f.counted = a.bytes, a.bytes
	if r.bytes < 0 {
		conn.Abort()
		if a.bytes <= sent {
			sent = a.bytes
			sum.Reset()
			io.CopyN(sum, content.New(f.seed), sent)
		}
	}
	if a.bytes != sent || a.sum != sum.Sum32() {
		f.wrong = true
		return fmt.Errorf("%d bytes were sent, %d arrived, and the sums differ", sent, a.bytes)
	}
	f.intact = true
	return nil
}

// download asks for data and compares it.
func (f *flow) download(env *services.Env, conn *tcp.Conn, r request) error {
	if _, err := conn.Write([]byte(r.String())); err != nil {
		return err
	}
	if r.bytes < 0 {
		if err := conn.SetReadDeadline(env.Host.Network().Epoch().Add(f.deadline())); err != nil {
			return err
		}
	}
	data := content.New(f.seed)
	buffer := make([]byte, content.BlockSize)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			f.arrived(env.Elapsed(), n)
			if !data.Matches(buffer[:n]) {
				f.wrong = true
				return fmt.Errorf("wrong data among bytes %d to %d", f.bytes-int64(n), f.bytes-1)
			}
		}
		if r.bytes < 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			conn.Abort()
			break
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if r.bytes >= 0 && f.bytes != r.bytes {
		return fmt.Errorf("%d bytes were asked for, %d arrived", r.bytes, f.bytes)
	}
	f.intact = true
	return nil
}

// arrived counts n bytes of a download. What arrives at the very end of the warm-up belongs to it.
func (f *flow) arrived(at time.Duration, n int) {
	if f.firstByte == 0 {
		f.firstByte = at
	}
	f.bytes += int64(n)
	if warmup := f.config.Warmup.Std(); warmup == 0 || at-f.start > warmup {
		f.counted += int64(n)
	}
}

// deadline is when a flow with a duration is over.
func (f *flow) deadline() time.Duration { return f.start + f.config.Duration.Std() }

// until is the end of the time over which the goodput is computed.
func (f *flow) until() time.Duration {
	if f.config.Duration > 0 {
		return min(f.end, f.deadline())
	}
	return f.end
}

// unknown says that nobody knows what arrived: the flow was cut off before the server said so.
func (f *flow) unknown() bool { return f.cut && f.config.Direction == Upload }
