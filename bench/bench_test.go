//go:build unix

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// scenarios are the files of this folder that are timed.
var scenarios = []string{"a", "b", "c", "d100", "d1000", "d10000", "e"}

// BenchmarkProcess runs each scenario in a process of its own, without writing files. It reports
//
//   - ns/op, the wall clock's time, and cpu-ns/op, that of the processors;
//   - packets/s, frames that hosts and routers put on the wire for each second of processor time;
//   - peak-MB, the most memory that the process had (resident set, 10⁶ bytes);
//   - x-real-time, how many seconds of the lab pass in one of the wall clock.
func BenchmarkProcess(b *testing.B) {
	binary := build(b)
	for _, name := range scenarios {
		b.Run(name, func(b *testing.B) { play(b, binary, name) })
	}
}

// BenchmarkStart runs the smallest lab there is: what a process costs before anything happens.
func BenchmarkStart(b *testing.B) {
	binary := build(b)
	file := filepath.Join(b.TempDir(), "empty.json")
	if err := os.WriteFile(file, []byte(`{"nodes": {"a": {}}}`), 0o666); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if out, err := exec.Command(binary, "run", "--no-files", "--quiet", file).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

// build makes the program as a user would.
func build(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "netlab")
	if out, err := exec.Command("go", "build", "-o", binary, "netlab/cmd/netlab").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return binary
}

// outcome is what of a run's results is needed here.
type outcome struct {
	Duration time.Duration `json:"duration_ns"`
	Frames   uint64        `json:"frames"`
}

// once runs a scenario to see what happens in it. Its expectations have to hold. The results, which may be large, are not kept: the
// memory of this process would count as that of those that it starts.
func once(binary, file string) (*outcome, error) {
	cmd := exec.Command(binary, "run", "--no-files", "--json", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &outcome{}
	in := json.NewDecoder(out)
	for _, want := range []json.Token{json.Delim('{'), "run"} {
		if got, err := in.Token(); err != nil || got != want {
			return nil, fmt.Errorf("the results begin with %v, not %v: %w", got, want, err)
		}
	}
	if err := in.Decode(o); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		return nil, err
	}
	return o, cmd.Wait()
}

func play(b *testing.B, binary, name string) {
	file := name + ".json"
	o, err := once(binary, file)
	if err != nil {
		b.Fatalf("%s: %v", file, err)
	}
	var wall, cpu time.Duration
	peak := int64(0)
	for b.Loop() {
		cmd := exec.Command(binary, "run", "--no-files", "--quiet", file)
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s: %v", file, err)
		}
		wall += time.Since(began)
		state := cmd.ProcessState
		cpu += state.UserTime() + state.SystemTime()
		if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
			peak = max(peak, usage.Maxrss)
		}
	}
	if runtime.GOOS == "linux" {
		peak *= 1024 // there it counts KiB
	}
	runs := float64(b.N)
	b.ReportMetric(float64(cpu.Nanoseconds())/runs, "cpu-ns/op")
	b.ReportMetric(float64(o.Frames)*runs/cpu.Seconds(), "packets/s")
	b.ReportMetric(float64(peak)/1e6, "peak-MB")
	b.ReportMetric(o.Duration.Seconds()*runs/wall.Seconds(), "x-real-time")
}

// BenchmarkSeeds plays 100 seeds of scenario b with one process at a time and with two.
func BenchmarkSeeds(b *testing.B) {
	binary := build(b)
	for _, processes := range []string{"1", "2"} {
		b.Run("processes="+processes, func(b *testing.B) {
			const seeds = 100
			for b.Loop() {
				out, err := exec.Command(binary, "run", "--no-files", "--quiet", "--runs", fmt.Sprint(seeds), "--processes", processes, "b.json").CombinedOutput()
				if err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
			b.ReportMetric(float64(seeds*b.N)/b.Elapsed().Seconds(), "runs/s")
		})
	}
}
