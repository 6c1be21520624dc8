package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"netlab"
	"netlab/topology/expect"
)

// patience is how long a run that is not needed any more has to end by itself.
const patience = 5 * time.Second

// playChild plays a lab in a process of its own, without writing files, and returns what became of its expectations. The file that it
// comes from is named for errors, and because paths in the lab are relative to it.
func playChild(ctx context.Context, file string, lab *netlab.Lab) ([]expect.Outcome, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "run", "--report-for", file, "--no-files", "--quiet", "-")
	cmd.WaitDelay = patience
	cmd.Args[0] = os.Args[0]
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(lab.Topology().JSON()), &stdout, &stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		return nil, err
	}
	var o outcome
	code := cmd.ProcessState.ExitCode()
	if code < 0 || code == exitUsage || code == exitInternal || json.Unmarshal(stdout.Bytes(), &o) != nil {
		return nil, fmt.Errorf("its process ended with %s: %s", cmd.ProcessState, strings.TrimSpace(stderr.String()))
	}
	return o.Summary.Expect, nil
}
