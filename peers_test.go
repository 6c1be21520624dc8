package netlab_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"netlab"
)

// program finds a program that is not netlab's. Where it isn't installed the test is skipped, but fails in CI.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name)
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what + " is not installed")
	}
	t.Skip(what + " is not installed")
}

// peer runs a program outside the lab with nobody's own settings and returns what it prints on standard output and on standard
// error.
func peer(t testing.TB, path string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	home := t.TempDir()
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "LC_ALL=C"}
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	err = c.Run()
	require.NoError(t, ctx.Err(), "%s %v doesn't end: %s", path, args, complaints.String())
	return out.String(), complaints.String(), err
}

// internet is a lab with servers that programs outside talk to.
type internet struct {
	https, http, udp, tcp netlab.Forward // to a web server with and without TLS, and to a name server
	ca                    string         // file
}

// objectSize is more than a stream of HTTP/2 may carry before the client says that it wants more.
const objectSize = 100_000

const servers = `{
	"nodes": {
		"client": {}, "r": {"kind": "router"},
		"ns": {"services": {"dns": {"type": "dns-server",
			"records": {"www": {"cname": "web.lab"}, "many": {"txt": [TEXTS, "end"]}}}}},
		"web": {"services": {
			"https": {"type": "http-server", "listen": ":443", "tls": true, "objects": "100kB",
				"handlers": {"/echo": {"handler": "echo"}, "/ws": {"handler": "websocket-echo"}}},
			"http": {"type": "http-server", "h2c": true, "objects": "100kB",
				"handlers": {"/echo": {"handler": "echo"}, "/ws": {"handler": "websocket-echo"}}}
		}}
	},
	"links": ["client - r", "r - web", "r - ns"]
}`

// withServers plays a lab in real time and lets programs outside in.
func withServers(t *testing.T, fn func(lab internet)) {
	dir := t.TempDir()
	texts := strings.Repeat(`"`+strings.Repeat("x", 100)+`", `, 18) + `"y"` // more than a datagram is for
	through(t, strings.Replace(servers, "TEXTS", texts, 1), &netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error {
		f := run.Forwards()
		fn(internet{https: f[0], http: f[1], udp: f[2], tcp: f[3], ca: filepath.Join(dir, netlab.AuthorityFile)})
		return nil
	}, "0=web:443", "0=web:80", "udp:0=ns:53", "0=ns:53")
}

// port returns the port of an address of the machine.
func port(f netlab.Forward) string {
	_, port, _ := net.SplitHostPort(f.Listen)
	return port
}

func TestCurl(t *testing.T) {
	curl := program(t, "curl")
	const uploadSize = 2 << 20
	upload := filepath.Join(t.TempDir(), "upload")
	require.NoError(t, os.WriteFile(upload, make([]byte, uploadSize), 0o666))
	withServers(t, func(lab internet) {
		for _, test := range []struct {
			name, url string
			args      []string
			want      string // version of HTTP
		}{
			{"http/1.1 over TLS", "https://web/", []string{"--http1.1"}, "1.1"},
			{"http/2 over TLS", "https://web/", []string{"--http2"}, "2"},
			{"TLS 1.2", "https://web/", []string{"--tlsv1.2", "--tls-max", "1.2"}, "2"},
			{"TLS 1.3", "https://web/", []string{"--tlsv1.3"}, "2"},
			{"by a name of the machine", "https://localhost:" + port(lab.https) + "/", nil, "2"},
			{"http/1.1", "http://web/", []string{"--http1.1"}, "1.1"},
			{"no upgrade to h2c", "http://web/", []string{"--http2"}, "1.1"},
			{"h2c", "http://web/", []string{"--http2-prior-knowledge"}, "2"},
		} {
			args := append([]string{"--disable", "--silent", "--show-error", "--output", os.DevNull, "--cacert", lab.ca,
				"--connect-to", "web:443:" + lab.https.Listen, "--connect-to", "web:80:" + lab.http.Listen,
				"--write-out", "%{http_version} %{http_code} %{size_download} %{num_connects}"}, test.args...)
			stdout, stderr, err := peer(t, curl, append(args, "--data-binary", "@"+upload, test.url+"echo")...)
			require.NoError(t, err, "%s: an upload: %s", test.name, stderr)
			require.Equal(t, fmt.Sprintf("%s 200 %d 1", test.want, uploadSize), stdout, test.name)
			if test.name == "h2c" {
				continue // curl 7.88 can't use such a connection again, whatever the server
			}
			stdout, stderr, err = peer(t, curl, append(args, test.url, test.url, "--output", os.DevNull)...)
			require.NoError(t, err, "%s: %s", test.name, stderr)
			// curl 7.88 takes a connection for dead on which it finds the beginning of a TLS record when it wants to use it again.
			again := "0"
			if test.want == "2" {
				again = "[01]"
			}
			require.Regexp(t, fmt.Sprintf("^%s 200 %d 1%[1]s 200 %[2]d %[3]s$", test.want, objectSize, again), stdout, test.name)
		}
		// Who doesn't know the authority doesn't trust it.
		_, stderr, err := peer(t, curl, "--disable", "--silent", "--show-error", "--connect-to", "web:443:"+lab.https.Listen, "https://web/")
		require.Error(t, err)
		require.Contains(t, stderr, "SSL certificate problem")
	})
}

func TestNghttp(t *testing.T) {
	nghttp := program(t, "nghttp")
	withServers(t, func(lab internet) {
		for scheme, f := range map[string]netlab.Forward{"https": lab.https, "http": lab.http} {
			stdout, stderr, err := peer(t, nghttp, "--verbose", "--null-out", "--no-verify-peer", "--no-dep", scheme+"://"+f.Listen+"/a",
				scheme+"://"+f.Listen+"/b")
			require.NoError(t, err, stderr)
			if scheme == "https" {
				require.Contains(t, stdout, "The negotiated protocol: h2")
			}
			require.Equal(t, 2, strings.Count(stdout, ":status: 200"))
			size := 0
			for _, frame := range regexp.MustCompile(`recv DATA frame <length=(\d+)`).FindAllStringSubmatch(stdout, -1) {
				n, err := strconv.Atoi(frame[1])
				require.NoError(t, err)
				size += n
			}
			require.Equal(t, 2*objectSize, size)
			require.NotContains(t, stdout, "RST_STREAM")
		}
	})
}

func TestOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	withServers(t, func(lab internet) {
		for version, protocol := range map[string]string{"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"} {
			stdout, stderr, err := peer(t, openssl, "s_client", "-connect", lab.https.Listen, "-servername", "web", "-CAfile", lab.ca,
				"-verify_return_error", "-verify_hostname", "web", "-alpn", "h2,http/1.1", version)
			require.NoError(t, err, stderr)
			require.Contains(t, stdout, "Verify return code: 0 (ok)")
			require.Contains(t, stdout, "Verified peername: web")
			require.Contains(t, stdout, "ALPN protocol: h2")
			require.Contains(t, stdout, protocol)
		}
	})
}

// pythonClient sends messages of growing size to an echo server, texts and bytes, pings it, and says goodbye.
const pythonClient = `
import asyncio, ssl, sys, websockets
async def main(url, ca):
    context = ssl.create_default_context(cafile=ca) if url.startswith("wss") else None
    extra = {"server_hostname": "web"} if context else {}
    async with websockets.connect(url, ssl=context, max_size=None, **extra) as c:
        for n in [0, 1, 125, 126, 65535, 65536, 500000]:
            for message in ["é" * n, bytes(n)]:
                await c.send(message)
                assert await c.recv() == message, n
        await (await c.ping(b"there?"))
        await c.send(iter(["in ", "three ", "frames"]))
        assert await c.recv() == "in three frames"
        await c.close(4000, "enough")
    print("closed with", c.close_code, c.close_reason)
asyncio.run(main(*sys.argv[1:]))
`

// python finds a Python that has websockets.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import websockets").Run() == nil {
			return path
		}
	}
	missing(t, "websockets for python3")
	return ""
}

func TestPythonWebsockets(t *testing.T) {
	python := python(t)
	withServers(t, func(lab internet) {
		for _, url := range []string{"ws://" + lab.http.Listen + "/ws", "wss://" + lab.https.Listen + "/ws"} {
			stdout, stderr, err := peer(t, python, "-c", pythonClient, url, lab.ca)
			require.NoError(t, err, stderr)
			require.Equal(t, "closed with 4000 enough\n", stdout)
		}
	})
}

func TestDig(t *testing.T) {
	dig := program(t, "dig")
	withServers(t, func(lab internet) {
		ask := func(f netlab.Forward, args ...string) string {
			stdout, stderr, err := peer(t, dig, append([]string{"@127.0.0.1", "-p", port(f), "+norecurse"}, args...)...)
			require.NoError(t, err, stdout+stderr)
			require.NotContains(t, stdout, "WARNING")
			return stdout
		}
		for network, f := range map[string]netlab.Forward{"+notcp": lab.udp, "+tcp": lab.tcp} {
			out := ask(f, network, "www.lab", "A")
			require.Contains(t, out, "status: NOERROR")
			require.Regexp(t, `flags:[^;]* aa[ ;]`, out)
			require.Regexp(t, `www\.lab\.\s+60\s+IN\s+CNAME\s+web\.lab\.`, out)
			require.Regexp(t, `web\.lab\.\s+60\s+IN\s+A\s+10\.`, out)
			require.Regexp(t, `web\.lab\.\s+60\s+IN\s+AAAA\s+fd`, ask(f, network, "web.lab", "AAAA"))
			require.Contains(t, ask(f, network, "nobody.lab"), "status: NXDOMAIN")
			require.Contains(t, ask(f, network, "example.com"), "status: REFUSED")
		}
		// What doesn't fit is asked for again over TCP, at the same port: here another forward's.
		require.Regexp(t, `flags:[^;]* tc`, ask(lab.udp, "+ignore", "+bufsize=512", "many.lab", "TXT"))
		require.Contains(t, ask(lab.tcp, "+tcp", "many.lab", "TXT"), `"end"`)
	})
}

// What h2spec 2.2.1 says of plain net/http. 4.2/3 sends HEADERS of less than the 1 MiB that net/http allows and wants them refused
// nevertheless; in 6.5.3/1 net/http refuses SETTINGS that set a value twice; in 8.1.2.2 it ignores header fields that it
// should refuse; in 3.5/2, without TLS, it takes a wrong preface for HTTP/1.1.
var h2specKnown = map[string][]string{
	"https": {"http2/4.2/3", "http2/6.5.3/1", "http2/8.1.2.2/1", "http2/8.1.2.2/2"},
	"http":  {"http2/4.2/3", "http2/6.5.3/1", "http2/8.1.2.2/1", "http2/8.1.2.2/2", "http2/3.5/2"},
}

// h2specCases is how many cases h2spec has.
const h2specCases = 145

func TestH2spec(t *testing.T) {
	h2spec := program(t, "h2spec")
	withServers(t, func(lab internet) {
		var running sync.WaitGroup
		failed := map[string][]string{}
		var mu sync.Mutex
		for scheme, f := range map[string]netlab.Forward{"https": lab.https, "http": lab.http} {
			running.Go(func() {
				// net/http closes connections a second after it has said goodbye, so a second is too little.
				args := []string{"--host", "127.0.0.1", "--port", port(f), "--timeout", "3"}
				if scheme == "https" {
					args = append(args, "--tls", "--insecure")
				}
				list, cases, printed := h2specRun(t, h2spec, args)
				if cases != h2specCases {
					t.Errorf("%s: %d cases: %s", scheme, cases, printed)
				}
				list = slices.DeleteFunc(list, func(name string) bool {
					return name == h2specLength && h2specPasses(t, h2spec, append(args, "--path", "/echo", name))
				})
				mu.Lock()
				failed[scheme] = list
				mu.Unlock()
			})
		}
		running.Wait()
		for scheme, known := range h2specKnown {
			t.Logf("%s: %v", scheme, failed[scheme])
			require.Subset(t, known, failed[scheme], scheme)
		}
	})
}

// h2specLength sends another length than it announces. Who answers "/" doesn't read the body, so the answer may be there, and the stream
// over, before the server sees the mistake; what "/echo" does has to wait for it.
const h2specLength = "http2/8.1.2.6/1"

// h2specPasses plays single cases and says whether they passed.
func h2specPasses(t testing.TB, h2spec string, args []string) bool {
	failed, cases, printed := h2specRun(t, h2spec, args)
	if cases == 0 {
		t.Errorf("no case was played: %s", printed)
	}
	return cases > 0 && len(failed) == 0
}

// h2specRun returns the cases that failed, how many there were, and what was printed.
func h2specRun(t testing.TB, h2spec string, args []string) (failed []string, cases int, printed string) {
	report := filepath.Join(t.TempDir(), "report.xml")
	stdout, stderr, _ := peer(t, h2spec, append(slices.Clone(args), "--junit-report", report)...)
	failed, cases = h2specFailures(t, report)
	return failed, cases, stdout + stderr
}

// h2specFailures reads h2spec's report: the cases that failed, by section and number in it, and how many there were.
func h2specFailures(t testing.TB, file string) (failed []string, cases int) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return nil, 0
	}
	var report struct {
		Suites []struct {
			Package string `xml:"package,attr"`
			Cases   []struct {
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &report); err != nil {
		t.Error(err)
	}
	for _, s := range report.Suites {
		for i, c := range s.Cases {
			cases++
			if c.Failure != nil || c.Error != nil {
				failed = append(failed, fmt.Sprintf("%s/%d", s.Package, i+1))
			}
		}
	}
	return failed, cases
}

const proxied = `{
	"nodes": {
		"client": {}, "r": {"kind": "router"},
		"proxy": {"services": {
			"http": {"type": "http-proxy", "deny": {"hosts": ["ads"]}, "users": {"ada": "secret"}},
			"socks": {"type": "socks-proxy", "deny": {"hosts": ["ads"]}, "users": {"ada": "secret"}}
		}},
		"web": {"services": {
			"https": {"type": "http-server", "listen": ":443", "tls": true, "objects": "100kB", "handlers": {"/echo": {"handler": "echo"}}},
			"http": {"type": "http-server", "objects": "100kB", "handlers": {"/echo": {"handler": "echo"}}}
		}}
	},
	"links": ["client - r", "r - proxy", "r - web"]
}`

// curl uses both proxies, for http and https URLs, and lets them resolve the names.
func TestCurlThroughProxies(t *testing.T) {
	curl := program(t, "curl")
	const uploadSize = 2 << 20
	upload := filepath.Join(t.TempDir(), "upload")
	require.NoError(t, os.WriteFile(upload, make([]byte, uploadSize), 0o666))
	dir := t.TempDir()
	through(t, proxied, &netlab.RunOptions{Dir: dir}, func(run *netlab.Run) error {
		f := run.Forwards()
		get := func(args ...string) (string, string, error) {
			return peer(t, curl, append([]string{"--disable", "--silent", "--show-error", "--output", os.DevNull, "--cacert",
				filepath.Join(dir, netlab.AuthorityFile), "--write-out", "%{http_code} %{http_connect} %{size_download}"}, args...)...)
		}
		for _, proxy := range []string{"http://ada:secret@" + f[0].Listen, "socks5h://ada:secret@" + f[1].Listen} {
			for _, url := range []string{"http://web/", "https://web/"} {
				connect := "000"
				if proxy[0] == 'h' && url[4] == 's' {
					connect = "200"
				}
				stdout, stderr, err := get("--proxy", proxy, url)
				require.NoError(t, err, stderr)
				require.Equal(t, fmt.Sprintf("200 %s %d", connect, objectSize), stdout, "%s through %s", url, proxy)
				stdout, stderr, err = get("--proxy", proxy, "--data-binary", "@"+upload, url+"echo")
				require.NoError(t, err, stderr)
				require.Equal(t, fmt.Sprintf("200 %s %d", connect, uploadSize), stdout, "%s through %s", url, proxy)
			}
		}
		stdout, _, err := get("--proxy", "http://ada:secret@"+f[0].Listen, "http://ads/")
		require.NoError(t, err)
		require.Regexp(t, "^403 000 ", stdout)
		stdout, _, err = get("--proxy", "http://"+f[0].Listen, "http://web/")
		require.NoError(t, err)
		require.Regexp(t, "^407 000 ", stdout)
		_, stderr, err := get("--proxy", "http://ada:secret@"+f[0].Listen, "https://ads/")
		require.Error(t, err)
		require.Contains(t, stderr, "403")
		_, stderr, err = get("--proxy", "socks5h://ada:wrong@"+f[1].Listen, "http://web/")
		require.Error(t, err)
		require.Contains(t, stderr, "rejected")
		_, stderr, err = get("--proxy", "socks5h://ada:secret@"+f[1].Listen, "http://ads/")
		require.Error(t, err)
		require.Contains(t, stderr, "(2)", "not allowed by the ruleset")
		return nil
	}, "0=proxy:3128", "0=proxy:1080")
}
