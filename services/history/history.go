package history

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// History is what the clients of one workload did and saw, with what it is about.
type History struct {
	// Workload is the workload's name in the lab, Name that of the lab. Both may be empty.
	Workload, Name string
	// Object is what the operations are on: "register", "cas", "counter", "set", "list" or "bank". Empty says nothing about it.
	Object string
	// Model is what the store is said to be, by a name in [Models]; empty if nothing is said.
	Model string
	// Operations are in the order of their invocations.
	Operations []Operation
}

// objects are what a workload's operations may be on.
var objects = []string{"register", "cas", "counter", "set", "list", "bank"}

// never is when an operation ends that nobody saw the end of.
const never = time.Duration(math.MaxInt64)

// family returns the object that a kind of operation is on: register, counter, set, list, bank, or "" for an unknown kind.
func (k Kind) family() string {
	switch k {
	case Read, Write, CAS:
		return "register"
	case Increment, Count:
		return "counter"
	case Add, Members:
		return "set"
	case Append, List:
		return "list"
	case Transfer, Balances:
		return "bank"
	}
	return ""
}

// reads says that operations of a kind change nothing.
func (k Kind) reads() bool {
	return k == Read || k == Count || k == Members || k == List || k == Balances
}

// Validate returns an error if the operations cannot be what clients did: an unknown kind or outcome, too few or too many inputs, what should
// be a number and isn't, a completion before the invocation, a client with two operations at a time, or a wrong order. Its text names the
// operation by its place in the list.
func (h *History) Validate() error {
	i, err := h.validate()
	if err != nil {
		return fmt.Errorf("operation %d: %w", i, err)
	}
	return nil
}

// validate returns the place of the first operation that is wrong, and why.
func (h *History) validate() (int, error) {
	free := map[int]time.Duration{}
	var last time.Duration
	for i := range h.Operations {
		o := &h.Operations[i]
		if err := o.validate(); err != nil {
			return i, err
		}
		if o.Invoked < last {
			return i, fmt.Errorf("invoked at %v, before the operation in front of it at %v: want the order of invocations", o.Invoked, last)
		}
		if at, found := free[o.Client]; found && o.Invoked < at {
			return i, fmt.Errorf("client %d invoked it at %v, but its last operation ended at %v: want one at a time", o.Client, o.Invoked, at)
		}
		last, free[o.Client] = o.Invoked, o.Completed
	}
	return 0, nil
}

// validate returns an error if an operation can't be.
func (o *Operation) validate() error {
	family := o.Kind.family()
	switch {
	case family == "":
		return fmt.Errorf("found kind %q, wanted read, write, cas, increment, count, add, members, append, list, transfer or balances", o.Kind)
	case o.Outcome != OK && o.Outcome != Fail && o.Outcome != Unknown:
		return fmt.Errorf("found outcome %q, wanted ok, fail or unknown", o.Outcome)
	case o.Client < 0:
		return fmt.Errorf("found client %d, wanted 0 or more", o.Client)
	case o.Invoked < 0:
		return fmt.Errorf("invoked at %v, wanted 0 or later", o.Invoked)
	case o.Completed < o.Invoked:
		return fmt.Errorf("completed at %v, before it was invoked at %v", o.Completed, o.Invoked)
	case family == "bank" && o.Key != "":
		return fmt.Errorf("found key %q, wanted none for %s", o.Key, o.Kind)
	case family != "bank" && o.Key == "":
		return fmt.Errorf("found no key, wanted one for %s", o.Kind)
	}
	inputs := map[Kind]int{Write: 1, CAS: 2, Increment: 1, Add: 1, Append: 1, Transfer: 3}[o.Kind]
	if len(o.Input) != inputs {
		return fmt.Errorf("found %d inputs, wanted %d for %s", len(o.Input), inputs, o.Kind)
	}
	if o.Kind == Increment || o.Kind == Transfer {
		if _, err := number(o.Input[inputs-1]); err != nil {
			return err
		}
	}
	if o.Outcome != OK {
		return nil
	}
	return o.validateOutput()
}

// validateOutput returns an error if an operation that took effect can't have had its answer.
func (o *Operation) validateOutput() error {
	most := 1
	switch o.Kind {
	case Members, List:
		return nil
	case Balances:
		if len(o.Output)%2 != 0 {
			return fmt.Errorf("found %d outputs, wanted accounts and balances in turn", len(o.Output))
		}
		seen := map[string]bool{}
		for i := 0; i < len(o.Output); i += 2 {
			if _, err := number(o.Output[i+1]); err != nil {
				return err
			}
			if seen[o.Output[i]] {
				return fmt.Errorf("found account %q twice", o.Output[i])
			}
			seen[o.Output[i]] = true
		}
		return nil
	case Read:
		if (len(o.Output) == 1) != o.Found || len(o.Output) > 1 {
			return fmt.Errorf("found %d outputs of a read with found %v, wanted one where there was a value, else none", len(o.Output), o.Found)
		}
		return nil
	case Write, CAS, Add, Append, Transfer:
		most = 0
	}
	if len(o.Output) > most {
		return fmt.Errorf("found %d outputs, wanted at most %d for %s", len(o.Output), most, o.Kind)
	}
	for _, text := range o.Output {
		if _, err := number(text); err != nil {
			return err
		}
	}
	return nil
}

// number reads a whole number.
func number(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("found %q, wanted a whole number", text)
	}
	return n, nil
}

// num reads a whole number of a history that is valid.
func num(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

// sortOperations puts operations into the order of their invocations, those of the same instant by client, so that the order in which
// goroutines came to record them doesn't matter.
func sortOperations(ops []Operation) {
	slices.SortStableFunc(ops, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Invoked, b.Invoked), cmp.Compare(a.Client, b.Client))
	})
}
