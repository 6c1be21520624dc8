package netlab

import (
	"crypto/ecdh"
	"errors"
	"math/rand"
	"runtime"
	"strings"
	"sync/atomic"

	"netlab/internal/random"
)

// ErrBusy is what [Lab.Run] returns while another lab runs in the same process.
var ErrBusy = errors.New("another lab is running in this process: run labs one after the other, or in processes of their own")

// busy is set while a lab runs.
var busy atomic.Bool

// CheckSettings says which settings of the process are missing that equal bytes in every run need, and how to add them.
// Labs run without them too; then keys, identifiers and random numbers may differ between runs.
func CheckSettings() error {
	var missing []string
	if !customRandWorks() {
		missing = append(missing, "cryptocustomrand=1")
	}
	if !seedWorks() {
		missing = append(missing, "randseednop=0")
	}
	if missing == nil {
		return nil
	}
	return errors.New("runs may differ in their bytes: add \"godebug (" + strings.Join(missing, "; ") +
		")\" to go.mod, or \"//go:debug " + strings.Join(missing, "\" and \"//go:debug ") + "\" before the package clause of main")
}

// probe is a source of randomness that notices whether it is asked.
type probe struct{ asked bool }

func (p *probe) Read(b []byte) (int, error) {
	p.asked = true
	for i := range b {
		b[i] = byte(i) | 1
	}
	return len(b), nil
}

func customRandWorks() bool {
	p := &probe{}
	_, err := ecdh.X25519().GenerateKey(p)
	return err == nil && p.asked
}

func seedWorks() bool {
	draw := func() int64 {
		rand.Seed(7) //nolint:staticcheck // libraries use the global source; seeding it is the only way to make them repeatable
		return rand.Int63()
	}
	return draw() == draw()
}

// claim takes the process for a run and returns what gives it back.
func claim(seed uint64, realTime bool) (release func(), err error) {
	if !busy.CompareAndSwap(false, true) {
		return nil, ErrBusy
	}
	if realTime {
		return func() { busy.Store(false) }, nil
	}
	// What libraries keep in pools may belong to the bubble of an earlier run.
	runtime.GC()
	runtime.GC()
	punctual := avoidPreemption()
	procs := runtime.GOMAXPROCS(1)
	restore := random.Crypto(seed)
	rand.Seed(int64(seed)) //nolint:staticcheck // see seedWorks
	return func() {
		restore()
		punctual()
		runtime.GOMAXPROCS(procs)
		busy.Store(false)
	}, nil
}
