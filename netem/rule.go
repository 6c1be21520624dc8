package netem

import "time"

// Rule is a packet rule in force.
type Rule struct{}

func (d *direction) judge(at time.Duration, f *Frame, from int) { d.admit(at, f) }
