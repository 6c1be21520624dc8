package topology

import (
	"fmt"
	"slices"
	"strings"
)

// maxPrinted is how many errors [Errors.Error] prints.
const maxPrinted = 20

// Error is a mistake in a file.
type Error struct {
	// File is the name that [Load] was given; empty for a topology that was filled by hand.
	File string
	// Line and Column count from 1, columns in characters. They are 0 where there is no file.
	Line, Column int
	// Path says what is wrong, such as nodes.web[1..3].services.shop.service_time; empty for mistakes in the syntax.
	Path string
	// Message says what was found and what was wanted.
	Message string
}

// Error returns "file:line:column: path: message", without the parts that are empty.
func (e *Error) Error() string {
	var parts []string
	switch {
	case e.Line > 0:
		parts = append(parts, fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column))
	case e.File != "":
		parts = append(parts, e.File)
	}
	if e.Path != "" {
		parts = append(parts, e.Path)
	}
	return strings.Join(append(parts, e.Message), ": ")
}

// Errors are all the mistakes of a file, in the order in which they stand there.
type Errors []Error

// Error returns the first 20 errors, one a line, and how many more there are.
func (e Errors) Error() string {
	lines := make([]string, 0, maxPrinted+1)
	for i := range e {
		if i == maxPrinted {
			lines = append(lines, fmt.Sprintf("and %d more", len(e)-maxPrinted))
			break
		}
		lines = append(lines, e[i].Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find the single errors.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i := range e {
		out[i] = &e[i]
	}
	return out
}

// problems collects mistakes while a file is read.
type problems struct {
	src  *source
	list []Error
	// tainted holds the entries (a node, a link …) in which something could not be decoded.
	tainted map[*value]bool
}

// addf notes a mistake at a place.
func (p *problems) addf(at place, format string, args ...any) {
	p.addAt(at, at.offset(), fmt.Sprintf(format, args...))
}

// taintf notes a mistake at a place and that its entry can't be checked any further.
func (p *problems) taintf(at place, format string, args ...any) {
	p.addf(at, format, args...)
	if at.entry != nil {
		p.tainted[at.entry] = true
	}
}

// addAt notes a mistake at a place whose position is known better than from the place alone.
func (p *problems) addAt(at place, offset int, message string) {
	if at.v != nil && at.v.set != "" {
		message += fmt.Sprintf(" (set by %s)", quote(at.v.set))
	}
	e := Error{Path: at.path(), Message: message}
	if p.src != nil && offset >= 0 {
		e.File = p.src.name
		e.Line, e.Column = p.src.position(offset)
	}
	p.list = append(p.list, e)
}

// err returns the collected mistakes, sorted by position and without duplicates, or nil.
func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return sorted(p.list)
}

// sorted returns the errors by position, equal ones once. Errors without a position keep their order.
func sorted(list []Error) Errors {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Error) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	seen := map[Error]bool{}
	return slices.DeleteFunc(list, func(e Error) bool {
		was := seen[e]
		seen[e] = true
		return was
	})
}
