package chat

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"netlab/units"
)

// query is what a member asks for.
type query struct {
	after int64         // messages with higher numbers
	given bool          // whether after was
	wait  time.Duration // for the first of them; 0 is not at all
}

// parseQuery reads the part of a URL behind the question mark: "after=17&wait=30s". waits says whether wait may be in it, which is at
// most longest.
func parseQuery(text string, waits bool, longest time.Duration) (query, error) {
	var q query
	values, err := url.ParseQuery(text)
	if err != nil {
		return q, fmt.Errorf("query %q: %w", text, err)
	}
	for name, list := range values {
		if name != "after" && !(name == "wait" && waits) {
			return q, fmt.Errorf("unknown parameter %q: want after%s", name, map[bool]string{true: " and wait"}[waits])
		}
		if len(list) != 1 {
			return q, fmt.Errorf("%s: found %d values, wanted one", name, len(list))
		}
	}
	if list, ok := values["after"]; ok {
		q.after, err = strconv.ParseInt(list[0], 10, 64)
		if err != nil || q.after < 0 {
			return q, fmt.Errorf("after: found %q, wanted the number of a message, or 0", list[0])
		}
		q.given = true
	}
	if list, ok := values["wait"]; ok {
		wait, err := units.ParseDuration(list[0])
		if err != nil {
			return q, fmt.Errorf("wait: %w", err)
		}
		q.wait = wait.Std()
		if q.wait > longest {
			return q, fmt.Errorf("wait: found %s, wanted at most %s", list[0], units.Duration(longest))
		}
	}
	return q, nil
}
