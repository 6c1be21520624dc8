package web_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab/services"
	"netlab/services/chat"
	"netlab/services/web"
	"netlab/units"
)

func TestHandlersAreChecked(t *testing.T) {
	on := true
	for want, h := range map[string]map[string]web.Handler{
		"":                                    {"/a": {Handler: "static"}, "/a/": {Handler: "static", Conditional: &on}, "/b/{id}": {Handler: "echo"}},
		`did you mean redirect?`:              {"/x.y": {Handler: "redirct"}},
		`want one of static, echo`:            {"/x": {}},
		`"x" is not a path`:                   {"x": {Handler: "echo"}},
		`"GET /x" is not a path`:              {"GET /x": {Handler: "echo"}},
		`echo has no such option; it belongs`: {"/x": {Handler: "echo", Status: 200}},
		`belongs to static, delay`:            {"/x": {Handler: "redirect", Location: "/", Size: size(1)}},
		`.location: "" is no place`:           {"/x": {Handler: "redirect"}},
		`objects below it need a path`:        {"/x": {Handler: "static", Count: 3}},
		`.service_time: missing`:              {"/x": {Handler: "delay"}},
		`.cores: found -1`:                    {"/x": {Handler: "delay", Capacity: web.Capacity{Cores: -1, ServiceTime: units.Constant(1)}}},
		`wanted one of 301, 302`:              {"/x": {Handler: "redirect", Location: "/", Status: 200}},
		`found interval and rate`:             {"/x": {Handler: "stream", Interval: 1, Rate: 1}},
		`wanted v1 and v2`:                    {"/x": {Handler: "collection", Versions: []string{"v3"}}},
		`can't be a path beside the others`:   {"/v1/x": {Handler: "echo"}, "/x": {Handler: "collection", Versions: []string{"v1"}}},
		`error_rate says that nothing fails`:  {"/x": {Handler: "status", ErrorStatus: 500}},
		`wanted no more than max_page_size`:   {"/x": {Handler: "collection", PageSize: 200}},
		`.room.history: found -1`:             {"/x": {Handler: "chat", Room: chat.RoomConfig{History: -1}}},
	} {
		c := web.NewServerConfig()
		c.Handlers = h
		err := c.Validate()
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
		var wrong *services.FieldError
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, "handlers", wrong.Names()[0])
		require.Contains(t, h, wrong.Names()[1])
	}
}

func TestServerOptionsAreChecked(t *testing.T) {
	for field, change := range map[string]func(c *web.ServerConfig){
		"tls.certificate": func(c *web.ServerConfig) { c.TLS.Certificate = "x" },
		"h2c":             func(c *web.ServerConfig) { c.H2C, c.TLS.On = true, true },
		"error_rate":      func(c *web.ServerConfig) { c.ErrorRate = 2 },
		"error_status":    func(c *web.ServerConfig) { c.ErrorRate, c.ErrorStatus = 1, 200 },
		"service_time":    func(c *web.ServerConfig) { c.Cores = 1 },
		"max_streams":     func(c *web.ServerConfig) { c.MaxStreams = -1 },
		"idle_timeout":    func(c *web.ServerConfig) { c.IdleTimeout = -1 },
		"header_timeout":  func(c *web.ServerConfig) { c.HeaderTimeout = -1 },
		"max_header":      func(c *web.ServerConfig) { c.MaxHeader = -1 },
	} {
		c := web.NewServerConfig()
		change(c)
		var wrong *services.FieldError
		require.ErrorAs(t, c.Validate(), &wrong, field)
		require.Equal(t, field, wrong.Field)
	}
	var text bytes.Buffer
	require.NoError(t, json.NewEncoder(&text).Encode(web.NewServerConfig()))
	require.Equal(t, `{"listen":":80","http2":true,"objects":"10kB","content_type":"application/octet-stream"}`+"\n", text.String())
}
