package netem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"netlab/units"
)

// The bounds of a queue's values.
const (
	maxQueueTime   = time.Hour
	minPIEInterval = 10 * time.Microsecond
	maxFlows       = 1 << 16
	minQuantum     = 256
	maxQuantum     = 1 << 20
	maxBands       = 64
)

// kind is the discipline, with the zero value resolved.
func (q *Queue) kind() Discipline {
	if q.Discipline == "" {
		return DropTail
	}
	return q.Discipline
}

// disciplineNames are all disciplines, as they are offered.
var disciplineNames = []Discipline{DropTail, RED, CoDel, FQCoDel, PIE, Priority}

// queueValue is a value of a queue that only some disciplines have.
type queueValue struct {
	key   string
	given bool
	value any
	of    []Discipline
}

func (q *Queue) values() []queueValue {
	return []queueValue{
		{"ecn", q.ECN, nil, []Discipline{RED, CoDel, FQCoDel, PIE}},
		{"target", q.Target != 0, units.Duration(q.Target), []Discipline{CoDel, FQCoDel, PIE}},
		{"interval", q.Interval != 0, units.Duration(q.Interval), []Discipline{CoDel, FQCoDel, PIE}},
		{"burst", q.Burst != 0, units.Duration(q.Burst), []Discipline{PIE}},
		{"flows", q.Flows != 0, q.Flows, []Discipline{FQCoDel}},
		{"quantum", q.Quantum != 0, q.Quantum, []Discipline{FQCoDel}},
		{"min_threshold", q.MinThreshold != 0, q.MinThreshold, []Discipline{RED}},
		{"max_threshold", q.MaxThreshold != 0, q.MaxThreshold, []Discipline{RED}},
		{"max_probability", q.MaxProbability != 0, q.MaxProbability, []Discipline{RED}},
		{"weight", q.Weight != 0, q.Weight, []Discipline{RED}},
		{"gentle", q.Gentle, nil, []Discipline{RED}},
		{"bands", q.BandCount != 0 || q.Bands != [64]uint8{}, q.BandCount, []Discipline{Priority}},
	}
}

// text is the value as it is written in a file; a switch that is on has none.
func (v *queueValue) text() string {
	if v.value == nil {
		return ""
	}
	return fmt.Sprint(v.value)
}

// validate says what is wrong with q on a link of that MTU.
func (q *Queue) validate(mtu int) error {
	kind := q.kind()
	if !slices.Contains(disciplineNames, kind) {
		return fmt.Errorf("queue discipline %q: want %s", q.Discipline, disciplines(disciplineNames))
	}
	for _, v := range q.values() {
		if v.given && !slices.Contains(v.of, kind) {
			return fmt.Errorf("queue: %s has no %s; it belongs to %s", kind, v.key, disciplines(v.of))
		}
	}
	limit := q.Limit
	if limit.Bytes < 0 || limit.Packets < 0 || limit.Bytes > 0 && limit.Packets > 0 {
		return fmt.Errorf("queue limit of %d bytes and %d packets: want one of them to be more than 0 and the other 0, or both 0 for no limit",
			int64(limit.Bytes), limit.Packets)
	}
	full := q.withDefaults(mtu)
	switch kind {
	case RED:
		return full.validateRED()
	case CoDel, FQCoDel, PIE:
		return full.validateTimes()
	case Priority:
		return full.validateBands()
	}
	return nil
}

// disciplines lists names for an error.
func disciplines(list []Discipline) string {
	var names []string
	for _, d := range list {
		names = append(names, string(d))
	}
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (q *Queue) validateRED() error {
	switch {
	case q.MaxThreshold == 0:
		return fmt.Errorf("queue: red without limit wants a max_threshold")
	case q.MinThreshold < 0 || q.MaxThreshold <= q.MinThreshold:
		return fmt.Errorf("queue min_threshold %s and max_threshold %s: want 0 < min_threshold < max_threshold", q.MinThreshold, q.MaxThreshold)
	case q.Limit.Bytes > 0 && q.MaxThreshold > q.Limit.Bytes:
		return fmt.Errorf("queue max_threshold %s is more than the limit of %s: the queue would be full before", q.MaxThreshold, q.Limit)
	case !(q.MaxProbability > 0 && q.MaxProbability <= 1):
		return fmt.Errorf("queue max_probability %v: want more than 0 and at most 1", float64(q.MaxProbability))
	case !(q.Weight > 0 && q.Weight <= 1):
		return fmt.Errorf("queue weight %v: want more than 0 and at most 1", q.Weight)
	}
	return nil
}

func (q *Queue) validateTimes() error {
	for _, v := range []struct {
		key   string
		value time.Duration
	}{{"target", q.Target}, {"interval", q.Interval}, {"burst", q.Burst}} {
		if v.value < 0 || v.value > maxQueueTime {
			return fmt.Errorf("queue %s %v: want more than 0 and at most %v", v.key, v.value, maxQueueTime)
		}
	}
	switch kind := q.kind(); {
	case kind == PIE && q.Interval < minPIEInterval:
		return fmt.Errorf("queue interval %v: pie wants at least %v", q.Interval, minPIEInterval)
	case kind != PIE && q.Target >= q.Interval:
		return fmt.Errorf("queue target %v and interval %v: want the target to be less than the interval", q.Target, q.Interval)
	case kind == FQCoDel && (q.Flows < 0 || q.Flows > maxFlows):
		return fmt.Errorf("queue flows %d: want 1 to %d", q.Flows, maxFlows)
	case kind == FQCoDel && (q.Quantum < minQuantum || q.Quantum > maxQuantum):
		return fmt.Errorf("queue quantum %s: want %s to %s", q.Quantum, units.Bytes(minQuantum), units.Bytes(maxQuantum))
	}
	return nil
}

func (q *Queue) validateBands() error {
	if q.BandCount < 1 || q.BandCount > maxBands {
		return fmt.Errorf("queue with %d bands: want 1 to %d", q.BandCount, maxBands)
	}
	for dscp, band := range q.Bands {
		if int(band) >= q.BandCount {
			return fmt.Errorf("queue band %d of DSCP %d: want 0 to %d, since there are %d bands", band, dscp, q.BandCount-1, q.BandCount)
		}
	}
	return nil
}

// withDefaults returns q with the defaults of its discipline filled in, on a link of that MTU.
func (q Queue) withDefaults(mtu int) Queue {
	switch q.kind() {
	case RED:
		q.redThresholds(mtu)
		fill(&q.MaxProbability, 0.1)
		fill(&q.Weight, 0.002)
	case CoDel:
		fill(&q.Target, 5*time.Millisecond)
		fill(&q.Interval, 100*time.Millisecond)
	case FQCoDel:
		fill(&q.Target, 5*time.Millisecond)
		fill(&q.Interval, 100*time.Millisecond)
		fill(&q.Flows, 1024)
		fill(&q.Quantum, 1514)
	case PIE:
		fill(&q.Target, 15*time.Millisecond)
		fill(&q.Interval, pieInterval)
		fill(&q.Burst, 150*time.Millisecond)
	case Priority:
		if q.BandCount == 0 && q.Bands == [64]uint8{} {
			q.Bands, q.BandCount = DefaultBands(), 3
		}
	}
	return q
}

func fill[T comparable](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}
