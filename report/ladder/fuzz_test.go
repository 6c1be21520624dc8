package ladder

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a capture says, lines keep to their width and pictures are XML.
func FuzzText(f *testing.F) {
	f.Add(up+"[PSH, ACK] seq 1 ack 1 len 20: GET / HTTP/1.1", "GET / HTTP/1.1", "random loss", uint8(80))
	f.Add("UDP a:1 > b:53 len 3: DNS query A www.lab", "DNS query A www.lab", "", uint8(40))
	f.Add("ARP who has \x1b[31m? tell \xff", "", "queue full\n", uint8(200))
	f.Add(" > : > ", ": ", ": ", uint8(33))
	f.Fuzz(func(t *testing.T, text, message, reason string, width uint8) {
		l := uploadLab(t)
		for i, path := range []string{"client r1 server", "server r1 x client", "client x r1 server"} {
			j := l.send(hop, path, down+"[ACK] seq 1 ack 1")
			j.Text, j.Message = text, message
			if j.Lost != nil {
				j.Lost.Reason = reason
			}
			if i > 0 {
				l.again(j, l.run.Journeys[i-1], "fast", "")
			}
		}
		d, err := New(l.run, l.network, l.run.Journeys, Options{})
		require.NoError(t, err)
		var b bytes.Buffer
		to := TextOptions{Width: max(33, int(width)), ASCII: width%2 == 0}
		require.NoError(t, d.Text(&b, to))
		for line := range strings.Lines(b.String()) {
			require.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), to.Width)
		}
		svg(t, l, Options{}, SVGOptions{ToScale: width%3 == 0})
	})
}
