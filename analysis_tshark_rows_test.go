package netlab_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// applicationFields are what tshark is asked of applications. A frame may have several of each.
var applicationFields = []string{
	"dns.flags.response", "http.request", "http.response", "tls.handshake.type", "http2.type", "http2.headers.method", "http2.headers.status",
	"websocket.opcode",
}

// tsharkFrame is what tshark tells of a frame: the values of its fields, with commas between them.
type tsharkFrame map[string]string

// has says whether the frame has any of some fields.
func (f tsharkFrame) has(fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool { return f[field] != "" })
}

// flags says whether those in mask of a segment are the ones in set.
func (f tsharkFrame) flags(mask, set uint8) bool {
	flags, err := strconv.ParseUint(f["tcp.flags"], 0, 16)
	return err == nil && uint8(flags)&mask == set
}

// tsharkReading is what tshark tells of a capture, from one pass over it.
type tsharkReading struct {
	// frames are all but those of ICMP, whose fields are also those of the headers that it quotes.
	frames []tsharkFrame
	// hierarchy holds frames and bytes of each place in the protocol hierarchy, such as eth/ip/tcp.
	hierarchy map[string][2]int
}

var hierarchyLine = regexp.MustCompile(`^( *)(\S+) +frames:(\d+) bytes:(\d+)$`)

// readWithTshark reads a capture with tshark.
func readWithTshark(t testing.TB, file string) tsharkReading {
	t.Helper()
	fields := append([]string{"icmp.type", "icmpv6.type", "tcp.stream", "udp.stream", "tcp.completeness", "tcp.flags", "arp.opcode"}, applicationFields...)
	for _, a := range agreements {
		fields = append(fields, a.fields...)
	}
	args := []string{"-o", "tcp.reassemble_out_of_order:TRUE", "-z", "io,phs", "-T", "fields", "-E", "separator=|", "-E", "aggregator=,"}
	for _, field := range fields {
		args = append(args, "-e", field)
	}
	r := tsharkReading{hierarchy: map[string][2]int{}}
	var path []string
	for _, line := range tshark(t, file, args...) {
		if columns := strings.Split(line, "|"); len(columns) == len(fields) {
			if columns[0]+columns[1] != "" {
				continue
			}
			f := tsharkFrame{}
			for i, value := range columns {
				if value != "" {
					f[fields[i]] = value
				}
			}
			r.frames = append(r.frames, f)
		} else if m := hierarchyLine.FindStringSubmatch(line); m != nil {
			path = append(path[:len(m[1])/2], m[2])
			frames, err := strconv.Atoi(m[3])
			require.NoError(t, err)
			bytes, err := strconv.Atoi(m[4])
			require.NoError(t, err)
			r.hierarchy[strings.Join(path, "/")] = [2]int{frames, bytes}
		}
	}
	return r
}
