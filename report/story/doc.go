// Package story tells what happened in a run in sentences, for someone who learns: who the nodes are, how names were looked up and
// connections were opened, what was asked and answered, what the network lost, how the stacks noticed and what it cost, and what the
// run was expected to show. Each sentence has its time and its frames, by which the packets are found in Wireshark.
//
// A story is made from what analysis of the captures found out, from the run's events and from its results; of a capture that another
// program has taken, from the capture alone. What happens again and again is told once and counted then, and of a long story the less
// important sentences are left out, with their number.
package story
