// Package replog is a replicated store's log on its host's disk: the entries that the members agree on, and beside them a small record of
// state, such as the term and the vote of Raft (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014).
//
// What is appended is buffered until [Log.Sync], which takes one write and one sync of the disk for all of it. All entries are in memory
// too: reading them takes no time.
//
// # Format, version 1
//
// A log is the files log.0000000000000001, log.0000000000000002, …, its segments. Numbers are little-endian, checksums are CRC-32C. A
// segment begins with a header of 43 bytes:
//
//	magic       10 bytes "netlab-log"
//	version     u32      1
//	flags       u8       1: a reset, whatever older segments say of entries is void; else 0
//	sequence    u64      the number in the file's name
//	base index  u64      the log's last entry before this segment: the entries of older segments may go
//	base epoch  u64      its epoch
//	checksum    u32      of all that
//
// Records follow, the first of them the state, if there is one. Each is a header of 26 bytes, the payload and its checksum:
//
//	length      u32      of the payload
//	type        u8       1 entry, 2 truncation, 3 state
//	kind        u8       of the entry, else 0
//	index       u64      of the entry; of a truncation: of the last entry that stays; of a state: 0
//	epoch       u64      of that entry
//	checksum    u32      of the header until here
//	payload
//	checksum    u32      of the payload
//
// Entries have consecutive indices; one that replaces another comes after a truncation.
//
// # Crashes and damage
//
// A last segment that ends within its last record, or within its header, was being written when the host crashed. [Open] cuts that
// record off, and [Log.Torn] says where. Anything else that is wrong is a [CorruptError], and nothing is skipped: a record that is there
// but has a wrong checksum, a segment that ends early and isn't the last, a missing segment. That is why a record's header has a
// checksum of its own: a damaged length doesn't look like an early end.
//
// Left out: a preallocated file whose end is zeros, a sector that is written in part, compression.
package replog
