package main

import "strings"

// table is text in columns. Where it is wider than there is room for, columns that can be done without are left out, and texts in
// others are cut.
type table struct {
	columns []column
	rows    [][]string
}

// column is one of a table's.
type column struct {
	title string
	right bool // aligned
	// cut says that its texts may be cut, so that the rest has room.
	cut bool
	// spare columns are left out where there is no room: those with the highest number first. 0 is never left out.
	spare int
}

// minCut is how many columns of a terminal remain of a text that is cut while others can be left out instead.
const minCut = 26

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print prints the table after an indentation, in lines of at most so many columns as far as that can be.
func (t *table) print(p *page, indent string, columns int) {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = width(c.title)
		for _, r := range t.rows {
			widths[i] = max(widths[i], width(r[i]))
		}
	}
	shown := t.fit(widths, columns-width(indent))
	line := func(cells func(i int) string) string {
		var b strings.Builder
		b.WriteString(indent)
		for n, i := range shown {
			if n > 0 {
				b.WriteString("  ")
			}
			text := shorten(cells(i), widths[i])
			if t.columns[i].right {
				b.WriteString(strings.Repeat(" ", widths[i]-width(text)) + text)
			} else {
				b.WriteString(pad(text, widths[i]))
			}
		}
		return strings.TrimRight(b.String(), " ")
	}
	if titles := line(func(i int) string { return t.columns[i].title }); strings.TrimSpace(titles) != "" {
		p.linef("%s", p.bold(titles))
	}
	for _, r := range t.rows {
		p.linef("%s", line(func(i int) string { return r[i] }))
	}
}

// fit returns the columns that are shown and changes the widths of those that are cut.
func (t *table) fit(widths []int, room int) (shown []int) {
	for i := range t.columns {
		shown = append(shown, i)
	}
	needed := func(least int) (n int) {
		for _, i := range shown {
			w := widths[i]
			if t.columns[i].cut {
				w = min(w, least)
			}
			n += w + 2
		}
		return n - 2
	}
	for needed(minCut) > room {
		leave := -1
		for n, i := range shown {
			if s := t.columns[i].spare; s > 0 && (leave < 0 || s > t.columns[shown[leave]].spare) {
				leave = n
			}
		}
		if leave < 0 {
			break
		}
		shown = append(shown[:leave], shown[leave+1:]...)
	}
	for over := needed(1<<30) - room; over > 0; over-- {
		longest := -1
		for _, i := range shown {
			if t.columns[i].cut && widths[i] > 4 && (longest < 0 || widths[i] > widths[longest]) {
				longest = i
			}
		}
		if longest < 0 {
			break
		}
		widths[longest]--
	}
	return shown
}

// shorten cuts a text to so many columns.
func shorten(text string, n int) string {
	if width(text) <= n {
		return text
	}
	return string([]rune(text)[:max(0, n-1)]) + "…"
}
