package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// The colours that a page uses.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

// page is text that is put together before it is printed.
type page struct {
	text   bytes.Buffer
	colour bool
}

// newPage starts a page that is printed to w.
func newPage(w io.Writer) *page { return &page{colour: coloured(w)} }

func (p *page) print(w io.Writer) error {
	_, err := w.Write(p.text.Bytes())
	return err
}

func (p *page) linef(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

func (p *page) heading(text string) { p.linef("\n%s", p.bold(text)) }

func (p *page) bold(text string) string { return p.paint("1", text) }

func (p *page) paint(code, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap prints words in lines of at most so many columns, each after the indentation.
func (p *page) wrap(indent string, words []string, between string) {
	line := ""
	for _, word := range words {
		switch {
		case line == "":
			line = indent + word
		case width(line)+width(between)+width(word) > columns:
			p.linef("%s", strings.TrimRight(line+between, " "))
			line = indent + word
		default:
			line += between + word
		}
	}
	if line != "" {
		p.linef("%s", line)
	}
}
