package story

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func (t *teller) title() string {
	if t.folder == nil {
		return filepath.Base(t.run.Captures[0].Path)
	}
	title := t.folder.Topology.Name
	if v := t.folder.Results.Run.Variant; v != "" {
		title += ", variant " + v
	}
	if t.folder.HasResults {
		title += fmt.Sprintf(": %s of virtual time with seed %d", lasting(t.folder.Results.Run.Duration), t.folder.Results.Run.Seed)
	}
	return title
}

// introduce tells who the nodes are and how they are joined.
func (t *teller) introduce() {
	cast := Sentence{Kind: Cast, Stream: -1}
	if t.folder == nil {
		t.introduceCapture(cast)
		return
	}
	byKind := map[string][]string{}
	for _, n := range t.folder.Topology.Nodes {
		kind := n.Value.Kind
		if kind == "" {
			kind = "host"
		}
		name := n.Name
		if kind == "host" && len(n.Value.Services) > 0 {
			var services []string
			for _, s := range n.Value.Services {
				services = append(services, serviceWord(s.Name, s.Value))
			}
			name += " (" + strings.Join(services, ", ") + ")"
		}
		byKind[kind] = append(byKind[kind], name)
	}
	for _, kind := range []string{"host", "router", "switch"} {
		names := byKind[kind]
		switch len(names) {
		case 0:
		case 1:
			t.say(cast, "The only %s is %s.", kind, names[0])
		default:
			t.say(cast, "The %s are %s.", plural(kind), few(ranges(names), 12))
		}
	}
	var order []string
	links := map[string][]string{} // by what they are like
	for _, l := range t.folder.Topology.Links {
		like := linkWords(l.Latency, l.Rate, l.Loss)
		if links[like] == nil {
			order = append(order, like)
		}
		links[like] = append(links[like], strings.Replace(l.Between, " - ", " to ", 1))
	}
	for _, like := range order {
		group := links[like]
		with := ""
		if like != "" {
			with = " with " + like
			if len(group) > 1 {
				with = ", each" + with
			}
		}
		if len(group) == 1 {
			t.say(cast, "A link goes from %s%s.", group[0], with)
			continue
		}
		t.say(cast, "%s links go from %s%s.", capital(number(len(group))), few(group, 6), with)
	}
}

// ranges puts names that are numbered one after the other together: "host1 to host50".
func ranges(names []string) []string {
	var list []string
	for i := 0; i < len(names); {
		n := 1
		for prefix, first := numbered(names[i]); first >= 0 && i+n < len(names); n++ {
			if p, number := numbered(names[i+n]); p != prefix || number != first+n {
				break
			}
		}
		if n < 4 {
			list = append(list, names[i])
			i++
			continue
		}
		list = append(list, names[i]+" to "+names[i+n-1])
		i += n
	}
	return list
}

// numbered takes a name and its number at the end apart; the number is -1 if there is none.
func numbered(name string) (prefix string, number int) {
	prefix = strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(prefix):])
	if err != nil {
		return name, -1
	}
	return prefix, number
}

// serviceWord names a service by its name, and by its type if that says more.
func serviceWord(name string, config json.RawMessage) string {
	var c struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(config, &c) != nil || c.Type == "" || c.Type == name {
		return name
	}
	return name + ": " + c.Type
}

// linkWords tells what of a link is not as it is by default, "" if all is.
func linkWords(latency, rate, loss json.RawMessage) string {
	var parts []string
	add := func(value json.RawMessage, usual, word string) {
		s := strings.Trim(string(value), `"`)
		if s != "" && s != usual && !strings.HasPrefix(s, "{") && s != "null" {
			parts = append(parts, word+s)
		}
	}
	add(latency, "0s", "a latency of ")
	add(rate, "unlimited", "a rate of ")
	add(loss, "0%", "a loss of ")
	return list(parts)
}

// introduceCapture tells what a capture of unknown origin holds.
func (t *teller) introduceCapture(cast Sentence) {
	for _, c := range t.run.Captures {
		frames := count(c.Frames, "frame")
		if c.Frames > 12 {
			frames = thousands(c.Frames) + " frames"
		}
		t.say(cast, "The capture holds %s with %s, from %s to %s.", frames, volume(c.Bytes), c.Start.Add(c.First).UTC().Format(time.RFC3339Nano),
			c.Start.Add(c.Last).UTC().Format(time.RFC3339Nano))
		n := len(c.Endpoints)
		if n > 0 {
			t.say(cast, "It shows %s: %s.", count(n, "address"), few(ranges(t.nodes()), 12))
		}
		if n > 1 && len(c.TCP)+len(c.UDP) > 0 {
			t.say(cast, "They speak over %s of TCP and %s of UDP.", count(len(c.TCP), "connection"), count(len(c.UDP), "stream"))
		}
	}
}
