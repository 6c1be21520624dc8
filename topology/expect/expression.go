package expect

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// functions are what an expression may call.
var functions = map[string]any{"max": largest, "min": smallest, "sum": sum, "mean": mean, "abs": abs}

// functionNames are the names of the functions in the order in which messages list them.
var functionNames = []string{"max", "min", "sum", "mean", "abs"}

// Reserved returns the words that can't begin the name of a figure: functions and word operators.
func Reserved() []string {
	return append(slices.Clone(functionNames), "and", "or", "not", "true", "false")
}

// readers are the functions that read figures by dimension.
var readers = [...]string{Number: "number", Count: "number", Share: "number", Duration: "number", Size: "number",
	BitRate: "number", Rate: "number", Flag: "flag", Text: "text"}

// Expression is a compiled expectation.
type Expression struct {
	text     string
	program  *vm.Program
	figures  []string
	known    []Dimension // of figures
	absent   []any       // values of figures that the results don't have: 0 for a count in a map
	literals []quantity
	texts    []string
}

// maxLength is the length of the longest expression in bytes.
const maxLength = 4096

// Compile reads an expectation over known figures; their values don't matter. An error is an *[Error].
func Compile(text string, known *Figures) (*Expression, error) {
	if len(text) > maxLength {
		return nil, fail(maxLength, "an expectation has at most %d bytes: write several", maxLength)
	}
	tokens, err := lex(text, known)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, known: known, tokens: tokens}
	root, err := p.either()
	if err != nil {
		return nil, err
	}
	if next := p.peek(); next.kind != end {
		return nil, p.unexpected(next, "want an operator, or the end")
	}
	if root.dimension != Flag {
		return nil, fail(root.from, "%s is %s: want a condition, as in %s", p.source(root), root.dimension, p.compared(root))
	}
	if len(p.figures) == 0 {
		return nil, fail(root.from, "%s is always the same: want a figure of the results in it", p.source(root))
	}
	e := &Expression{text: text, figures: p.figures, literals: p.literals, texts: p.texts}
	for _, f := range e.figures {
		found, _ := known.get(f)
		e.known = append(e.known, found.dimension)
		if _, fixed := known.index[f]; fixed {
			found.value = nil
		}
		e.absent = append(e.absent, found.value)
	}
	// The optimizer knows nothing of our functions, so there is nothing to gain.
	program, compileErr := expr.Compile(root.code, expr.Env((&evaluation{e: e}).environment()), expr.AsBool(),
		expr.Optimize(false), expr.DisableAllBuiltins(), expr.MaxNodes(100_000))
	if compileErr != nil {
		return nil, fail(0, "this can't be evaluated: %v", compileErr)
	}
	e.program = program
	return e, nil
}

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Figures returns the names of the figures that the expression looks at, in order.
func (e *Expression) Figures() []string { return slices.Clone(e.figures) }

// Outcome is what an expectation says about results.
type Outcome struct {
	// Text is the expectation as it was written.
	Text string `json:"text"`
	// Holds says whether it holds; an inconclusive one doesn't.
	Holds bool `json:"holds"`
	// Inconclusive says that the results can't tell; Reason says why.
	Inconclusive bool   `json:"inconclusive,omitempty"`
	Reason       string `json:"reason,omitempty"`
	// Values are the figures in it, in the order in which they are first mentioned.
	Values []Value `json:"values"`
}

// Value is a figure's value in an [Outcome].
type Value struct {
	Name string `json:"name"`
	// Printed is the value for people, with four significant digits ("1.52Mbit/s", "203.2ms"), or with all of them where it
	// would look equal to a literal of the expectation otherwise.
	Printed string `json:"value"`
}

// Evaluate says whether the expectation holds for values.
func (e *Expression) Evaluate(values *Figures) Outcome {
	o := Outcome{Text: e.text, Values: make([]Value, 0, len(e.figures))}
	for i, name := range e.figures {
		o.Values = append(o.Values, e.value(name, figure{e.known[i], e.find(values, i)}))
	}
	run := &evaluation{e: e, values: values}
	result, err := expr.Run(e.program, run.environment())
	switch {
	case run.reason != "":
		o.Inconclusive, o.Reason = true, run.reason
	case err != nil:
		o.Inconclusive, o.Reason = true, err.Error()
	default:
		o.Holds = result.(bool)
	}
	return o
}

// find returns the value of a figure.
func (e *Expression) find(values *Figures, i int) any {
	if f, ok := values.get(e.figures[i]); ok {
		return f.value
	}
	return e.absent[i]
}

// evaluation is one run of an expression.
type evaluation struct {
	e      *Expression
	values *Figures
	reason string // why it is inconclusive
}

// environment returns what the expression's code may call.
func (r *evaluation) environment() map[string]any {
	environment := map[string]any{
		"number": func(i int) (quantity, error) {
			q, ok := quantityOf(r.read(i))
			return q, r.without(i, ok)
		},
		"flag": func(i int) (bool, error) {
			b, ok := r.read(i).(bool)
			return b, r.without(i, ok)
		},
		"text": func(i int) (string, error) {
			s, ok := r.read(i).(string)
			return s, r.without(i, ok)
		},
		"literal": func(i int) quantity { return r.e.literals[i] },
		"quoted":  func(i int) string { return r.e.texts[i] },
		"compare": func(a, b quantity) int { return a.compare(b) },
		"add":     add, "subtract": subtract, "multiply": multiply, "negate": negate,
		"divide": func(a, b quantity) (quantity, error) {
			q, err := divide(a, b)
			if err != nil {
				r.reason = err.Error()
			}
			return q, err
		},
	}
	for name, f := range functions {
		environment[name] = f
	}
	return environment
}

func (r *evaluation) read(i int) any { return r.e.find(r.values, i) }

// without returns an error where a figure has no value.
func (r *evaluation) without(i int, ok bool) error {
	if ok {
		return nil
	}
	r.reason = r.e.figures[i] + " has no value"
	return fmt.Errorf("%s", r.reason)
}
