package units

import "strings"

// suggestLimit is the longest name that Suggest looks at, in runes.
const suggestLimit = 256

// Suggest returns the name in known that found is most probably a misspelling
// of, or "" when none is near. Near is at most two edits away, or at most a
// third of found's length if that is more, with at least one letter left
// unchanged. An edit inserts, deletes or replaces a letter or swaps two
// neighbours (the optimal string alignment distance; Damerau 1964, "A technique
// for computer detection and correction of spelling errors"); upper and lower
// case count as equal. Of equally near names it takes the one with the fewest
// differences in case, and of those the first in alphabetical order, so that
// the order of known does not matter.
func Suggest(found string, known []string) string {
	exact := []rune(found)
	if len(exact) == 0 || len(exact) > suggestLimit {
		return ""
	}
	folded := []rune(strings.ToLower(found))
	limit := max(2, len(folded)/3)
	best, bestFolded, bestExact := "", limit+1, 0
	for _, name := range known {
		candidate := []rune(strings.ToLower(name))
		longer := max(len(folded), len(candidate))
		if longer-min(len(folded), len(candidate)) > limit {
			continue
		}
		distance := editDistance(folded, candidate)
		if distance > bestFolded || distance > limit || distance >= longer {
			continue
		}
		exactDistance := editDistance(exact, []rune(name))
		if distance < bestFolded || exactDistance < bestExact || exactDistance == bestExact && name < best {
			best, bestFolded, bestExact = name, distance, exactDistance
		}
	}
	return best
}

// suggestUnit is Suggest for units. These are so short that the unit of another
// type would often be near ("ms" is one edit from "MB", "min" from "MiB"), so in
// names of up to three letters it does not take one letter for another.
func suggestUnit(name string, known []string) string {
	guess := Suggest(name, known)
	if len(name) <= 3 && len(name) <= len(guess) && !strings.EqualFold(name, guess) {
		return ""
	}
	return guess
}

// editDistance is the optimal string alignment distance of a and b.
func editDistance(a, b []rune) int {
	// Three rows of the usual table: the one before the last, the last, this one.
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
