// Package compare sets runs side by side: what differs between their topologies, their figures with differences and ratios against the
// first run, and what became of their expectations. [Runs] makes a [Comparison] of folders; it prints itself, is JSON, and pages
// are drawn from it.
package compare
