package chat_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	nethttp "net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/http"
	"netlab/internal/testlab"
	"netlab/netem"
	"netlab/services"
	"netlab/services/chat"
	"netlab/services/secure"
	"netlab/tcp"
	"netlab/units"
)

const ms = time.Millisecond

// server is a small web server with a room at /chat/ and an echo at /echo.
type server struct {
	config serverConfig
	room   *chat.Room
}

type serverConfig struct {
	room chat.RoomConfig
	tls  secure.Server
}

func (c *serverConfig) Validate() error { return c.room.Validate("chat") }
func (c *serverConfig) Endless() bool   { return true }

var serverType = services.Type{
	Name: "server", Role: services.Service,
	New: func(config services.Config, _ services.Info) (services.Runner, error) {
		return &server{config: *config.(*serverConfig)}, nil
	},
}

func (s *server) Run(ctx context.Context, env *services.Env) error {
	s.room = chat.NewRoom(env, s.config.room, s.room)
	mux := nethttp.NewServeMux()
	mux.Handle("/chat/", s.room)
	mux.Handle("/echo", chat.NewEcho(env))
	o := &http.ServerOptions{Panicked: env.Panicked}
	if s.config.tls.On {
		var err error
		if o.TLS, err = s.config.tls.Config(env, "h2", "http/1.1"); err != nil {
			return err
		}
	}
	listener, err := tcp.Listen(env.Host, ":80")
	if err != nil {
		return err
	}
	return http.Serve(ctx, listener, mux, o)
}

func (s *server) Result() any { return s.room.Result() }

// serve starts the server on b.
func serve(l *testlab.Lab, room chat.RoomConfig) *testlab.Instance {
	return l.Service(l.B, serverType, &serverConfig{room: room})
}

func roomResult(t *testing.T, i *testlab.Instance) *chat.RoomResult {
	found, err := i.Stop()
	require.NoError(t, err)
	return found.(*chat.RoomResult)
}

// config returns a configuration of the workload "chat" with changes.
func config(change func(c *chat.Config)) *chat.Config {
	c := chat.NewConfig()
	c.URL = "http://b/chat"
	if change != nil {
		change(c)
	}
	return c
}

// talk runs the workload from a.
func talk(t *testing.T, l *testlab.Lab, c *chat.Config) *chat.Result {
	found, err := l.Workload(chat.Chat, c, l.A)
	require.NoError(t, err)
	return found.(*chat.Result)
}

func wire(latency time.Duration) testlab.Config {
	return testlab.Config{Forward: testlab.Wire(latency, 0)}
}

func duration(d time.Duration) units.Duration { return units.Duration(d) }

// cut takes the link down, or up again, at a time.
func cut(t *testing.T, l *testlab.Lab, at time.Duration, down bool) {
	l.At(at, func() {
		for _, direction := range []int{netem.Forward, netem.Backward} {
			p := l.Links[0].Params(direction)
			p.Down = down
			require.NoError(t, l.Links[0].Set(direction, p))
		}
	})
}

// sum hashes all frames and their times.
type sum struct{ hash.Hash }

func newSum() sum { return sum{sha256.New()} }

func (s sum) Frame(at time.Duration, port netem.PortID, dir netem.Direction, _ uint64, data []byte, _ string) {
	fmt.Fprintln(s.Hash, at, port, dir, len(data))
	s.Hash.Write(data)
}

func (s sum) String() string { return hex.EncodeToString(s.Sum(nil)) }
