//go:build !linux

package netlab

// avoidPreemption does nothing: only Linux lets a process say which of its threads may wait.
func avoidPreemption() (restore func()) { return func() {} }
