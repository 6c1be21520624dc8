//go:build race

package store_test

// raceEnabled says that the race detector is on, which runs goroutines that are ready at the same time in random order.
const raceEnabled = true
