// Package supervisor keeps processes running: it starts them in order, starts
// those that fail anew, gives up when that does not help, and stops them in the
// reverse order.
//
//	sup, err := node.Spawn(supervisor.New(supervisor.Config{},
//		supervisor.Child{Name: "store", Run: runStore},
//		supervisor.Child{Name: "calc", Run: func(ctx context.Context, p *truss.Process) error {
//			return p.Serve(ctx, &Calc{}) // a fresh one each time
//		}, Options: []truss.SpawnOption{truss.Registered("calc")}},
//	))
//	…
//	err = node.Stop(ctx, sup, etf.Atom("shutdown")) // calc first, then store
//
// A supervisor is a ProcessFunc, so a child can be one: trees are made of nothing
// else. It is linked to its children and traps exits, so to whoever links to it,
// from this node or another, it is a process like any; supervisor:which_children/1
// and count_children/1 of OTP, and Elixir's, work on it, and so does the module sys.
//
// What differs from OTP's, because a child is a goroutine:
//
//   - A goroutine cannot be killed. A process that gets an exit signal is dead to
//     the cluster at once, its context is done, and its function is expected to
//     return. A supervisor waits for that, for Child.Shutdown at most, before it
//     starts the next incarnation; what does not return is told to the log.
//   - There is no init that the supervisor waits for: a child is started when its
//     process exists. What must be ready before the next child starts belongs
//     before the supervisor.
//   - The set of children is fixed. A process that is to be there for a while is a
//     goroutine of a child, or a process linked to one.
package supervisor
