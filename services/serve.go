package services

import (
	"context"
	"errors"
	"net"

	"netlab/tcp"
)

// ServeTCP listens on an address of the host and calls serve for each connection, in a goroutine that starts in an event of its
// own. It closes a connection when serve returns and aborts it when ctx ends. It returns when ctx has ended and every serve has
// returned.
func (e *Env) ServeTCP(ctx context.Context, address string, serve func(conn *tcp.Conn)) error {
	listener, err := tcp.Listen(e.Host, address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.AcceptTCP()
		if err != nil {
			e.Wait()
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			listener.Close()
			return err
		}
		e.Go(func() {
			defer context.AfterFunc(ctx, func() { conn.Abort() })()
			defer conn.Close()
			serve(conn)
		})
	}
}
