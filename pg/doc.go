// Package pg is OTP's process groups: names for sets of processes all over the
// cluster, that every node knows without asking, and that agree again after any
// loss of nodes. BEAM and Truss nodes are members of the same groups.
//
//	scope, err := pg.Start(node, "")            // the scope pg, as kernel's start_pg
//	err = scope.Join(etf.Atom("workers"), p.PID())
//	for _, pid := range scope.Members(etf.Atom("workers")) {
//		_ = node.Send(ctx, pid, work)
//	}
//
// A scope is a process registered under the scope's name, on every node that
// takes part; scopes know nothing of each other. A group is any term (a string is
// a binary, as everywhere in Truss) and exists while it has members. A process
// can be in a group several times, and leaves as often as it joined; when it ends
// it is out of all of them. Members is what this node knows now: there is no
// agreement, no order and no history, and a partition shows each side its own
// members. Nodes of one scope need not be connected to each other all: a node
// knows the members on nodes it is connected to.
//
// Monitor and MonitorScope tell of changes, as pg:monitor/2 and
// pg:monitor_scope/1.
//
// # Protocol
//
// Each scope tells the others of its own processes alone, and watches them to
// learn of their end. The messages are those of OTP's pg.erl:
//
//	{discover, Scope}                        who is there: to {Name, Node} when a node comes up
//	{'$gen_cast', {sync, Scope, [{Group, [Pid]}]}}   all I have: the answer, and the first thing a new peer hears
//	{join, Scope, Group, [Pid]}              {leave, Scope, [Pid], [Group]}
//
// This is version 0, which every OTP since 23 speaks. OTP 29 knows a version 1
// too, whose first message ends the scope of an OTP 25: Truss understands it and
// never sends it (docs/decisions/0011). It also never sends a leave for a group
// the peer has not been told of, which ends the peer's scope as well.
//
// A hidden node is in no scope of its own accord, as in OTP; Discover makes it.
package pg
