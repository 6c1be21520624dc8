package ladder

import "slices"

// order puts nodes into columns so that those that packets pass one after the other are neighbours as far as possible: it moves
// single nodes as long as that makes the ways shorter. What is equally short stays in the order of appearance.
func (l *Ladder) order(nodes []string, ways [][]leg) []string {
	if l.network == nil || len(nodes) < 3 {
		return nodes
	}
	joined := l.neighbours(nodes, ways)
	length := func(order []int) int {
		place := make([]int, len(order))
		for i, n := range order {
			place[n] = i
		}
		total := 0
		for pair := range joined {
			total += max(place[pair[0]]-place[pair[1]], place[pair[1]]-place[pair[0]])
		}
		return total
	}
	order := make([]int, len(nodes))
	for i := range order {
		order[i] = i
	}
	best := length(order)
	for again := true; again; {
		again = false
		for from := range order {
			for to := range order {
				moved := slices.Insert(slices.Delete(slices.Clone(order), from, from+1), to, order[from])
				if n := length(moved); n < best {
					order, best, again = moved, n, true
				}
			}
		}
	}
	if slices.Index(order, 0) > len(order)/2 {
		slices.Reverse(order) // who sends first stands to the left
	}
	sorted := make([]string, len(order))
	for i, n := range order {
		sorted[i] = nodes[n]
	}
	return sorted
}

// neighbours returns the pairs of nodes between which packets went without passing another of the nodes.
func (l *Ladder) neighbours(nodes []string, ways [][]leg) map[[2]int]bool {
	index := map[string]int{}
	for i, name := range nodes {
		index[name] = i
	}
	joined := map[[2]int]bool{}
	for _, legs := range ways {
		for i := range legs {
			to, ok := index[legs[i].to]
			if !ok {
				continue
			}
			k := i
			for range legs {
				if from, ok := index[legs[k].from]; ok {
					if from != to {
						joined[[2]int{min(from, to), max(from, to)}] = true
					}
					break
				}
				if k = legs[k].parent; k < 0 {
					break
				}
			}
		}
	}
	return joined
}
