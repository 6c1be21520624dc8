package netlab_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tailscale/hujson"

	"netlab"
)

var jsonFences = regexp.MustCompile("(?s)```jsonc?\n(.*?)```")

// stand is what a fragment of a page stands in, by what it begins with: a lab in which %s is its place. The first that fits counts.
var stand = []struct{ begin, lab string }{
	{`"front": {`, `{
		"nodes": {
			"client": {}, "sw": {"kind": "switch"}, "lb": {"services": {%s}},
			"web[1..3]": {"services": {"it": {"type": "http-server"}}}, "spare": {"services": {"it": {"type": "http-server"}}},
			"big": {"services": {"it": {"type": "http-server", "listen": ":8080"}}},
			"cache[1..2]": {"services": {"it": {"type": "http-server"}}}
		},
		"links": ["client - lb", "lb - sw", "web[*] - sw", "spare - sw", "big - sw", "cache[*] - sw"]
	}`},
	{`"addresses": { "shop"`, `{
		"nodes": {"sw": {"kind": "switch", "subnets": ["10.1.0.0/24"]}, "lb": {}, "web[1..2]": {}},
		"links": ["lb - sw", "web[*] - sw"], %s
	}`},
	{`"addresses": {`, `{
		"nodes": {
			"sw": {"kind": "switch"}, "lb1": {"services": {"v": {"type": "vrrp", "address": "vip"}}}, "web[1..2]": {}, "edge[1..2]": {}, "r": {"kind": "router"}
		},
		"links": ["lb1 - sw", "web[*] - sw", "r - sw", "edge[*] - r"], %s
	}`},
	{`"lb1": {`, `{
		"nodes": {"sw": {"kind": "switch"}, %s},
		"addresses": {"vip": {"segment": "sw"}}, "links": ["lb1 - sw", "lb2 - sw"]
	}`},
	{`"routing": {`, `{"nodes": {"a": {}, "r": {"kind": "router"}}, "links": ["a - r"], %s}`},
	{`"/pictures/": {`, `{"nodes": {"web": {"services": {"it": {"type": "http-server", "handlers": {%s}}}}}}`},
	{`"services": {`, `{"nodes": {"web": {%s}}}`},
	{`"workloads": {`, `{
		"nodes": {
			"phone[1..2]": {}, "user": {}, "sw": {"kind": "switch"}, "web": {"services": {"it": {"type": "http-server"}}},
			"shop": {"services": {"it": {"type": "http-server"}}}
		},
		"links": ["phone[*] - sw", "user - sw", "web - sw", "shop - sw"], "duration": "1m", %s
	}`},
}

// Every piece of a file that a page about a component shows is right: whole files load and what they expect holds; fragments load in
// a file that they may stand in. Other JSON, such as lines of an event log, is well-formed. An ellipsis stands for what a fragment leaves out.
func TestFilesInComponentPages(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("docs", "components", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	whole, fragments := 0, 0
	for _, path := range pages {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range jsonFences.FindAllStringSubmatch(string(data), -1) {
			block := strings.TrimSpace(strings.ReplaceAll(m[1], ", …", ""))
			switch {
			case strings.HasPrefix(block, "{") && strings.Contains(block, `"nodes"`):
				whole++
			case strings.HasPrefix(block, "{"):
				for line := range strings.Lines(block) {
					_, err := hujson.Parse([]byte(line))
					require.NoError(t, err, "%s\n%s", path, line)
				}
				continue
			default:
				fragments++
				block = around(t, path, block)
			}
			labs, err := netlab.Parse(path, []byte(block), nil)
			require.NoError(t, err, block)
			if strings.HasPrefix(m[1], "{") {
				requireVerdict(t, labs, m[1])
			}
		}
	}
	require.NotZero(t, whole)
	require.NotZero(t, fragments)
}

// around puts a fragment into the lab that it stands in.
func around(t *testing.T, path, fragment string) string {
	t.Helper()
	for _, s := range stand {
		if strings.HasPrefix(fragment, s.begin) {
			return fmt.Sprintf(s.lab, fragment+"\n")
		}
	}
	require.Fail(t, "no lab to stand in", "%s\n%s", path, fragment)
	return ""
}
