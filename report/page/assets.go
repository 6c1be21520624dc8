package page

import (
	"embed"
	"html/template"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/tsenart/vegeta/v12/lib/plot"
)

//go:embed assets
var assets embed.FS

// uPlot draws the charts (Leon Sorokin, MIT licence).
const (
	uPlotScript = "uPlot.min.js"
	uPlotStyle  = "uPlot.min.css"
)

// first and last are the scripts before and after all others, which go in the order of their names.
const first, last = "boot.js", "page.js"

// style is all of the page's style sheets.
func style() (template.CSS, error) {
	text, err := joined(uPlotStyle, ".css")
	return template.CSS(text), err
}

// script is all of the page's scripts.
func script() (template.JS, error) {
	text, err := joined(uPlotScript, ".js")
	return template.JS(text), err
}

// joined returns a library's file with all files of a kind after it.
func joined(library, extension string) (string, error) {
	f, err := plot.Assets.Open(library)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	entries, err := assets.ReadDir("assets")
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if name := e.Name(); path.Ext(name) == extension && name != first && name != last {
			names = append(names, name)
		}
	}
	if extension == ".js" {
		names = slices.Concat([]string{first}, names, []string{last})
	}
	parts := []string{strings.TrimSpace(string(text))}
	for _, name := range names {
		part, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return "", err
		}
		parts = append(parts, strings.TrimSpace(string(part)))
	}
	return strings.Join(parts, "\n"), nil
}
