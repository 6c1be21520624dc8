// Package figures computes what several workloads report: spreads of durations, shares, and their names in results.
//
// All sums are exact integers, so that a figure does not depend on the order in which its samples came, and twenty equal
// round trips have a deviation of exactly 0.
package figures
