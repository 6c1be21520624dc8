package ladder

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/captures/analysis"
)

func svg(t *testing.T, l *lab, o Options, to SVGOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, l.ladder(o).SVG(&b, to))
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				require.False(t, a.Name.Local == "href" || a.Name.Local == "src", "%v", e)
				require.NotContains(t, a.Value, "NaN")
			}
		}
	}
	return b.Bytes()
}

// Pictures are XML without references to anything outside; each packet has a title.
func TestSVG(t *testing.T) {
	events := []Event{{3 * hop, "link r1--server goes <down>"}}
	golden(t, "upload.svg", svg(t, upload(t), Options{Events: events}, SVGOptions{}))
	golden(t, "upload-scale.svg", svg(t, upload(t), Options{Events: events}, SVGOptions{ToScale: true, Height: 600, Width: 700, Title: "An upload"}))
	picture := string(svg(t, upload(t), Options{}, SVGOptions{}))
	require.Equal(t, 1+len(upload(t).run.Journeys), strings.Count(picture, "<title"))
	require.Contains(t, picture, `role="img"`)
	require.Contains(t, picture, "prefers-color-scheme:dark")
	require.Equal(t, 3, strings.Count(picture, `class="back"`))
	require.Equal(t, 4, strings.Count(picture, `class="cross lost"`))
	require.Equal(t, 1, strings.Count(picture, "http"), "nothing but the name space is an address")
}

// Text from a capture is text in the picture, whatever it holds.
func TestSVGEscapes(t *testing.T) {
	l := uploadLab(t)
	l.send(0, "client r1 server", up+"[PSH, ACK] seq 1 ack 1 len 20: GET /<script>&\x00 HTTP/1.1")
	require.Contains(t, string(svg(t, l, Options{}, SVGOptions{})), "GET /&lt;script&gt;&amp;\uFFFD HTTP/1.1")
}

func TestSVGLimits(t *testing.T) {
	l := upload(t).ladder(Options{})
	require.EqualError(t, l.SVG(&bytes.Buffer{}, SVGOptions{Width: 300}), "3 nodes need a width of 336, and it is 300")
	require.EqualError(t, l.SVG(brokenWriter{}, SVGOptions{}), "ladder: write: out of paper")
	picture := string(svg(t, upload(t), Options{Limit: 2}, SVGOptions{ToScale: true}))
	require.Contains(t, picture, "12 packets follow, until 0.45 s")
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, upload(t).ladder(Options{Hops: true}).JSON(&b))
	var list []Packet
	for d := json.NewDecoder(&b); d.More(); {
		var p Packet
		require.NoError(t, d.Decode(&p))
		list = append(list, p)
	}
	require.Len(t, list, 14)
	ninth := list[8]
	require.Equal(t, 9, ninth.Number)
	require.Equal(t, &Repeats{Kind: analysis.Fast, Original: 5, Cause: analysis.OriginalLost}, ninth.Repeats)
	require.Equal(t, "client--r1", ninth.Lost.Link)
	require.Equal(t, []Hop{{"client", "client-eth0", 81, 8*hop + 3*time.Microsecond, "out"}}, ninth.Hops)
	require.EqualError(t, upload(t).ladder(Options{}).JSON(brokenWriter{}), "ladder: write: out of paper")
}
