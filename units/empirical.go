package units

import "fmt"

// Empirical returns file(path) with its data; t may be nil for data that
// WithTable brings later. It panics unless the path is one that text can hold:
// relative, with "/" between folders, without ".." (fs.ValidPath), and without
// quotes, backslashes and control characters.
func Empirical(path string, t *Table) Distribution {
	if err := checkPath(path); err != nil {
		panic("units: Empirical: " + err.Error())
	}
	return Distribution{kind: empirical, path: path, table: t}
}

// File returns the path of the file that holds the values of an empirical
// distribution, or "" for any other.
func (d Distribution) File() string { return d.path }

// Table returns the data of an empirical distribution: nil until WithTable, and
// for any other distribution.
func (d Distribution) Table() *Table { return d.table }

// WithTable returns d with the data of its file. It panics if d has no file.
func (d Distribution) WithTable(t *Table) Distribution {
	if d.kind != empirical {
		panic(fmt.Sprintf("units: WithTable on %v: want a distribution with a file", d))
	}
	d.table = t
	return d
}

// data returns the table of an empirical distribution. It panics without one.
func (d Distribution) data() *Table {
	if d.table == nil {
		panic(fmt.Sprintf("units: %v has no data: want WithTable before its values are asked for", d))
	}
	return d.table
}
