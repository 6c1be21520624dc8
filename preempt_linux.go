package netlab

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// avoidPreemption keeps Go's scheduler from interrupting goroutines of a lab on an overloaded machine.
//
// The runtime has a monitor thread that interrupts a goroutine after 10 ms, so that others get their turn. When the machine
// is overloaded those 10 ms pass while the goroutine isn't even running, and then others go first although it had only
// begun: the order in which goroutines use what they share, such as the streams of one HTTP/2 connection, would depend on
// the machine's load. The monitor thread is therefore given the lowest priority while a lab runs: it has its turn when a
// processor is idle, and then nothing is overloaded. Nothing in the runtime needs it to be punctual.
//
// Where that can't be done (no /proc, no permission) it is left out, and runs on overloaded machines may differ.
func avoidPreemption() (restore func()) {
	tid, ok := monitorThread()
	if !ok {
		return func() {}
	}
	old, err := unix.SchedGetAttr(tid, 0)
	if err != nil || unix.SchedSetAttr(tid, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) != nil {
		return func() {}
	}
	return func() {
		// Without privileges the kernel refuses this; the thread then stays as it is, which harms nobody.
		_ = unix.SchedSetAttr(tid, old, 0)
	}
}

// monitorThread finds the runtime's monitor thread: the only one that sleeps for a time, where the others wait for work.
func monitorThread() (tid int, ok bool) {
	for range 20 {
		var sleepers []int
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return 0, false
		}
		for _, e := range entries {
			where, err := os.ReadFile("/proc/self/task/" + e.Name() + "/wchan")
			if n, bad := strconv.Atoi(e.Name()); err == nil && bad == nil && strings.Contains(string(where), "nanosleep") {
				sleepers = append(sleepers, n)
			}
		}
		if len(sleepers) == 1 {
			return sleepers[0], true
		}
		// It was just awake, or has dozed off because the process was idle.
		for start := time.Now(); time.Since(start) < 200*time.Microsecond; {
		}
	}
	return 0, false
}
