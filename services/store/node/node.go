// Package node holds what the ways to replicate a store have in common: what a member is asked for, what it refuses and how it is made.
package node

import (
	"context"
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/proto"

	"netlab/services"
	"netlab/services/store/kv"
	"netlab/services/store/peer"
	"netlab/services/store/replog"
	"netlab/services/store/storepb"
)

// The codes of errors. All but InDoubt mean that nothing took effect.
const (
	Moved       = "MOVED"       // another member has it: the leader, or the owner of the key
	TryAgain    = "TRYAGAIN"    // not now: data that is asked for isn't here yet, a key is locked or moves
	ClusterDown = "CLUSTERDOWN" // there is no leader, or no majority
	Misconf     = "MISCONF"     // the disk doesn't take it
	Err         = "ERR"
	InDoubt     = "INDOUBT" // a write that may have taken effect, or may still
)

// Error is why a request isn't carried out.
type Error struct {
	Code, Text string
	// Member is whom to ask instead, with Moved.
	Member string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Code == Moved {
		return e.Code + " " + e.Member
	}
	return e.Code + " " + e.Text
}

// Errorf makes an Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// MovedTo is the error that sends a client to another member, or says that none is known.
func MovedTo(member string) *Error {
	if member == "" {
		return Errorf(ClusterDown, "there is no leader that is known")
	}
	return &Error{Code: Moved, Member: member}
}

// AsReply is what another member is told.
func AsReply(r *storepb.Reply, err error) *storepb.Reply {
	switch e := err.(type) {
	case nil:
		return r
	case *Error:
		return &storepb.Reply{Code: e.Code, Text: e.Text, Member: e.Member}
	default:
		return &storepb.Reply{Code: InDoubt, Text: err.Error()}
	}
}

// FromReply is the error in a reply of another member, or of the state machine.
func FromReply(r *storepb.Reply) (*storepb.Reply, error) {
	if r.Code != "" {
		return nil, &Error{Code: r.Code, Text: r.Text, Member: r.Member}
	}
	return r, nil
}

// Node is a member's part in replication. Its methods may be called by any goroutine while Run runs.
type Node interface {
	// Run takes part until ctx ends, or the host's disk fails it. It is called once.
	Run(ctx context.Context) error
	// Do carries out a request. The error is an [Error], or the cause of ctx's end.
	Do(ctx context.Context, r *storepb.Request) (*storepb.Reply, error)
	// Admin carries out a command of an operator. Its error is an [Error]; ok is false if the node has no such command.
	Admin(ctx context.Context, args []string) (answer string, ok bool, err error)
	// Info is what INFO says about replication: names and values; nil once ctx has ended.
	Info(ctx context.Context) [][2]string
}

// Place is where a node is and what it works with.
type Place struct {
	Env *services.Env
	Log *slog.Logger
	// Self is this member, Members are all, in the order of the file.
	Self    string
	Members []string
	Peers   *peer.Net
	Machine *kv.Machine
	Entries *replog.Log
	// Count is what this member counts, over all incarnations of its host.
	Count *Counters
}

// ID is the number of a member, from 1; 0 if it is none.
func (p *Place) ID(member string) uint64 {
	for i, m := range p.Members {
		if m == member {
			return uint64(i + 1)
		}
	}
	return 0
}

// Member is the member of a number, "" if there is none.
func (p *Place) Member(id uint64) string {
	if id == 0 || id > uint64(len(p.Members)) {
		return ""
	}
	return p.Members[id-1]
}

// Origin is the name under which an incarnation of this member makes proposals.
func (p *Place) Origin() string { return fmt.Sprintf("%s/%d", p.Self, p.Env.Host.Incarnation()) }

// Marshal encodes a message, always to the same bytes.
func Marshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("a message that can't be encoded: " + err.Error())
	}
	return b
}
