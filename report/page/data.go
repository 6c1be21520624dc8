package page

import "time"

// data is what the page's scripts draw from, embedded as JSON. Times are seconds from the start of the run unless a name says
// otherwise.
type data struct {
	Run runData `json:"run"`
	// Charts are drawn into the elements whose attribute data-chart is their place in this list.
	Charts []*chart `json:"charts"`
	// Packets is for the ladder, Streams for the plots of TCP connections; nil if the run has no captures.
	Packets *packets `json:"packets"`
	Streams *streams `json:"streams"`
}

// runData is about the run as a whole.
type runData struct {
	Name     string  `json:"name"`
	Variant  string  `json:"variant,omitempty"`
	Seed     uint64  `json:"seed"`
	Duration float64 `json:"duration"`
}

// chart is what netlab.chart(element, spec) in charts.js draws: series over time, over the bands of faults.
type chart struct {
	Title string `json:"title"`
	// X is time or, in a histogram, duration: a logarithmic axis in seconds.
	X      string   `json:"x"`
	Unit   string   `json:"unit"` // of the values: s, B, bit/s, packets, 1/s, …
	Series []series `json:"series"`
	Bands  []band   `json:"bands,omitempty"`
	// Group is the name of those that are zoomed together.
	Group string `json:"group,omitempty"`
}

// series is a line of a chart. Values that are not known are nil.
type series struct {
	Label string     `json:"label"`
	Kind  string     `json:"kind"` // line, step, points, area or bars
	T     []float64  `json:"t"`
	V     []*float64 `json:"v"`
	// Color is a custom property of the style sheet, "" for the next one that is free.
	Color string `json:"color,omitempty"`
}

// band is a time that a chart sets off.
type band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Label string  `json:"label"`
}

// limit is something that the page does not show as a whole.
type limit struct {
	// What is of what kind it is, such as "packets in the ladder".
	What  string
	Shown int
	Of    int
	// Text says what was chosen or thinned, and what shows the rest, such as "the first ones; netlab ladder draws all".
	Text string
}

// seconds is a time as the scripts want it.
func seconds(d time.Duration) float64 { return float64(d) / float64(time.Second) }
