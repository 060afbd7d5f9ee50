// Package truss makes a Go program a node of an Erlang cluster: a visible node
// that BEAM nodes list, ping, call, link to and monitor, and that does the same
// with them and with other Go programs. It speaks the Erlang distribution
// protocol of OTP 25 and later, and nothing else.
//
// # A node
//
//	node, err := truss.Start(ctx, truss.Config{Name: "app@10.0.0.1", Cookie: "secret"})
//	defer node.Close()
//
// With an empty Config the node takes its name and cookie from RELEASE_NODE and
// RELEASE_COOKIE, as an Elixir release does. It finds others by name through
// their host's epmd, and serves an epmd itself where there is none. Connect and
// Ping connect to a node, as does the first Send or Call to one; the package
// discovery keeps a node connected to whatever DNS or another registry lists.
// Nodes, HiddenNodes and Events tell who is there.
//
// # Processes
//
// A process is a goroutine with a pid, a mailbox, links and monitors:
//
//	p, err := node.Spawn(func(ctx context.Context, p *truss.Process) error {
//		for {
//			m, err := p.Receive(ctx)
//			if err != nil {
//				return err
//			}
//			…
//		}
//	}, truss.Registered("echo"))
//
// Send sends to a pid, a registered name, a Name on another node or an alias.
// Monitor and Link tell when another process, or its node, is gone; that arrives
// as a Down or, for a process that traps exits, an Exit in the mailbox.
//
// Most processes are servers: Serve runs a Server, which Elixir calls with
// GenServer.call, and Node.Call, Process.Call and the generic Call call one, here
// or on any node. Methods makes a Server of a value's methods, MultiCall calls one
// on many nodes, Stop ends one, and OTP's module sys works on all. The package
// supervisor keeps processes running.
//
// What a process prints to its Stdout appears at its group leader: for a function
// that a shell has spawned, in that shell. What a BEAM prints for a process that
// this node has started there appears at Config.Stdout.
//
// # Functions
//
// Export makes the methods of a Go value functions of an Erlang module. BEAMs and
// Truss nodes start them with Node.spawn and its kin, or SpawnRemote, which starts
// functions of a BEAM as well; Tasks lets Elixir's Task.Supervisor start them:
//
//	err := node.Export("Elixir.MyApp.Calc", Calc{})
//	child, err := p.SpawnRemote(ctx, truss.SpawnRequest{Node: "app@10.0.0.2", Module: "timer", Function: "sleep", Args: []any{1000}, Monitor: true})
//
// # Terms
//
// Messages are Erlang terms. The package etf says which Go values they are; most
// programs use structs with tags, or etf.Tuple and etf.Atom.
//
// # What is promised
//
// Messages and signals from one process to another arrive in the order sent, as
// in Erlang; there is no promise that they arrive. Every call that waits takes a
// context. A peer that breaks the protocol, or asks for more memory than the
// limits in Config allow, loses its connection and harms nothing else.
//
// The protocol is that of the chapters erl_dist_protocol and erl_ext_dist of the
// ERTS User's Guide; docs/decisions in the repository tells where Truss chose.
package truss
