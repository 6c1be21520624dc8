package captures

import (
	"strings"
	"time"
)

// startPrefix begins the comment of a section that says when the run began.
const startPrefix = "the run began at "

func startComment(epoch time.Time) string { return startPrefix + epoch.UTC().Format(time.RFC3339Nano) }

// Start returns when the run began of which the section is a capture: the time at which virtual time was 0. ok is false for captures
// that netlab has not written.
func (s *Section) Start() (start time.Time, ok bool) {
	for _, c := range s.Comments {
		if text, found := strings.CutPrefix(c, startPrefix); found {
			start, err := time.Parse(time.RFC3339Nano, text)
			return start, err == nil
		}
	}
	return time.Time{}, false
}
