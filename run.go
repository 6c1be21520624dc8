package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"netlab/ip"
	"netlab/netem"
	"netlab/services"
	"netlab/services/slo"
	"netlab/tls"
)

// How a run ended (Results.Run.Ended).
const (
	EndedDone        = "done"        // all workloads and the function given to Run are done
	EndedDuration    = "duration"    // the topology's duration was over
	EndedInterrupted = "interrupted" // the context given to Run ended
)

// drainLimit is how long a run that is done waits for the frames that are still on their way.
const drainLimit = 2 * time.Second

// teardownLimit is how long goroutines may take to end after the run, on the lab's clock.
const teardownLimit = time.Hour

var errEnded = errors.New("the run is over")

// Run is a lab while it runs. Its methods may be called by the function given to [Lab.Run] and the goroutines that it starts.
type Run struct {
	*world
	log     *slog.Logger
	events  *eventLog
	watcher *watcher // nil if nobody watches
	options *RunOptions

	ctx    context.Context // ends with the run
	cancel context.CancelCauseFunc
	owner  netem.Owner

	forwards  []*forward
	authority *tls.Authority
	keyLog    io.Writer
	parties   atomic.Uint64       // TLS configurations made for Go programs
	hostNames map[string][]string // by host
	locations map[string]services.Location

	mu       sync.Mutex
	failures []error
	jobs     []*job

	services  sync.WaitGroup // goroutines of services
	workloads sync.WaitGroup // goroutines of workloads
	user      sync.WaitGroup // goroutines of the function given to Run

	active   []activePartition
	faults   []*activeFault
	links    map[int]*linkState // that faults have changed
	former   []*ip.Host         // earlier incarnations of hosts
	routes   *dynamicRoutes     // nil if routes are static
	ended    string
	frozen   bool
	snapshot *Results
}

// Context ends with the run.
func (r *Run) Context() context.Context { return r.ctx }

// Elapsed is the lab's time since the start of the run.
func (r *Run) Elapsed() time.Duration { return r.engine.Elapsed() }

// Sleep waits for d of the lab's time or until the run ends.
func (r *Run) Sleep(d time.Duration) error { return r.engine.Sleep(r.ctx, r.owner, d) }

// Host returns the host with that name. It panics if there is none. A host that crashed and came back is another one: its sockets are
// on what Host returns after that.
func (r *Run) Host(name string) *Host {
	i, ok := r.byName[name]
	if !ok || r.nodes[i].host() == nil {
		panic(fmt.Sprintf("netlab: the lab has no host %q", name))
	}
	return &Host{r.nodes[i].host(), r}
}

// Go runs fn in a goroutine that starts in an event of its own. The run is not over before it returns, and its error is the
// run's.
func (r *Run) Go(fn func() error) {
	r.user.Add(1)
	r.engine.Go(r.owner, func() {
		defer r.user.Done()
		r.guard("a goroutine of Run.Go", fn)
	})
}

// guard runs fn and keeps its error or panic. An error after the end of the run is a consequence of it and is dropped.
func (r *Run) guard(what string, fn func() error) {
	finished := false
	defer func() {
		if p := recover(); p != nil {
			r.fail(&PanicError{What: what, Value: p, Stack: debug.Stack()})
		} else if !finished {
			r.fail(fmt.Errorf("%s ended by runtime.Goexit", what))
		}
	}()
	if err := fn(); err != nil && r.ctx.Err() == nil {
		r.fail(err)
	}
	finished = true
}

// PanicError is a panic in a service, a workload or the function given to [Lab.Run].
type PanicError struct {
	What  string
	Value any
	Stack []byte
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic in %s: %v\n%s", e.What, e.Value, e.Stack)
}

func (r *Run) fail(err error) {
	r.mu.Lock()
	r.failures = append(r.failures, err)
	r.mu.Unlock()
	var p *PanicError
	if errors.As(err, &p) {
		r.end(err)
	}
}

// end ends the run early.
func (r *Run) end(cause error) { r.cancel(cause) }

// job is a service or a workload.
type job struct {
	name   string
	role   services.Role
	kind   string
	runner services.Runner
	nodes  []*worldNode // the hosts that it runs on
	start  time.Duration
	last   []chan struct{} // for each host: closed when what was started there last has ended

	running int
	done    int // hosts that ended by themselves
	started time.Duration
	ended   time.Duration
	begun   bool
	errors  map[string]error // by host
	level   *slo.Tracker     // of a workload that has an objective, or nil
}

// where names the job in the file.
func (j *job) where() string {
	if j.role == services.Service {
		return "nodes." + j.nodes[0].name + ".services." + j.name
	}
	return "workloads." + j.name
}
