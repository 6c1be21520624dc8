//go:build race

package netlab_test

// raceDetector says that the test runs under the race detector, which makes Go's scheduler choose at random.
const raceDetector = true
