// Package history records what clients of a store did and saw, and says whether a store may behave so.
//
// A history is a list of operations, each with the moments of its invocation and completion in the lab's time, what it asked for, what it
// was answered and whether that is known: the form that Jepsen and the literature on consistency use (Herlihy and Wing, "Linearizability: A
// Correctness Condition for Concurrent Objects", 1990).
package history

import "time"

// Kind is what an operation does.
type Kind string

// The kinds of operations, with what Input and Output hold.
const (
	Read      Kind = "read"      // of a register: no input; output is the value, Found false when there is none
	Write     Kind = "write"     // of a register: input is the value
	CAS       Kind = "cas"       // of a register: input is the expected and the new value; an OK outcome means that it was set
	Increment Kind = "increment" // of a counter: input is the amount, output the new value, or nothing where the store doesn't say
	Count     Kind = "count"     // reads a counter: output is its value
	Add       Kind = "add"       // to a set: input is the element
	Members   Kind = "members"   // reads a set: output is the elements
	Append    Kind = "append"    // to a list: input is the element
	List      Kind = "list"      // reads a list: output is the elements in order
	Transfer  Kind = "transfer"  // between accounts: input is from, to and the amount
	Balances  Kind = "balances"  // reads all accounts at once: output is account, balance, account, balance, …
)

// Outcome is how an operation ended.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"      // it took effect between invocation and completion
	Fail    Outcome = "fail"    // it did not take effect, and never will
	Unknown Outcome = "unknown" // it may have taken effect at any time after the invocation, or may still, or never
)

// Operation is one operation of one client.
type Operation struct {
	// Index is the operation's place in the history, from 0, in the order of invocations.
	Index int `json:"index"`
	// Client tells the clients apart, from 0. A client has one operation under way at a time.
	Client int `json:"client"`
	// Host is where the client runs, Server the member that answered, or was asked last.
	Host   string `json:"host"`
	Server string `json:"server,omitempty"`
	Kind   Kind   `json:"kind"`
	// Key is the object; operations on different keys have nothing to do with each other. Empty for transfers and balances.
	Key    string   `json:"key,omitempty"`
	Input  []string `json:"input,omitempty"`
	Output []string `json:"output,omitempty"`
	// Found says, of a read, that there was a value.
	Found bool `json:"found,omitempty"`
	// Invoked and Completed are times since the start of the run, in nanoseconds. An unknown operation is completed when the client gave up.
	Invoked   time.Duration `json:"invoked"`
	Completed time.Duration `json:"completed"`
	Outcome   Outcome       `json:"outcome"`
	// Error is what the client was told, where the outcome isn't OK.
	Error string `json:"error,omitempty"`
	// Final says that it is one of the reads after the end of the load, when the system had time to settle.
	Final bool `json:"final,omitempty"`
}
