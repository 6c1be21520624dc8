package history

import (
	"fmt"
	"slices"
	"time"
)

// The results of a check.
const (
	Holds     = "ok"        // the model allows what the clients saw
	Violated  = "violated"  // it doesn't
	Undecided = "undecided" // the search was too long, or the model says nothing about such a history
)

// Verdict is what a check found.
type Verdict struct {
	// Model is what was checked, Result is "ok", "violated" or "undecided".
	Model  string `json:"model"`
	Result string `json:"result"`
	// Reason says it in words.
	Reason string `json:"reason"`
	// Checked is how many operations, keys or reads were looked at, Violations how many of them are against the model: keys of linearizable,
	// sequential and convergent; updates or writes of no-lost-…; reads of all others.
	Checked    int `json:"checked"`
	Violations int `json:"violations"`
	// StaleMax and StaleMean are the ages of the stale reads, of no-stale-reads.
	StaleMax  time.Duration `json:"stale_max_ns,omitempty"`
	StaleMean time.Duration `json:"stale_mean_ns,omitempty"`
	// Prefix are few operations that are a violation by themselves, in the order of their invocations: of the shortest prefix, by completion,
	// that is one, those that are needed. What was still under way at its end is Unknown and completed at its end. Where an add or append was
	// left out, its element is left out of what was read as well.
	Prefix []Operation `json:"prefix,omitempty"`
	// Culprit is the Index of the operation in Prefix with which it became a violation, -1 if there is none.
	Culprit int `json:"culprit"`
	// Steps is how long the search was, in what [Options] limits.
	Steps int64 `json:"steps"`
}

// Options limit a check.
type Options struct {
	// MaxSteps is how many steps a search may take before it gives up; 0 means DefaultSteps. A step is one operation tried at one place in the
	// order, in histories of more than 512 operations a bit more, because each step then needs more memory. What is decided with a number of
	// steps is decided on any machine. As many again may be spent on cutting down the operations of a violation.
	MaxSteps int64
}

// DefaultSteps is where a search gives up unless [Options] say otherwise: after a few seconds, and a few hundred megabytes.
const DefaultSteps = 10_000_000

// ModelInfo is the name of a model and what it asks for, in one line.
type ModelInfo struct{ Name, Doc string }

// model is a model with its check.
type model struct {
	ModelInfo
	check func(*checker) Verdict
	// families are the objects that it can be asked about; nil: all.
	families []string
}

// models returns all models. The strongest come first, then what is asked of one client's reads, then what is counted.
func models() []model {
	named := func(name, doc string, check func(*checker) Verdict, families ...string) model {
		return model{ModelInfo{name, doc}, check, families}
	}
	return []model{
		named("linearizable", "each operation takes effect at one instant while it is under way", (*checker).checkLinearizable),
		named("sequential", "there is one order of all operations that keeps each client's own", (*checker).checkSequential),
		named("causal", "no read returns what was overwritten in its causal past", (*checker).checkCausal, "register"),
		named("read-your-writes", "a client's reads show its own acknowledged writes, or later ones",
			(*checker).checkOwnWrites, "register", "set", "list", "counter"),
		named("monotonic-reads", "a client's reads of a key don't go back in time",
			(*checker).checkMonotonic, "register", "set", "list", "counter"),
		named("no-stale-reads", "no read returns what was overwritten before it; tells their age",
			(*checker).checkStale, "register", "set", "list", "counter"),
		named("convergent", "final reads of a key agree on all servers", (*checker).checkConvergent),
		named("no-lost-updates", "what was acknowledged is in the final read, nothing replaced twice",
			(*checker).checkLostUpdates, "register", "set", "list", "counter"),
		named("no-lost-writes", "the final read isn't older than an acknowledged write", (*checker).checkLostWrites, "register"),
		named("no-dirty-reads", "no read saw a write that failed, or that vanished later", (*checker).checkDirty, "register", "set", "list"),
		named("bank", "reads of all accounts have one total, and no account is negative", (*checker).checkBank, "bank"),
	}
}

// DefaultModel is the model that is checked where nothing says which.
const DefaultModel = "linearizable"

// Models lists the models that [Check] knows.
func Models() []ModelInfo {
	var list []ModelInfo
	for _, m := range models() {
		list = append(list, m.ModelInfo)
	}
	return list
}

// modelNamed returns a model, or nil.
func modelNamed(name string) *model {
	for _, m := range models() {
		if m.Name == name {
			return &m
		}
	}
	return nil
}

// modelNames lists the names of the models.
func modelNames() []string {
	var names []string
	for _, m := range models() {
		names = append(names, m.Name)
	}
	return names
}

// Check says whether a model allows a history. A model that doesn't exist, a history that isn't valid (see [History.Validate]), and one that
// the model says nothing about, are undecided, and the reason tells why.
//
// What failed counts as not having happened. What is unknown may take effect at any time after its invocation, or never; reads without an
// answer say nothing.
func Check(h *History, name string, o Options) Verdict {
	undecided := func(reason string) Verdict {
		return Verdict{Model: name, Result: Undecided, Reason: reason, Culprit: -1}
	}
	m := modelNamed(name)
	if m == nil {
		return undecided(fmt.Sprintf("there is no model %q", name))
	}
	if err := h.Validate(); err != nil {
		return undecided(err.Error())
	}
	if o.MaxSteps <= 0 {
		o.MaxSteps = DefaultSteps
	}
	c := &checker{budget: budget{left: o.MaxSteps}, most: o.MaxSteps, sums: map[string]sum{}}
	c.split(h.Operations)
	for _, part := range c.parts {
		if part.mixed != "" {
			return undecided(fmt.Sprintf("key %q is used as a %s and as a %s", part.key, part.family, part.mixed))
		}
		if m.families != nil && !slices.Contains(m.families, part.family) {
			return undecided(fmt.Sprintf("says nothing about operations on a %s", part.family))
		}
	}
	v := m.check(c)
	v.Model, v.Steps = name, c.used
	if v.Prefix == nil {
		v.Culprit = -1
	}
	if v.Result == "" {
		v.Result = Holds
		if v.Violations > 0 {
			v.Result = Violated
		}
	}
	return v
}

// checker is one check that is under way.
type checker struct {
	budget
	// most is what the budget was at first.
	most int64
	// ops are all operations, parts those of each key in the order in which keys first occur.
	ops   []Operation
	parts []*part
	// sums are hashes of elements, made once.
	sums map[string]sum
}

// part is what happened to one key, or to all accounts.
type part struct {
	key, family string
	// mixed is another family that the key is used as, which no model allows.
	mixed string
	ops   []Operation
}

// split divides operations by key.
func (c *checker) split(ops []Operation) {
	c.ops = ops
	byKey := map[string]*part{}
	for i := range ops {
		o := &ops[i]
		name := o.Key
		if o.Kind.family() == "bank" {
			name = "\x00bank"
		}
		p := byKey[name]
		if p == nil {
			p = &part{key: o.Key, family: o.Kind.family()}
			byKey[name] = p
			c.parts = append(c.parts, p)
		}
		if f := o.Kind.family(); f != p.family && p.mixed == "" {
			p.mixed = f
		}
		p.ops = append(p.ops, *o)
	}
}

// about names a part in a reason.
func (p *part) about() string {
	if p.family == "bank" {
		return "the accounts"
	}
	return fmt.Sprintf("key %s", p.key)
}

// budget is how many steps a search may still take.
type budget struct {
	left, used int64
	exceeded   bool
}

// take spends steps, unless there are too few.
func (b *budget) take(n int64) bool {
	if b.left < n {
		b.exceeded = true
		return false
	}
	b.left, b.used = b.left-n, b.used+n
	return true
}

// plural returns "1 read" or "3 reads".
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
