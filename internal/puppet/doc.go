// Package puppet is processes that do what a test tells them, and a record of
// what happens to them: the same on a Truss node and on a BEAM, so that tests can
// ask whether anybody can tell the two apart.
//
// A puppet links, monitors, sends, exits when told to ([Op]) and notes every
// message, 'EXIT' and 'DOWN' it gets ([Event]). A [Host] runs the puppets of one
// node; [Node] is the one in Go, package interop has the one in Erlang. A [Script]
// is a small text of what puppets and nodes do, run over any mixture of hosts by
// a [Stage].
//
// # What a trace is
//
// A trace is cut into rounds by settling: waiting until no signal is under way and
// every process has looked at what it got. Within a round ([Canonical]):
//
//   - What one process gets from one other is in order, as Erlang guarantees. What
//     it gets from different ones is not, so it is sorted by who sent it.
//   - The DOWNs a process gets when another ends are in no guaranteed order, and in
//     none with the 'EXIT' of the same end: they are sorted, after the rest.
//   - Of a process that ended in the round only the reason counts. Whether it had
//     looked at a message before an exit signal ended it is a race in Erlang too.
package puppet
