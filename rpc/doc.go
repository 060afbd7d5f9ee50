// Package rpc calls functions on other nodes, and lets other nodes call those of
// this one: Erlang's erpc, and the older rpc with its process rex.
//
//	err := rpc.Start(node)                      // in truss.Config.Setup
//	err = node.Export("Elixir.MyApp.Calc", Calc{})
//	iex> :erpc.call(:"go@10.0.0.1", MyApp.Calc, :add, [1, 2])
//
//	sum, err := rpc.Call[int](ctx, node, "app@10.0.0.2", "Elixir.MyApp.Calc", "add", 1, 2)
//
// Start is one line that a program writes, rather than something every node does:
// a node without it looks to its peers like one that exports nothing, and all of
// them take that well. docs/decisions/0012 has the reasons for this and the rest.
//
// # Calling
//
// Call waits for the result, Cast does not, Multicall and Each ask many nodes at
// once, and Go returns a Request to wait for later: send_request and
// receive_response, where a collection of requests is a select or an Each. A node
// that calls itself gets the result without a detour over the network.
//
// A context bounds the wait alone: what was called goes on over there, as in
// Erlang, and its result is not sent when it comes.
//
// BlockCall, SBcast and MultiServerCall are what only rex has.
//
// # Failing
//
// The errors of a call answer three questions. Did the function fail? Then it is a
// *RemoteError with class, reason and stack, as it was raised over there; %+v
// prints the stack. Was the node there? If not, errors.Is finds
// truss.ErrNoConnection. Can it run functions for others at all? If not,
// errors.ErrUnsupported. Otherwise it is ctx's error. NotSent says whether the
// function may have run.
//
// # Being called
//
// Every call runs in a process of its own, whose group leader is the caller's. What
// a caller sees of an error or panic is told at truss.Node.Export.
//
// The wire forms are those of kernel's erpc.erl and rpc.erl, OTP 25 to 29.
package rpc
