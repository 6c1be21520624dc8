// Package storepb is what members of a store say to each other over gRPC, and how they write it down. It is generated from store.proto.
package storepb

//go:generate protoc --go_out=. --go_opt=paths=source_relative --connect-go_out=. --connect-go_opt=paths=source_relative store.proto
