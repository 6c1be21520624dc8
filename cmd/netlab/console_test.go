package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"netlab"
)

func TestConsoleRewritesItsLine(t *testing.T) {
	var out bytes.Buffer
	c := &console{out: &out, terminal: true, width: 10}
	c.show("one")
	c.show("one") // nothing new, nothing written
	_, _ = fmt.Fprintln(c, "log")
	require.Equal(t, "one", out.String(), "a log waits for whoever reports progress")
	c.show("two")
	c.say("note")
	c.show("a line that is too long")
	c.finish()
	c.finish()
	require.Equal(t, "one\r\x1b[Klog\ntwo\r\x1b[Knote\na line th\r\x1b[K", out.String())
}

func TestConsoleElsewhereHasNoLine(t *testing.T) {
	var out bytes.Buffer
	c := newConsole(&out)
	c.show("one")
	_, _ = fmt.Fprintln(c, "log")
	c.show("two")
	c.finish()
	require.Equal(t, "log\n", out.String())
}

func TestProgress(t *testing.T) {
	at := func(real time.Duration) netlab.Progress {
		return netlab.Progress{Real: real, Virtual: 20 * real, Events: uint64(real.Seconds() * 3000), Frames: 43120}
	}
	run := func(terminal, quiet bool, total time.Duration) string {
		var out bytes.Buffer
		p := newProgress(&console{out: &out, terminal: terminal, width: 80}, "lab", total, quiet)
		for i := range 150 { // 15 s, ten times a second
			p.report(at(time.Duration(i) * 100 * time.Millisecond))
		}
		p.screen.finish()
		return out.String()
	}
	require.Equal(t, "lab: 20s, 20×, 3,000 events/s, 43,120 frames\nlab: 3m40s, 20×, 3,000 events/s, 43,120 frames\n",
		run(false, false, 0))
	require.Contains(t, run(true, false, 10*time.Minute), "\r\x1b[Klab: 4m20s of 10m, 20×, 3,000 events/s, 43,120 frames")
	require.NotContains(t, run(true, false, 0), "\n")
	require.Empty(t, run(true, true, 0))
	require.Empty(t, run(false, true, 0))
}

func TestLogs(t *testing.T) {
	for verbose, want := range map[int]string{
		0: "",
		1: "level=INFO msg=hello host=a\n",
		2: "level=DEBUG msg=details\nlevel=INFO msg=hello host=a\n",
	} {
		var out bytes.Buffer
		c := newConsole(&out)
		if log := (&runFlags{verbose: verbose}).logger(c); log != nil {
			log.Debug("details")
			log.Info("hello", "host", "a")
		}
		c.finish()
		require.Equal(t, want, out.String())
	}
}

// slow is a terminal that takes nothing until it is told to.
type slow struct{ open chan struct{} }

func (s slow) Write(p []byte) (int, error) {
	<-s.open
	return len(p), errors.New("broken")
}

// TestLogsDontWaitForTheTerminal because they are written inside the lab, where waiting would hold virtual time.
func TestLogsDontWaitForTheTerminal(t *testing.T) {
	s := slow{make(chan struct{})}
	c := newConsole(s)
	done := make(chan struct{})
	go func() {
		c.say("stuck")
		close(done)
	}()
	for range 1000 {
		_, err := fmt.Fprintln(c, "log")
		require.NoError(t, err)
	}
	close(s.open)
	<-done
}
