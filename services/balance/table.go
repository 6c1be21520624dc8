package balance

import "math/rand/v2"

// algorithms are all there are.
var algorithms = [...]algorithm{
	{RoundRobin, nil, false, func(*Config, *rand.Rand) Algorithm { return &roundRobin{} }},
	{WeightedRoundRobin, nil, true, func(*Config, *rand.Rand) Algorithm { return &weightedRoundRobin{} }},
	{Random, nil, true, func(_ *Config, r *rand.Rand) Algorithm { return &random{urn: urn{random: r}} }},
	{LeastConnections, nil, false, func(*Config, *rand.Rand) Algorithm { return newLeastConnections(false) }},
	{WeightedLeastConnections, nil, true, func(*Config, *rand.Rand) Algorithm { return newLeastConnections(true) }},
	{PowerOfTwo, []string{"choices"}, true, func(c *Config, r *rand.Rand) Algorithm { return c.drawn(r) }},
	{LeastResponseTime, []string{"choices", "decay"}, true, func(c *Config, r *rand.Rand) Algorithm {
		return newPeakEWMA(c.drawn(r), c.decay())
	}},
	{LowestLatency, []string{"decay", "explore"}, false, func(c *Config, r *rand.Rand) Algorithm {
		return newLowestLatency(urn{random: r}, c.decay(), float64(or(c.Explore, DefaultExplore)))
	}},
	{Geographic, nil, true, func(*Config, *rand.Rand) Algorithm { return &geographic{} }},
	{SourceHash, nil, true, func(*Config, *rand.Rand) Algorithm { return &pieces{source: true, modulo: true} }},
	{Hash, []string{"hash_key"}, true, func(*Config, *rand.Rand) Algorithm { return &pieces{} }},
	{Modulo, []string{"hash_key"}, true, func(*Config, *rand.Rand) Algorithm { return &pieces{modulo: true} }},
	{ConsistentHash, []string{"hash_key", "virtual_nodes", "load_factor"}, true, func(c *Config, _ *rand.Rand) Algorithm {
		return &ring{perUnit: or(c.VirtualNodes, DefaultVirtualNodes), factor: or(c.LoadFactor, 0)}
	}},
	{Rendezvous, []string{"hash_key"}, true, func(*Config, *rand.Rand) Algorithm { return &rendezvous{} }},
	{Maglev, []string{"hash_key", "table_size"}, true, func(c *Config, _ *rand.Rand) Algorithm {
		return &maglev{size: or(c.TableSize, DefaultTableSize)}
	}},
}

func (c *Config) drawn(r *rand.Rand) *choices {
	return &choices{urn: urn{random: r}, count: or(c.Choices, DefaultChoices), load: connections}
}
