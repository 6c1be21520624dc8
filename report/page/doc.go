// Package page makes report.html of a run's folder: one file that a browser opens from disk, with all that it needs inside. It asks no
// host for anything, which its Content-Security-Policy makes sure of, and the same folder gives the same file, byte for byte.
//
// What can be said in words, tables and drawings is HTML and SVG when the file is written, and is readable without scripts. Scripts
// draw what a person moves in: charts, the ladder of packets and the plots of TCP streams, from the data that is embedded as JSON.
//
// A page has a budget of bytes. What doesn't fit is thinned or left out, and the page says so.
package page
