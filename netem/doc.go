// Package netem is the wire: an engine that runs one event after the other in virtual or in real time, links between
// ports with what they do to frames, switches, and partitions.
//
// # The engine
//
// An [Engine] owns an event queue. Its loop takes the next event, runs it, waits until every goroutine is blocked again,
// puts what hosts sent meanwhile on the wire in an order that the scheduler has no say in (by host, then by flow), and only
// then takes the next one. Events are ordered by time, then by the host or link they belong to, then by kind, then by
// the order in which they were scheduled there. In virtual time the loop lives in a testing/synctest bubble and the clock
// jumps from event to event; in real time the same code waits for the machine's clock.
//
// Two events never run at the same instant: in virtual time each runs at least a nanosecond after the one before, because
// timers of the Go runtime that fire at one instant are shuffled. Everything that netem computes uses the nominal time of
// an event, the one it was scheduled for, so that these nanoseconds do not add up: a 1500-byte frame on a link of
// 10 Mbit/s and 20 ms arrives 21.2 ms after it was sent, however many others arrive with it.
//
// # The wire
//
// A [Network] is made of [Port]s joined by [Link]s. A link has two directions, each with a queue, a transmitter
// with a bit rate and a propagation latency; on the way the impairments (each in a file of its own) have their say. The
// size of a frame on the wire is that of its Ethernet header and payload: preamble, frame check sequence and inter-frame
// gap are not modelled. A frame that a link has begun to send arrives, whatever happens to the link afterwards.
package netem
