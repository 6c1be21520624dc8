package chat

import (
	"context"
	nethttp "net/http"

	"netlab/services"
	"netlab/ws"
)

// NewEcho returns a handler on a host that sends back each WebSocket message, of up to 16 MiB. It compresses as the client wants.
func NewEcho(env *services.Env) nethttp.Handler {
	options := &ws.AcceptOptions{Options: ws.Options{Compression: ws.ContextTakeover, ReadLimit: int64(maxText), Go: env.Go}}
	return nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		conn, err := ws.Accept(env.Host, w, r, options)
		if err != nil {
			return
		}
		defer closeAtEnd(r.Context(), conn)()
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(context.Background())
			if err != nil || conn.Write(context.Background(), kind, message) != nil {
				return
			}
		}
	})
}
