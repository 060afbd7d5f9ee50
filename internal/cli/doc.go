// Package cli is the command truss, as functions that tests call without a
// process: Run takes the arguments and the three streams, and returns the exit
// code.
//
// # The commands
//
// Each command is a file with its name. It declares flags in a struct of its own,
// fills it from cobra, and does its work in one method that gets a context and
// the terminal, which is where all output goes: text for people, or with --json
// one object a line.
//
//   - node runs a node until it is told to stop (node.go; its processes are in
//     echo.go and rpc_serve.go)
//   - ping, nodes, send and call join the cluster of one node, ask or tell it
//     something, and leave (join.go; where the node listens is found in locate.go)
//   - global, pg, pubsub and regions ask what a node knows of its cluster (apply.go),
//     or the nodes of the cluster themselves (spread.go)
//   - names and epmd are about the port mapper, and are no nodes
//   - play comes from internal/play
//
// # Joining
//
// A tool that appeared in Node.list/0 of every node for a tenth of a second would
// set off what the application does on nodeup, and would have to take part in
// global. So tools are hidden. Nor do they listen or register with epmd: nobody
// has to find them, so they work on machines without an epmd, leave nothing
// behind there, and cannot collide with a name. OTP's remsh and erl_call do the
// same with dynamic node names; a name of our own keeps the node's log readable
// and needs no node that gives names.
//
// # Errors
//
// A command fails with a failure, which says what could not be done, with whom,
// why, and what to do about it; see failure.go for the exit codes.
package cli
