// Package epmd is Erlang's port mapper: the client, an embeddable server that
// BEAM nodes use without noticing, and the choice between the two.
//
// A node listens on some port. Peers know its name, "app@10.0.0.2", and nothing
// else, so they ask the epmd of host 10.0.0.2, at port 4369, where "app"
// listens. A node registers with the epmd of its own host and stays registered
// exactly as long as that connection lives. The protocol is in the chapter
// "EPMD Protocol" of OTP's erl_dist_protocol; where the chapter and the running
// daemon differ the daemon is right, and testdata holds what it said.
//
// # The three layers
//
//   - [Client] asks one question per connection: [Client.Lookup],
//     [Client.Names], and for tools [Client.Dump], [Client.Kill] and
//     [Client.Stop]. [Client.Register] is the exception: it returns a
//     [Registered] that holds its connection open.
//   - [Server] answers them. It is a value without state: every
//     [Server.Serve] is an epmd of its own.
//   - [Join] is what a node calls. It registers one name with the epmd that is
//     there, or serves one in this process if there is none, and keeps the name
//     registered until [Membership.Close]: if the program that served dies, one
//     of the remaining members binds the port and the others register with it.
//
// Nothing needs a daemon to be installed, and a real epmd may come and go: who
// binds the port first serves, and everybody else joins it. See
// docs/decisions/0003-epmd-join-or-serve.md for why.
//
// # Creation
//
// Registering yields a creation, the number that tells the pids of one
// incarnation of a node from those of the next. [Membership.Creation] is that
// of the first registration and never changes: peers have seen our pids with
// it, so a new epmd's other number is ignored, as OTP's erl_epmd does.
//
// # Environment
//
// ERL_EPMD_PORT and ERL_EPMD_ADDRESS mean here what they mean to Erlang.
package epmd
