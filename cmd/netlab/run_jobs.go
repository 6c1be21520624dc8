package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"netlab"
)

// outputRoot is the folder in which runs are written by default.
const outputRoot = "netlab-out"

// job is one lab to run.
type job struct {
	in  input
	lab *netlab.Lab
	dir string // "" writes nothing
	// base is dir without the folder of the variant.
	base string
}

// title names the job in tables and errors.
func (j job) title() string {
	if v := j.lab.Variant(); v != "" {
		return v
	}
	return j.lab.Name()
}

// jobsOf reads the labs of all inputs. Nothing starts unless all of them are right.
func jobsOf(c *cobra.Command, f *runFlags, inputs []input) ([]job, error) {
	var jobs []job
	var failed error
	for _, in := range inputs {
		labs, err := parseJob(c, f, in, f.settings)
		if err != nil {
			failed = err
			continue
		}
		for _, l := range labs {
			j := job{in: in, lab: l}
			if !f.noFiles {
				j.base = folder(f, l, len(inputs) > 1)
				j.dir = filepath.Join(j.base, l.Variant())
			}
			jobs = append(jobs, j)
		}
	}
	if failed != nil {
		return nil, failed
	}
	return jobs, apart(jobs)
}

// folder returns where a lab is written, without the folder of its variant.
func folder(f *runFlags, l *netlab.Lab, several bool) string {
	switch {
	case f.output == "":
		return filepath.Join(outputRoot, l.Name())
	case several:
		return filepath.Join(f.output, l.Name())
	}
	return f.output
}

// apart refuses two jobs that would write into the same folder.
func apart(jobs []job) error {
	first := map[string]string{}
	for _, j := range jobs {
		if j.dir == "" {
			continue
		}
		if other, taken := first[j.dir]; taken {
			return fmt.Errorf("%s and %s would both be written into %s: give them different names", other, j.in.name, j.dir)
		}
		first[j.dir] = j.in.name
	}
	return nil
}

// play runs a lab in this process and says how long it took on the machine's clock. shown, if not nil, shows it meanwhile.
func play(f *runFlags, j job, screen *console, shown *watch, stop *signals) (*netlab.Results, time.Duration, error) {
	options := &netlab.RunOptions{Dir: j.dir, RealTime: f.realTime, Speed: f.speed, Log: f.logger(screen), Forward: f.forward}
	options.Forwarding = announce(screen, j.dir)
	if shown != nil {
		options.Watch, options.WatchEvery = shown.show, shown.every
	}
	progress := newProgress(screen, j.title(), j.lab.Topology().Duration.Std(), f.quiet || shown != nil)
	options.Progress = progress.report
	began := time.Now()
	results, err := j.lab.Run(stop.ctx, options, nil)
	took := time.Since(began)
	screen.finish()
	return results, took, err
}

// announce returns what tells of the ports that are forwarded, and of the lab's authority in the run's folder.
func announce(screen *console, dir string) func(netlab.Forward) {
	told := dir == ""
	return func(f netlab.Forward) {
		if !told {
			told = true
			screen.say("netlab: " + filepath.Join(dir, netlab.AuthorityFile) + " is the lab's certificate authority")
		}
		kind := ""
		if f.Network == "udp" {
			kind = "UDP "
		}
		screen.say(fmt.Sprintf("netlab: forwarding %s%s → %s from %s", kind, f.Listen, f.To, f.From))
	}
}

// logger returns where a lab logs, nil if nobody wants to read it.
func (f *runFlags) logger(screen *console) *slog.Logger {
	if f.verbose == 0 {
		return nil
	}
	level := slog.LevelInfo
	if f.verbose > 1 {
		level = slog.LevelDebug
	}
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{} // records carry virtual time
		}
		return a
	}
	return slog.New(slog.NewTextHandler(screen, &slog.HandlerOptions{Level: level, ReplaceAttr: drop}))
}
