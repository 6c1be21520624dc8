package topology

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Sweep plays a file several times: with each of its seeds for each combination of the values.
type Sweep struct {
	Seeds SeedList    `json:"seeds,omitempty" jsonschema_description:"The seeds: a range such as 1..200, a number, or several of these with commas between them. Default: the file's seed."`
	Set   SweepValues `json:"set,omitzero" jsonschema_description:"Values by the path of what they replace, such as links.a--b.loss; every combination is played. A value that is JSON, such as 3 or true, is read as that, other values are text."`
}

// SweepValues are values by paths, which are no names as those of other objects.
type SweepValues struct{ Map[[]string] }

// MaxSeeds is how many seeds a list may hold.
const MaxSeeds = 1_000_000

// SeedList is a list of seeds as text: "1..200", "7", "1..10,20".
type SeedList string

// Seeds returns the seeds in the order of the text. An error says what is wrong with it.
func (l SeedList) Seeds() ([]uint64, error) {
	var list []uint64
	seen := map[uint64]bool{}
	for _, part := range strings.Split(string(l), ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "..")
		from, err := parseSeed(first)
		to := from
		if err == nil && isRange {
			to, err = parseSeed(last)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no list of seeds: %w", string(l), err)
		case to < from:
			return nil, fmt.Errorf("%q is no list of seeds: %d..%d ends before it begins; did you mean \"%d..%d\"?", string(l), from, to, to, from)
		case to-from >= MaxSeeds || len(list)+int(to-from) >= MaxSeeds:
			return nil, fmt.Errorf("%q has too many seeds: want up to %d", string(l), MaxSeeds)
		}
		for seed := from; ; seed++ {
			if seen[seed] {
				return nil, fmt.Errorf("%q has seed %d twice", string(l), seed)
			}
			seen[seed] = true
			list = append(list, seed)
			if seed == to {
				break
			}
		}
	}
	return list, nil
}

func parseSeed(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a seed: want 1 to %d, or a range such as 1..200", text, uint64(math.MaxUint64))
	}
	return n, nil
}

// readSweep reads and checks the sweep of a file.
func readSweep(root *value, problems *problems) *Sweep {
	if root.member("sweep") == nil {
		return nil
	}
	at := place{v: root}.field("sweep")
	s := &Sweep{}
	d := decoder{problems: problems}
	before := len(problems.list)
	d.decode(at, reflect.ValueOf(s).Elem())
	if len(problems.list) > before {
		return nil
	}
	if at.member("seeds") != nil {
		if _, err := s.Seeds.Seeds(); err != nil {
			problems.addf(at.field("seeds"), "%v", err)
		}
	}
	base := without(root, "variants", "sweep")
	for path, values := range s.Set.All() {
		at := at.field("set").field(path)
		if len(values) == 0 {
			problems.addf(at, "found no values, wanted at least one")
		}
		for i, v := range values {
			if slices.Contains(values[:i], v) {
				problems.addf(at.item(i), "found %s twice", quote(v))
			}
			if _, err := (Setting{path, v}).apply(base); err != nil && root.member("variants") == nil {
				problems.addf(at.item(i), "%v", err)
				break
			}
		}
	}
	return s
}
