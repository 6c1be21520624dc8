package netem

// mark implements outlet.
func (o *queueOutlet) mark(f *Frame, reason DropReason) bool { return false }
