package page

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"netlab/captures"
	"netlab/captures/analysis"
	"netlab/report"
)

// fitPackets puts as many packets into columns as have room in budget bytes of JSON, and returns how many. If not all have, it takes
// the finest level of a pyramid that fits: level n has the notable packets, their neighbours and every 2^n-th of the others. Where
// not even the notable ones have room, every 2^n-th of those remains.
func fitPackets(f *report.Folder, run *analysis.Run, budget int) (p *packets, shown int, err error) {
	fits := func(chosen []*analysis.Journey) (bool, error) {
		p, shown = tabulate(f, run, chosen), len(chosen)
		data, err := json.Marshal(p)
		return len(data) <= budget, err
	}
	if ok, err := fits(run.Journeys); ok || err != nil {
		return p, shown, err
	}
	notable := notablePackets(run.Journeys)
	near := withNeighbours(notable)
	for step := 2; step < 2*len(run.Journeys); step *= 2 {
		if ok, err := fits(choose(run.Journeys, func(i int) bool { return near[i] || i%step == 0 })); ok || err != nil {
			return p, shown, err
		}
	}
	for step := 1; step < 2*len(run.Journeys); step *= 2 {
		seen := 0
		ok, err := fits(choose(run.Journeys, func(i int) bool {
			if notable[i] {
				seen++
			}
			return notable[i] && (seen-1)%step == 0
		}))
		if ok || err != nil {
			return p, shown, err
		}
	}
	_, err = fits(nil)
	return p, 0, err
}

// neighbourhood is how many packets before and after a notable one are shown with it.
const neighbourhood = 3

// notablePackets says which packets stay at each level: those that were lost or sent again, and the originals of these, those that
// open or close a connection, and whatever else the analysis or the emulator remarked.
func notablePackets(journeys []*analysis.Journey) []bool {
	notable := make([]bool, len(journeys))
	place := make(map[*analysis.Journey]int, len(journeys))
	for i, j := range journeys {
		place[j] = i
		notable[i] = j.Lost != nil || j.Repeat != nil || len(j.Comments) > 0 ||
			j.Flags&(captures.SYN|captures.FIN|captures.RST) != 0 || j.Marks&oddMarks != 0
	}
	for _, j := range journeys {
		if j.Repeat == nil || j.Repeat.Original == nil {
			continue
		}
		if i, ok := place[j.Repeat.Original]; ok {
			notable[i] = true
		}
	}
	return notable
}

// withNeighbours adds what is around notable packets.
func withNeighbours(notable []bool) []bool {
	near := make([]bool, len(notable))
	for i, is := range notable {
		if !is {
			continue
		}
		for k := max(0, i-neighbourhood); k <= min(len(near)-1, i+neighbourhood); k++ {
			near[k] = true
		}
	}
	return near
}

func choose(journeys []*analysis.Journey, keep func(i int) bool) []*analysis.Journey {
	var chosen []*analysis.Journey
	for i, j := range journeys {
		if keep(i) {
			chosen = append(chosen, j)
		}
	}
	return slices.Clip(chosen)
}

// placeholder stands for a number in the template of a description. It is a character for private use.
const placeholder = '\ue000'

// maxDigits is how long a number may be that scripts hold exactly.
const maxDigits = 15

// splitNumbers takes the decimal numbers out of a description. Digits that would not come back as they were stay in it: long ones,
// and those with leading zeros.
func splitNumbers(text string) (template string, numbers []int64) {
	text = strings.ReplaceAll(text, string(placeholder), "\ufffd")
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && '0' <= text[end] && text[end] <= '9' {
			end++
		}
		switch {
		case end == i:
			out = append(out, text[i])
			i++
			continue
		case end-i > maxDigits || text[i] == '0' && end-i > 1:
			out = append(out, text[i:end]...)
		default:
			n, _ := strconv.ParseInt(text[i:end], 10, 64) // digits only, and few of them
			numbers = append(numbers, n)
			out = append(out, string(placeholder)...)
		}
		i = end
	}
	return string(out), numbers
}
