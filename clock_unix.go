//go:build unix

package netlab

import (
	"syscall"
	"time"
)

// machineClock reads the machine's clock. In a bubble time.Now is virtual.
func machineClock() time.Duration {
	var t syscall.Timeval
	if err := syscall.Gettimeofday(&t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
