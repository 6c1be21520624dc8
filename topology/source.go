package topology

import (
	"sort"
	"strconv"
	"unicode/utf8"
)

// source is the text of a file and knows where its lines begin.
type source struct {
	name  string
	data  []byte
	lines []int // offset of the first byte of each line
}

func newSource(name string, data []byte) *source {
	s := &source{name: name, data: data, lines: []int{0}}
	for i, b := range data {
		if b == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// position returns line and column of a byte, both from 1. Columns count characters.
func (s *source) position(offset int) (line, column int) {
	offset = min(max(offset, 0), len(s.data))
	line = sort.SearchInts(s.lines, offset+1)
	start := s.lines[line-1]
	return line, 1 + utf8.RuneCount(s.data[start:offset])
}

// literalOffset returns at which byte of a JSON string literal (with its quotes) the byte at offset of its decoded text
// is written. It knows that an escape takes more room in the file than in the text.
func literalOffset(literal []byte, offset int) int {
	i, text := 1, 0
	for i < len(literal)-1 && text < offset {
		raw, n := escape(literal[i:])
		i, text = i+raw, text+n
	}
	return i
}

// escape returns how many bytes the first character of b takes in a literal, and how many in the decoded text.
func escape(b []byte) (raw, decoded int) {
	switch {
	case b[0] != '\\' || len(b) < 2:
		_, n := utf8.DecodeRune(b)
		return n, n
	case b[1] != 'u' || len(b) < 6:
		return 2, 1
	}
	r, ok := hex4(b[2:6])
	switch {
	case !ok:
		return 6, 3
	case r >= 0xd800 && r < 0xdc00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u':
		if low, ok := hex4(b[8:12]); ok && low >= 0xdc00 && low < 0xe000 {
			return 12, 4 // a surrogate pair is one character of four bytes
		}
		return 6, 3 // a lone surrogate becomes U+FFFD
	case r >= 0xd800 && r < 0xe000:
		return 6, 3
	}
	return 6, utf8.RuneLen(r)
}

func hex4(b []byte) (rune, bool) {
	n, err := strconv.ParseUint(string(b), 16, 32)
	return rune(n), err == nil
}
