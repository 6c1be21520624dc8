// Package topology is the lab file: what hosts, routers and switches there are, how they are linked, what clients do,
// what breaks, what is captured and what is expected.
//
// A file is JSON with comments and trailing commas. [Load] reads it in these steps, each in files of its own:
//
//   - parse.go turns the text into a tree of values that know where they stand, and refuses duplicate keys.
//   - merge.go applies each variant to the tree (JSON Merge Patch, RFC 7386). Values keep their places.
//   - decode.go fills the Go types of types.go from the tree, strictly: an unknown field, a number where a duration is
//     wanted or an integer out of range is an error.
//   - check.go and its siblings check what the types can't say: that names exist, that a target can be reached, that
//     switches form no loop.
//   - resolve.go expands ranges, fills in the defaults and has package plan assign interfaces, addresses and routes.
//
// What comes out is again a valid file: it loads and resolves to itself, byte for byte.
//
// All mistakes are collected before anything is reported, as [Errors]; each says where it is, what was found and what
// was wanted. Mistakes inside one entry (a node, a link, a workload) hide checks of meaning on that entry only, and checks
// that need the whole file, such as whether a target can be reached, wait until everything else is right. So a misspelt
// word gives one error and not ten.
//
// A program may also fill a [Topology] by hand and call [Topology.Resolve], which makes the same checks; errors then have
// a path but no position.
package topology
