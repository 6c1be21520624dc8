package analysis

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificates are one with ECDSA and one with RSA.
var certificates = sync.OnceValue(func() []tls.Certificate {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"web.lab"}, NotAfter: time.Now().Add(time.Hour)}
	a, errA := x509.CreateCertificate(rand.Reader, template, template, ec.Public(), ec)
	b, errB := x509.CreateCertificate(rand.Reader, template, template, rs.Public(), rs)
	if errA != nil || errB != nil {
		panic(fmt.Sprint(errA, errB))
	}
	return []tls.Certificate{{Certificate: [][]byte{a}, PrivateKey: ec}, {Certificate: [][]byte{b}, PrivateKey: rs}}
})

// exchange records a session of crypto/tls in which the client asks for n bytes, and returns it with its key log.
func exchangeTLS(t testing.TB, client, server *tls.Config, n int) (conversation, []byte) {
	t.Helper()
	var keys bytes.Buffer
	client, server = client.Clone(), server.Clone()
	client.ServerName, client.InsecureSkipVerify = "web.lab", true
	client.KeyLogWriter = &keys
	server.Certificates = certificates()
	r := &recording{}
	near, far := r.pipe()
	done := make(chan error, 1)
	go func() {
		c := tls.Server(far, server)
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			_, err = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
			_ = req.Body.Close()
		}
		if err == nil {
			err = c.Close()
		}
		done <- err
	}()
	c := tls.Client(near, client)
	_, err := fmt.Fprint(c, "GET /secret HTTP/1.1\r\nHost: web.lab\r\n\r\n")
	require.NoError(t, err)
	b, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Greater(t, len(b), n)
	require.NoError(t, <-done)
	return r.conversation, keys.Bytes()
}

// Each suite of TLS 1.2 that crypto/tls speaks and that is in the table is decrypted.
func TestTLS12Suites(t *testing.T) {
	tried := 0
	for _, c := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		known := suites[c.ID]
		if !slices.Contains(c.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		conversation, keys := exchangeTLS(t, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{c.ID}},
			&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{c.ID}}, 40_000)
		if known == nil {
			h := hear(conversation, Options{KeyLog: keys}, true)
			require.Equal(t, "cipher suite "+c.Name+" is not supported", h.stream.TLS.Reason)
			require.Equal(t, "tls", h.stream.Protocol)
			continue
		}
		tried++
		h := hearAll(t, conversation, Options{KeyLog: keys})
		require.Equal(t, []string{"GET /secret 200 0/40000"}, h.short(), c.Name)
		s := h.stream.TLS
		require.Equal(t, c.Name, s.CipherSuite)
		require.Equal(t, "TLS 1.2", s.Version)
		require.Equal(t, "web.lab", s.ServerName)
		require.True(t, s.Decrypted && s.Reason == "" && !s.Resumed, c.Name)
		require.Equal(t, "http", h.stream.Protocol)
		require.Equal(t, []string{"close notify"}, s.Alerts)
		require.Equal(t, 2, h.TLS.Messages["Finished"])
	}
	require.Equal(t, 17, tried)
}

func TestTLS13(t *testing.T) {
	conversation, keys := exchangeTLS(t, &tls.Config{NextProtos: []string{"h2", "http/1.1"}}, &tls.Config{NextProtos: []string{"http/1.1"}}, 40_000)
	h := hearAll(t, conversation, Options{KeyLog: keys})
	require.Equal(t, []string{"GET /secret 200 0/40000"}, h.short())
	require.Equal(t, &TLS{
		Version: "TLS 1.3", CipherSuite: h.stream.TLS.CipherSuite, ServerName: "web.lab", ALPN: "http/1.1", Offered: []string{"h2", "http/1.1"},
		Decrypted: true, ClientHello: 1, ServerHello: 1, Finished: 1, ClientHelloAt: time.Millisecond, Alerts: []string{"close notify"},
	}, h.stream.TLS)
	require.Equal(t, map[string]int{
		"ClientHello": 1, "ServerHello": 1, "EncryptedExtensions": 1, "Certificate": 1, "CertificateVerify": 1, "Finished": 2,
	}, h.TLS.Messages)
	require.Equal(t, "TLS ClientHello (web.lab)", h.messages[0])
	require.Equal(t, map[string]int{"close notify": 1}, h.TLS.Alerts)

	h = hear(conversation, Options{KeyLog: keys}, false)
	s := h.stream.TLS
	require.True(t, s.ClientHello < s.ServerHello && s.ServerHello < s.Finished)
	require.Equal(t, time.Duration(s.Finished-s.ClientHello)*time.Millisecond, s.Took)
	for _, f := range h.frames {
		if slices.ContainsFunc(f.Messages, func(m Message) bool { return strings.HasPrefix(m.Text, "HTTP/1.1 200") }) {
			require.Equal(t, []string{"tls", "http"}, f.Protocols)
		}
	}
}

// Without its secrets a session shows what is not encrypted, and why there is no more.
func TestTLSWithoutSecrets(t *testing.T) {
	for version, text := range map[uint16][]string{
		tls.VersionTLS12: {"TLS ClientHello (web.lab)", "TLS ServerHello", "TLS Certificate", "TLS ServerKeyExchange", "TLS ServerHelloDone",
			"TLS ClientKeyExchange", "TLS ChangeCipherSpec", "TLS Finished", "TLS ChangeCipherSpec", "TLS Finished",
			"TLS application data", "TLS application data", "TLS alert (encrypted)"},
		tls.VersionTLS13: {"TLS ClientHello (web.lab)", "TLS ServerHello", "TLS ChangeCipherSpec", "TLS application data", "TLS application data",
			"TLS application data", "TLS application data", "TLS ChangeCipherSpec", "TLS application data", "TLS application data", "TLS application data",
			"TLS application data"},
	} {
		c, keys := exchangeTLS(t, &tls.Config{MaxVersion: version}, &tls.Config{}, 100)
		h := hearAll(t, c, Options{KeyLog: bytes.ReplaceAll(keys, []byte("_TRAFFIC_SECRET"), []byte("_NO_SECRET"))[:20]})
		require.Equal(t, "no secrets", h.stream.TLS.Reason)
		require.False(t, h.stream.TLS.Decrypted)
		require.Equal(t, "tls", h.stream.Protocol)
		require.Equal(t, text, h.messages)
		require.Equal(t, version == tls.VersionTLS12, h.stream.TLS.Finished != 0, "Finished shows in TLS 1.2 only")
		require.Equal(t, TLSCounts{Sessions: 1, Records: h.TLS.Records, Messages: h.TLS.Messages, Alerts: map[string]int{}}, h.TLS)
		require.Zero(t, h.TLS.Messages["Finished"])
		require.Empty(t, h.HTTP.Exchanges)
	}
}

// Secrets of another session don't open the records.
func TestTLSWithWrongSecrets(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		c, keys := exchangeTLS(t, &tls.Config{MaxVersion: version}, &tls.Config{}, 100)
		var wrong bytes.Buffer
		for line := range bytes.Lines(keys) {
			fields := bytes.Fields(line)
			fields[2][0] = "10"[min(1, fields[2][0]-'0')] // another digit
			wrong.Write(bytes.Join(fields, []byte(" ")))
			wrong.WriteByte('\n')
		}
		h := hear(c, Options{KeyLog: wrong.Bytes()}, true)
		require.Equal(t, "the record at frame 1 does not open with the secrets", h.stream.TLS.Reason)
		require.Empty(t, h.HTTP.Exchanges)
		keys = keys[:bytes.IndexByte(keys, '\n')+1]
		if version == tls.VersionTLS13 {
			h = hear(c, Options{KeyLog: keys}, true)
			require.Equal(t, "no handshake secret of the server", h.stream.TLS.Reason)
		}
	}
}

func TestTLSResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		server := &tls.Config{}
		server.SetSessionTicketKeys([][32]byte{{1}})
		var master string
		for i := range 2 {
			c, keys := exchangeTLS(t, client, server, 10)
			if version == tls.VersionTLS12 && i == 0 {
				master = strings.Fields(string(keys))[2]
			} else if version == tls.VersionTLS12 {
				// crypto/tls logs nothing for a session that is resumed; the secret is that of the first, the random the new ClientHello's.
				keys = fmt.Appendf(nil, "CLIENT_RANDOM %x %s\n", c[0].b[recordHeader+4+2:][:32], master)
			}
			h := hearAll(t, c, Options{KeyLog: keys})
			require.Equal(t, i == 1, h.stream.TLS.Resumed)
			require.True(t, h.stream.TLS.Decrypted)
			require.Equal(t, []string{"GET /secret 200 0/10"}, h.short())
			require.NotZero(t, h.stream.TLS.Finished)
		}
	}
}

func TestTLSAlert(t *testing.T) {
	r := &recording{}
	near, far := r.pipe()
	go func() {
		_ = tls.Server(far, &tls.Config{Certificates: certificates(), MinVersion: tls.VersionTLS13}).Handshake()
	}()
	require.Error(t, tls.Client(near, &tls.Config{ServerName: "web.lab", MaxVersion: tls.VersionTLS12}).Handshake())
	h := hearAll(t, r.conversation, Options{})
	require.Equal(t, []string{"protocol version not supported"}, h.stream.TLS.Alerts)
	require.Equal(t, 1, h.NoteCounts["tls alert"])
	require.Equal(t, "TLS alert: protocol version not supported", h.messages[1])
}

// HTTP/2 in TLS, with a real client and a real server.
func TestTLSHTTP2(t *testing.T) {
	r := &recording{}
	near, far := r.pipe()
	var keys bytes.Buffer
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 50_000)) }),
		TLSConfig: &tls.Config{Certificates: certificates()},
	}
	serving := newOneConn(far)
	go func() { _ = server.ServeTLS(serving, "", "") }()
	transport := &http.Transport{
		DialContext: newOneConn(near).dial, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, KeyLogWriter: &keys},
	}
	for i := range 2 {
		resp, err := (&http.Client{Transport: transport}).Get(fmt.Sprintf("https://web.lab/%d", i))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
	}
	transport.CloseIdleConnections()
	require.NoError(t, server.Close())
	r.Lock()
	defer r.Unlock()
	h := hearAll(t, r.conversation, Options{KeyLog: keys.Bytes()})
	require.Equal(t, []string{"GET /0 200 0/50000", "GET /1 200 0/50000"}, h.short())
	require.Equal(t, "h2", h.stream.TLS.ALPN)
	require.Equal(t, "http2", h.stream.Protocol)
}

// TLS in a tunnel of a proxy that is spoken to in TLS.
func TestTLSInTLS(t *testing.T) {
	inner, innerKeys := exchangeTLS(t, &tls.Config{}, &tls.Config{}, 30_000)
	var keys bytes.Buffer
	r := &recording{}
	near, far := r.pipe()
	done := make(chan error, 1)
	client := tls.Client(near, &tls.Config{ServerName: "proxy.lab", InsecureSkipVerify: true, KeyLogWriter: &keys})
	server := tls.Server(far, &tls.Config{Certificates: certificates()})
	go func() { done <- server.Handshake() }()
	require.NoError(t, client.Handshake())
	require.NoError(t, <-done)
	say := func(from, to *tls.Conn, b []byte) {
		go func() {
			_, err := from.Write(b)
			done <- err
		}()
		_, err := io.ReadFull(to, make([]byte, len(b)))
		require.NoError(t, err)
		require.NoError(t, <-done)
	}
	// The session tickets of the server come with what the client reads first.
	say(client, server, []byte("CONNECT web.lab:443 HTTP/1.1\r\n\r\n"))
	say(server, client, []byte("HTTP/1.1 200 OK\r\n\r\n"))
	for _, s := range inner {
		if s.side == Client {
			say(client, server, s.b)
		} else {
			say(server, client, s.b)
		}
	}
	h := hearAll(t, r.conversation, Options{KeyLog: append(keys.Bytes(), innerKeys...)})
	require.Equal(t, []string{"CONNECT web.lab:443 200 0/0", "GET /secret 200 0/30000"}, h.short())
	require.Equal(t, "proxy.lab", h.stream.TLS.ServerName, "the outer session is the connection's")
	require.Equal(t, 2, h.TLS.Decrypted)
}

func TestTLSGap(t *testing.T) {
	c, keys := exchangeTLS(t, &tls.Config{}, &tls.Config{}, 100)
	l := newListener(Options{KeyLog: keys}, 443)
	for i, s := range c {
		if i == len(c)-1 {
			l.app.gap(l.next(), Server, uint64(len(s.b)))
			break
		}
		l.data(s.side, s.b)
	}
	l.data(Server, c[len(c)-1].b)
	require.Equal(t, fmt.Sprintf("bytes are missing at frame %d", len(c)), l.stream.TLS.Reason)
	require.True(t, l.stream.TLS.Decrypted, "what came before")

	l = newListener(Options{KeyLog: keys}, 443)
	l.app.gap(l.next(), Client, 10)
	for _, s := range c {
		l.data(s.side, s.b)
	}
	require.Equal(t, "bytes are missing at frame 3", l.stream.TLS.Reason)
	require.NotEmpty(t, l.TLS.Records, "the server's are there")
	require.NotZero(t, l.stream.TLS.ServerHello)
	require.False(t, l.stream.TLS.Decrypted)

	l = newListener(Options{KeyLog: keys}, 443)
	l.data(Server, []byte("\x17\x03\x03\x00\x03abc"))
	require.Equal(t, "the ClientHello was not captured", l.stream.TLS.Reason)
}

// recorded reads a session from a file: lines of the key log, and what client and server said in hexadecimal.
func recorded(t testing.TB, path string) (c conversation, keys []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(b)) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch side := slices.Index([]string{"client", "server"}, word); {
		case word == "key":
			keys = append(append(keys, rest...), '\n')
		case side >= 0:
			b, err := hex.DecodeString(rest)
			require.NoError(t, err)
			c = append(c, said{side, b})
		}
	}
	require.NotEmpty(t, c)
	return c, keys
}

// Sessions of OpenSSL, with what crypto/tls doesn't speak or doesn't let one choose.
func TestTLSOfOpenSSL(t *testing.T) {
	want := map[string]TLS{
		"aes-128-ccm-13":     {Version: "TLS 1.3", CipherSuite: "0x1304", Reason: "cipher suite 0x1304 is not supported"},
		"aes-256-gcm-13":     {Version: "TLS 1.3", CipherSuite: "TLS_AES_256_GCM_SHA384"},
		"chacha20-13":        {Version: "TLS 1.3", CipherSuite: "TLS_CHACHA20_POLY1305_SHA256"},
		"retry-13":           {Version: "TLS 1.3", CipherSuite: "TLS_AES_256_GCM_SHA384", Retry: true},
		"key-update-13":      {Version: "TLS 1.3", CipherSuite: "TLS_AES_256_GCM_SHA384"},
		"cbc-sha384-12":      {Version: "TLS 1.2", CipherSuite: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
		"dhe-cbc-sha256-12":  {Version: "TLS 1.2", CipherSuite: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
		"dhe-aes-256-gcm-12": {Version: "TLS 1.2", CipherSuite: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
		"dhe-chacha20-12":    {Version: "TLS 1.2", CipherSuite: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		c, keys := recorded(t, filepath.Join("testdata", "tls", name+".txt"))
		h := hearAll(t, c, Options{KeyLog: keys})
		s, w := h.stream.TLS, want[name]
		require.Equal(t, []any{w.Version, w.CipherSuite, w.Retry, w.Reason}, []any{s.Version, s.CipherSuite, s.Retry, s.Reason}, name)
		require.Equal(t, "web.lab", s.ServerName, name)
		require.Equal(t, w.Reason == "", s.Decrypted, name)
		if s.Decrypted {
			require.Equal(t, []any{"http", 1, 1}, []any{h.stream.Protocol, h.HTTP.Requests, h.HTTP.Responses}, name)
			require.Equal(t, 200, h.HTTP.Exchanges[0].Status, name)
			require.Equal(t, 2, h.TLS.Messages["Finished"], name)
		}
		if s.Retry {
			require.Equal(t, []int{2, 1, 1}, []int{h.TLS.Messages["ClientHello"], h.TLS.Messages["HelloRetryRequest"], h.TLS.Messages["ServerHello"]})
		}
		if name == "key-update-13" {
			require.GreaterOrEqual(t, h.TLS.Messages["KeyUpdate"], 3, "two of the client and those of the server")
		}
	}
}

func TestKeyLog(t *testing.T) {
	random := strings.Repeat("ab", 32)
	var s secrets
	s.add([]byte("# a comment\nCLIENT_RANDOM " + random + " 0102\r\nEXPORTER_SECRET " + random + " 03\nCLIENT_RANDOM abc 01\nCLIENT_RANDOM " + random +
		" " + strings.Repeat("00", 65) + "\nCLIENT_RANDOM zz" + random[2:] + " 01\nCLIENT_TRAFFIC_SECRET_0 " + random + " 0x\nCLIENT_TRAFFIC_SECRET_0 " + random + " 04"))
	var key [32]byte
	_, err := hex.Decode(key[:], []byte(random))
	require.NoError(t, err)
	require.Equal(t, secrets{key: {master: []byte{1, 2}, traffic: [2][]byte{{4}, nil}}}, s)
}

func FuzzTLS(f *testing.F) {
	for _, name := range []string{"chacha20-13", "cbc-sha384-12", "retry-13"} {
		c, keys := recorded(f, filepath.Join("testdata", "tls", name+".txt"))
		var sides [2][]byte
		for _, s := range c {
			sides[s.side] = append(sides[s.side], s.b...)
		}
		f.Add(sides[Client], sides[Server], keys, 100)
	}
	f.Fuzz(func(t *testing.T, client, server, keys []byte, n int) {
		// The client's hello, the server's side, the rest of the client's: both can be decrypted in this order.
		hello := min(len(client), 5)
		if hello == 5 {
			hello = min(len(client), recordSize(client))
		}
		c := conversation{{Client, client[:hello]}, {Server, server}, {Client, client[hello:]}}
		whole := hear(c, Options{KeyLog: keys}, true)
		cut := hear(c.cut(max(1, n)), Options{KeyLog: keys}, true)
		require.Equal(t, whole.TLS, cut.TLS)
		require.Equal(t, whole.HTTP, cut.HTTP)
		require.Equal(t, whole.messages, cut.messages)
	})
}

// FuzzHello reads any bytes as hellos.
func FuzzHello(f *testing.F) {
	f.Add([]byte("\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\x13\x01\x01\x00\x00\x0c\x00\x00\x00\x08\x00\x06\x00\x00\x03web"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var client, server, extensions hello
		if client.clientHello(b) {
			require.LessOrEqual(t, len(client.serverName), len(b))
		}
		server.serverHello(b)
		extensions.extensions(b, true)
		require.LessOrEqual(t, len(extensions.protocols), maxProtocols)
	})
}

func BenchmarkDecrypt(b *testing.B) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		b.Run(strings.ReplaceAll(tls.VersionName(version), " ", "-"), func(b *testing.B) {
			const size = 4 << 20
			c, keys := exchangeTLS(b, &tls.Config{MaxVersion: version}, &tls.Config{}, size)
			c = c.cut(1420)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				a := New(Options{KeyLog: keys, Applications: true})
				app := newApplication(a, &TCPStream{})
				f := &Frame{Number: 1}
				for _, s := range c {
					f.Number++
					app.data(f, s.side, s.b)
				}
				if e := a.analysis.HTTP.Exchanges; len(e) != 1 || e[0].ResponseBytes != size {
					b.Fatal("the response was not read")
				}
			}
		})
	}
}
