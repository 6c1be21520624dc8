// Package chat is a chat room on a web server, with three ways in, and the workloads "chat" and "websocket" that use it.
//
// A room ([NewRoom]) is an HTTP handler. Whoever sends a message reaches everybody in the room, and a member hears of it in one of
// three ways, which is what the room is there to compare:
//
//   - WebSocket, …/ws: the server pushes each message over a connection that stays open. A message takes the latency from
//     the sender to the server and from there to the member, and costs a frame.
//   - Polling, GET …/messages?after=N: the member asks every so often what came after message N. It hears of a message up to an
//     interval later, and pays for each question that is answered with nothing.
//   - Long polling, GET …/messages?after=N&wait=30s: the server answers when there is a message, or with nothing when the
//     wait is over. It is almost as fast as WebSocket, at the price of a request for each message.
//
// Messages are JSON objects. A member sends one as a text message over WebSocket or with POST …/messages:
//
//	{"sender": "ann", "id": 7, "sent_ns": 1500000000, "text": "hello"}
//
// and all members get it with the number that the room gave it. The sending time is the lab's, since the start of the run, as
// the sender wrote it, so that a member knows the delay. The room keeps the latest messages for members that come late or come
// back: …/ws?after=N begins with what came after message N. It keeps them in memory alone: a crash of its host takes them, and the
// numbers of the next room's messages begin higher, so that nobody who comes back misses one.
//
// A member over WebSocket that takes messages more slowly than they come is not waited for: when too many wait for it, the room
// closes its connection, or leaves messages out. The host's TCP takes some megabytes before that begins.
//
// The workload "chat" puts users into a room, some of whom send. Each has connections of its own, like a browser, and requests
// are HTTP/1.1. [NewEcho] sends messages back, and the workload "websocket" measures how long that takes.
package chat
