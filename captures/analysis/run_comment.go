package analysis

import "strings"

// droppedPrefix begins the comment of a packet that the emulated network dropped.
const droppedPrefix = "dropped: "

// splitComment takes a packet's comment apart: why and on which link it was dropped, ok false if it wasn't, and what was done to it
// besides. Link is "" if the comment names none.
func splitComment(comment string) (reason, link string, ok bool, others []string) {
	for _, line := range strings.Split(comment, "\n") {
		for _, part := range splitOutsideQuotes(line, "; ") {
			if part == "" {
				continue
			}
			words, dropped := strings.CutPrefix(part, droppedPrefix)
			if !dropped {
				others = append(others, part)
				continue
			}
			pieces := splitOutsideQuotes(words, " on ")
			reason, link, ok = words, "", true
			if n := len(pieces) - 1; n > 0 {
				link = pieces[n]
				reason = strings.TrimSuffix(words, " on "+link)
			}
		}
	}
	return reason, link, ok, others
}

// splitOutsideQuotes splits a text like strings.Split, but not within names of rules, which stand in quotes as Go writes them.
func splitOutsideQuotes(text, by string) []string {
	var list []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(text[i:], by):
			list = append(list, text[begin:i])
			i += len(by) - 1
			begin = i + 1
		}
	}
	return append(list, text[begin:])
}

// damaged says whether comments tell that the bytes of a packet are not those that were sent.
func damaged(comments []string) bool {
	for _, c := range comments {
		if strings.HasPrefix(c, "corrupted") || strings.HasPrefix(c, "truncated") {
			return true
		}
	}
	return false
}
