package transfer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"

	"netlab/services"
	"netlab/services/content"
	"netlab/tcp"
)

// errUnfinished is why a flow failed that the end of the run cut off.
var errUnfinished = errors.New("unfinished when the run ended")

// flow is one connection of the client and what came of it.
type flow struct {
	seed   uint64
	warmup time.Duration

	started   bool
	connected bool
	intact    bool
	err       string // why it failed

	start, connect, end time.Duration // times of the dial, the established connection, the end
	firstByte           time.Duration // when the first byte of data came; 0 means never
	bytes               int64         // that are known to have arrived
	warm                int64         // of these, after the warm-up
	info                tcp.Info
}

// run transfers the data of a flow.
func (f *flow) run(ctx context.Context, env *services.Env, address string, c Config) error {
	f.start = env.Elapsed()
	defer func() { f.end = env.Elapsed() }()
	conn, err := tcp.Dial(ctx, env.Host, address)
	if err != nil {
		if ctx.Err() != nil {
			return errUnfinished
		}
		return err
	}
	f.connect, f.connected = env.Elapsed(), true
	defer context.AfterFunc(ctx, func() { conn.Abort() })()
	defer conn.Close()
	defer func() { f.info = conn.Info() }()
	r := c.request(f.seed)
	if r.get {
		err = f.download(env, conn, r)
	} else {
		err = f.upload(env, conn, r)
	}
	if err != nil && ctx.Err() != nil {
		return errUnfinished
	}
	return err
}

// upload sends data and waits for the answer.
func (f *flow) upload(env *services.Env, conn *tcp.Conn, r request) error {
	if _, err := conn.Write([]byte(r.String())); err != nil {
		return err
	}
	hash := sha256.New()
	sent, err := write(conn, content.New(f.seed), r, env.Host.Network().Epoch().Add(f.start), hash)
	if err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, maxLine)
	line, err := readLine(in)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	a, err := parseAnswer(line)
	if err != nil {
		return fmt.Errorf("answer %q: %w", line, err)
	}
	f.bytes, f.warm = a.bytes, a.bytes
	if a.bytes != sent || a.hash != [32]byte(hash.Sum(nil)) {
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
	data := content.New(f.seed)
	buffer := make([]byte, content.BlockSize)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			f.arrived(env.Elapsed(), n)
			if !data.Matches(buffer[:n]) {
				return fmt.Errorf("wrong data among bytes %d to %d", f.bytes-int64(n), f.bytes-1)
			}
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
	if f.warmup == 0 || at-f.start > f.warmup {
		f.warm += int64(n)
	}
}
