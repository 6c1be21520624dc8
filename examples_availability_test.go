package netlab_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Health checks are requests of the balancer, one a second, and of those who are asked twice only one was really asked twice: the
// others' connections to web1 never came about.
func TestAvailabilityPackets(t *testing.T) {
	text := exampleText(t, "availability")
	const check = `http.request && http.user_agent == "netlab-health-check"`
	dir := playVariant(t, text, "two-servers")
	var want []string
	for second := range 41 {
		if second <= 10 || second >= 21 {
			want = append(want, strconv.Itoa(second)+".002000000") // after the first packet, a SYN
		}
	}
	require.Equal(t, want, column(t, dir, "web1", check, "frame.time_relative"))
	require.Len(t, column(t, dir, "web1", `http.request && http.user_agent == "netlab"`, "frame.number"), 142+1, "and one that was dropped, as web1 was gone")

	dir = playVariant(t, text, "two-servers-and-retries")
	const asked = `http.request && http.user_agent == "netlab" && !tcp.analysis.retransmission`
	to := column(t, dir, "lb", asked, "tcp.dstport")
	require.Len(t, to, 400+400+1, "of the users, to the servers, and one to a server that didn't answer")
	require.Equal(t, []string{"80"}, slices.Compact(to))
	require.Len(t, column(t, dir, "lb", `http.response.code == 200 && tcp.srcport == 80`, "frame.number"), 400+400+2*41-10)
}
