package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// console is standard error during a run. It has a line at the bottom that is rewritten, where that is possible, and takes
// logs from inside the lab without calling the operating system there: whoever reports progress writes them.
type console struct {
	out      io.Writer
	terminal bool
	width    int

	mu   sync.Mutex
	logs []byte // what waits to be written

	writing sync.Mutex
	line    string // what stands on the terminal's last line
}

func newConsole(out io.Writer) *console {
	f, ok := out.(*os.File)
	return &console{out: out, terminal: ok && isTerminal(f), width: terminalWidth(out, columns)}
}

// Write takes logs. It never waits for the terminal.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logs = append(c.logs, p...)
	return len(p), nil
}

// show writes the logs that wait, and the line below them. On anything but a terminal only the logs.
func (c *console) show(line string) { c.print("", line) }

// say writes a line that stays.
func (c *console) say(text string) { c.print(text+"\n", "") }

// finish writes the logs that wait and removes the line.
func (c *console) finish() { c.print("", "") }

func (c *console) print(text, line string) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	logs := c.logs
	c.logs = nil
	c.mu.Unlock()
	if !c.terminal {
		line = ""
	}
	if runes := []rune(line); len(runes) >= c.width {
		line = string(runes[:c.width-1])
	}
	if len(logs) == 0 && text == "" && line == c.line {
		return
	}
	var b bytes.Buffer
	if c.line != "" {
		b.WriteString("\r\x1b[K")
	}
	b.Write(logs)
	b.WriteString(text)
	b.WriteString(line)
	c.line = line
	fmt.Fprint(c.out, b.String())
}
