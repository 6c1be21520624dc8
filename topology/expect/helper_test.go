package expect

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab/units"
)

type rtt struct {
	Avg units.Duration `json:"avg_ns"`
	Min time.Duration  `json:"min_ns"`
	Max units.Duration `json:"max_ns"`
}

type transfer struct {
	Intact  bool          `json:"intact"`
	Goodput units.BitRate `json:"goodput_bps"`
	Bytes   units.Bytes   `json:"bytes"`
	RTT     *rtt          `json:"rtt"`
	Error   string        `json:"error,omitempty"`
	Chunks  []int         `json:"chunks"`
	Secret  int           `json:"-"`
	hidden  int
}

type load struct {
	Count       int               `json:"count"`
	Success     units.Probability `json:"success_rate"`
	Rate        units.Rate        `json:"rate"`
	Concurrency float64           `json:"concurrency"`
	Latency     struct {
		P99 units.Duration `json:"p99_ns"`
	} `json:"latency"`
	Mean float64 `json:"mean_size"`
}

type direction struct {
	Sent    uint64         `json:"sent"`
	Dropped map[string]int `json:"dropped"`
}

// results are what most tests look at.
func results() *Figures {
	f := &Figures{}
	f.Add("upload", transfer{Intact: true, Goodput: 1_523_416, Bytes: 5_000_000,
		RTT: &rtt{Avg: units.Duration(203_218_743), Min: 21_200_000, Max: units.Duration(22_200_000)}})
	f.Add("probe", &transfer{Error: "refused"}) // without rtt
	f.Add("browse", load{Count: 999, Success: 999.0 / 1000, Rate: 10.0 / 60, Concurrency: 0.1, Mean: math.NaN()})
	f.Add("browse.latency.p99", units.Duration(149_999_999))
	f.Add("links.r1--server.forward", direction{Sent: 7, Dropped: map[string]int{"queue-full": 3, "loss": 0, "down": 1}})
	for _, name := range []string{"web-1", "web1", "web3"} {
		f.Add("nodes."+name+".tcp.retransmits", 4)
	}
	return f
}

func compile(tb testing.TB, text string) *Expression {
	tb.Helper()
	e, err := Compile(text, results())
	require.NoError(tb, err, text)
	return e
}
