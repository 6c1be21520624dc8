package netlab

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"netlab/netem"
	"netlab/report"
)

// eventLog is events.jsonl. Lines are kept in memory until the engine's loop has time to write them. A nil log drops them.
type eventLog struct {
	mu      sync.Mutex
	file    *os.File
	pending []byte
	closed  bool
}

func (l *eventLog) add(line report.Event) {
	data, err := json.Marshal(line)
	if err != nil {
		panic("netlab: an event can't be written: " + err.Error())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.pending = append(append(l.pending, data...), '\n')
	}
}

// flush writes what waits, if there is at least that much.
func (l *eventLog) flush(least int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) < max(least, 1) {
		return nil
	}
	_, err := l.file.Write(l.pending)
	l.pending = l.pending[:0]
	return err
}

// freeze lets no more events in.
func (l *eventLog) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// event writes an event down.
func (r *Run) event(ev netem.Event, workload string) {
	if r.events == nil && r.watcher == nil {
		return
	}
	line := report.Event{
		TimeNS: int64(ev.At), Step: r.engine.Step(), Kind: ev.Kind, Node: ev.Node, Link: ev.Link, Workload: workload,
		Dir: ev.Dir, Frame: ev.Frame, Reason: ev.Reason, Detail: ev.Detail,
	}
	r.watcher.add(line)
	if r.events != nil {
		r.events.add(line)
	}
}

// logHandler adds virtual time and step to what services log, and writes it to events.jsonl too.
type logHandler struct {
	slog.Handler
	run    *Run
	engine *netem.Engine
	attrs  []slog.Attr
}

func newLogHandler(next slog.Handler, r *Run, e *netem.Engine) slog.Handler {
	return &logHandler{Handler: next, run: r, engine: e}
}

// Handle implements slog.Handler.
func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	at := h.engine.Elapsed()
	h.event(at, record)
	if !h.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	// The bubble's clock says nothing to a reader: the record carries virtual time instead.
	out := slog.NewRecord(time.Time{}, record.Level, record.Message, record.PC)
	out.AddAttrs(slog.Duration("t", at), slog.Uint64("step", h.engine.Step()))
	out.AddAttrs(h.attrs...)
	record.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(a)
		return true
	})
	return h.Handler.Handle(ctx, out)
}

func (h *logHandler) event(at time.Duration, record slog.Record) {
	ev := netem.Event{At: at, Kind: "log", Reason: strings.ToLower(record.Level.String()), Detail: record.Message}
	workload := ""
	add := func(a slog.Attr) bool {
		switch a.Key {
		case "host":
			ev.Node = a.Value.String()
		case "workload":
			workload = a.Value.String()
		default:
			ev.Detail += " " + a.String()
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	record.Attrs(add)
	h.run.event(ev, workload)
}

// Enabled implements slog.Handler: events.jsonl, and who watches the run, take what is at least informational,
// whatever the next handler does.
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return (h.run.events != nil || h.run.watcher != nil) && level >= slog.LevelInfo || h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{h.Handler, h.run, h.engine, append(h.attrs[:len(h.attrs):len(h.attrs)], attrs...)}
}

// WithGroup implements slog.Handler; groups are left out.
func (h *logHandler) WithGroup(string) slog.Handler { return h }
