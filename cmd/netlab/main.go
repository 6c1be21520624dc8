// Command netlab plays a distributed system that a file describes, in virtual time, and writes down every packet.
//
//	netlab run topology.json
//
// Each subcommand is in a file of its own. None has logic of its own: they read the command line, call package netlab and
// present what comes back. "netlab help" is the manual.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

func main() { os.Exit(execute()) }

// execute runs the command line and returns the exit code.
func execute() (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "netlab: internal error: %v\n%s", p, debug.Stack())
			code = exitInternal
		}
	}()
	err := newRoot().Execute()
	complain(os.Stderr, err)
	return codeOf(err)
}
