//go:build !race

package netlab_test

const raceDetector = false
