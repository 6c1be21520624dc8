package expect

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// inMap finds a figure below a map that doesn't have it: status.503 where no response had that status.
func (f *Figures) inMap(name string) (found figure, ok bool) {
	for at := len(name); at > 0; {
		at = strings.LastIndexByte(name[:at], '.')
		if at < 0 {
			break
		}
		elem, open := f.open[name[:at]]
		if !open {
			continue
		}
		key, rest, _ := strings.Cut(name[at+1:], ".")
		if key == "" {
			return figure{}, false
		}
		var sub Figures
		sub.add("x", reflect.Zero(elem), false, 0)
		if rest != "" {
			rest = "." + rest
		}
		found, ok = sub.get("x" + rest)
		if ok && found.dimension == Count {
			found.value = uint64(0)
		}
		return found, ok
	}
	return figure{}, false
}

// Open returns the names of figures below maps, with <key> in place of the key, in alphabetical order.
func (f *Figures) Open() []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(f.open)) {
		var sub Figures
		sub.add(join(name, "<key>"), reflect.Zero(f.open[name]), false, 0)
		list = append(list, sub.Names()...)
		list = append(list, sub.Open()...)
	}
	return list
}
