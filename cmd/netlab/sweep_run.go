package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"netlab/report/sweep"
	"netlab/topology"
)

// shownFailing is how many runs that don't hold the summary of a sweep names.
const shownFailing = 20

// runSweep plays what isn't finished of a matrix, several runs at a time, and tells what all of them have found.
func runSweep(c *cobra.Command, f *runFlags, m *matrix, screen *console, stop *signals) error {
	j := sweep.MemoryJournal()
	if m.dir != "" {
		var err error
		if j, err = sweep.OpenJournal(m.dir, m.of, f.fresh); err != nil {
			return err
		}
	}
	s := &sweeper{c: c, f: f, m: m, journal: j, screen: screen, stop: stop, due: firstLine, began: time.Now()}
	err := s.play()
	screen.finish()
	if err == nil && m.dir != "" {
		err = j.Sort(m.dir, m.of, &m.plan)
	}
	if err = errors.Join(err, j.Close()); err != nil {
		return err
	}
	summary := sweep.Summarize(&m.plan, j)
	if m.dir != "" {
		if summary, err = sweep.WriteFiles(m.dir, &m.plan, j, !f.noReport); err != nil {
			return err
		}
	}
	switch {
	case f.json:
		err = summary.WriteJSON(c.OutOrStdout())
	case !f.quiet:
		if err = summary.Print(c.OutOrStdout(), shownFailing); err == nil && m.dir != "" {
			_, err = fmt.Fprintf(c.OutOrStdout(), "\ntable   %s\n", shellWord(m.file(sweep.TableFile)))
			if err == nil && !f.noReport {
				_, err = fmt.Fprintf(c.OutOrStdout(), "open    %s\n", shellWord(m.file(sweep.PageFile)))
			}
		}
	}
	if err != nil {
		return err
	}
	var codes []int
	for n := range m.plan.Len() {
		if r := j.Get(m.plan.At(n)); r != nil {
			codes = append(codes, r.Code)
		} else {
			codes = append(codes, s.missing)
		}
	}
	if summary.Runs < summary.Asked && stop.ended() && m.dir != "" {
		screen.say(fmt.Sprintf("netlab: %d of %d runs are finished and kept: the same command goes on", summary.Runs, summary.Asked))
	}
	if code := worst(codes); code != exitHolds {
		return &exitError{code: code}
	}
	return nil
}

// sweeper plays the runs of a matrix.
type sweeper struct {
	c      *cobra.Command
	f      *runFlags
	m      *matrix
	screen *console
	stop   *signals
	began  time.Time

	mu      sync.Mutex
	journal *sweep.Journal
	next    int
	done    int
	before  int // how many were finished before
	failing int
	missing int // exit code of those that left nothing
	due     time.Duration
	err     error
}

// play plays the runs that aren't finished.
func (s *sweeper) play() error {
	for n := range s.m.plan.Len() {
		if r := s.journal.Get(s.m.plan.At(n)); r != nil {
			s.before++
			if r.Code != 0 {
				s.failing++
			}
		}
	}
	s.done = s.before
	s.missing = exitInconclusive
	if s.before > 0 && !s.f.quiet {
		s.screen.say(fmt.Sprintf("netlab: %d of %d runs were finished before", s.before, s.m.plan.Len()))
	}
	var all sync.WaitGroup
	for range min(s.f.processes, s.m.plan.Len()) {
		all.Go(func() {
			for n := s.take(); n >= 0; n = s.take() {
				s.one(n)
			}
		})
	}
	all.Wait()
	return s.err
}

// take returns the number of the next run that isn't finished, or -1 if there is none or nothing more is to begin.
func (s *sweeper) take() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; s.next < s.m.plan.Len(); s.next++ {
		if s.err != nil || s.stop.ended() {
			return -1
		}
		if s.journal.Get(s.m.plan.At(s.next)) == nil {
			s.next++
			return s.next - 1
		}
	}
	return -1
}

// one plays a run in a process of its own.
func (s *sweeper) one(n int) {
	point, seed := s.m.plan.At(n)
	flags := *s.f
	flags.seed, flags.noFiles, flags.quiet, flags.output = &seed, true, true, ""
	for _, text := range point.Set {
		path, v, _ := strings.Cut(text, "=")
		flags.settings = append(slices.Clip(flags.settings), topology.Setting{Path: path, Value: v})
	}
	o, code, err := runChild(s.c, &flags, job{in: s.m.in, lab: s.m.labs[n/len(s.m.plan.Seeds)]}, s.stop)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.screen.say(fmt.Sprintf("netlab: %s: %v", s.f.replay(s.m.in.name, point, seed), err))
	}
	if s.stop.ended() {
		return // what holds or fails so far need not at the end
	}
	if o == nil {
		s.missing = max(s.missing, code)
		s.screen.say("netlab: no results of " + s.f.replay(s.m.in.name, point, seed))
		return
	}
	r, err := sweep.NewRun(point, seed, code, o.Results)
	if err == nil {
		err = s.journal.Add(r)
	}
	if err != nil {
		s.err = errors.Join(s.err, err)
		return
	}
	s.done++
	if code != exitHolds {
		s.failing++
	}
	s.report()
}

// report shows how far the sweep is.
func (s *sweeper) report() {
	if s.f.quiet {
		return
	}
	passed := time.Since(s.began)
	line := fmt.Sprintf("%s: %d of %d runs", s.m.plan.Name, s.done, s.m.plan.Len())
	if s.failing > 0 {
		line += fmt.Sprintf(", %d not holding", s.failing)
	}
	if fresh := s.done - s.before; fresh > 0 && s.done < s.m.plan.Len() {
		left := passed / time.Duration(fresh) * time.Duration(s.m.plan.Len()-s.done)
		line += fmt.Sprintf(", about %s left", left.Round(time.Second))
	}
	switch {
	case s.screen.terminal:
		s.screen.show(line)
	case passed >= s.due:
		s.due = passed + otherLines
		s.screen.say(line)
	}
}
