// Package global is Erlang's global: names that a whole cluster shares, and
// locks that hold in all of it. A Truss node with it is a full member: BEAM
// nodes register, look up and lock through it as through one of their own.
//
//	g, err := global.Start(node, global.Config{})  // in truss.Config.Setup
//	defer g.Close(ctx)
//
//	err = g.RegisterName(ctx, etf.Atom("calc"), p.PID())
//	pid, ok := g.WhereisName(etf.Atom("calc"))
//
//	err = g.Trans(ctx, global.LockID{Resource: etf.Atom("migrate")}, global.LockOptions{}, func(ctx context.Context) error { … })
//
// Every visible node of a cluster that has BEAMs in it should run it. Without,
// global:sync/0 and global:set_lock/1 of the BEAMs wait for the node in vain.
//
// It starts rpc as well (rpc.Start): a BEAM that has to resolve whose name it is calls
// global:resolve_it/4 here by erpc, and if it could not, the other process would have
// the name without this one being told.
//
// # What it does by itself
//
// When two nodes connect, their partitions are joined: names are exchanged, a
// name that both have is resolved by its Method, and every node of the one
// connects to every node of the other (Config.NoConnectAll prevents both; with
// truss.AutoConnectNever nothing is connected, and nodes that nobody brings together
// leave each other, as in OTP). When a
// connection is lost, all nodes leave the one that was lost, so that partitions
// never overlap; this node reports and obeys as OTP 25 and later do
// (Config.AllowOverlap prevents it).
//
// # How it is made
//
// machine.go and what hangs on it decide everything, and do nothing: an event
// goes in, actions come out. The tests write its life down as scripts
// (testdata/*.txt). run.go is the node around it: three processes, of which two,
// the locker and the registrar, only lend their pids to calls, and an outbox for
// each peer, so that one that does not read holds up nobody else.
//
// Nothing waits for ever. Where OTP does (for a peer's locker, or a name server
// that does not answer) there is a limit, after which the session between the two
// nodes starts over.
//
// A BEAM that is configured with global groups shares no names with a Truss node, which
// has none.
//
// The protocol is that of OTP's global.erl, version 8. docs/decisions/0010 tells
// where this differs from it.
package global
