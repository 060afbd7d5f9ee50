package truss

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"time"

	"github.com/truss-beam/truss/etf"
)

// Tasks is a Server that does for exported functions what Elixir's Task.Supervisor
// does for those of a BEAM:
//
//	node.Serve("tasks", truss.Tasks())
//	iex> Task.Supervisor.async({:tasks, node}, MyApp.Calc, :add, [1, 2]) |> Task.await()
//
// async, async_nolink, async_stream and start_child start a function of a module
// Exported, which ends with the server; one that fails ends with its exception, as
// SpawnRemote's do. Tasks are never restarted. Each Serve needs a value of its own.
func Tasks() Server { return &tasks{running: make(map[etf.Pid]struct{})} }

// tasks is owned by its server's goroutine.
type tasks struct{ running map[etf.Pid]struct{} }

// HandleCall answers what Task.Supervisor asks (task/supervisor.ex and
// dynamic_supervisor.ex of Elixir 1.14 to 1.20).
func (s *tasks) HandleCall(ctx context.Context, from From, request Message) (any, error) {
	from.on.TrapExit(true) // tasks are linked to the server; their ends are no end of it
	term, err := request.Term()
	if err != nil {
		return nil, err
	}
	tuple, _ := term.(etf.Tuple)
	switch {
	case term == etf.Term(etf.Atom("which_children")):
		children := etf.List{}
		for pid := range maps.Keys(s.running) {
			children = append(children, etf.Tuple{etf.Atom("undefined"), pid, etf.Atom("worker"), etf.List{etf.Atom("Elixir.Task.Supervised")}})
		}
		return children, nil
	case len(tuple) == 2 && tuple[0] == etf.Term(etf.Atom("terminate_child")):
		pid, _ := tuple[1].(etf.Pid)
		if _, ours := s.running[pid]; !ours {
			return etf.Tuple{etf.Atom("error"), etf.Atom("not_found")}, nil
		}
		return etf.Atom("ok"), from.on.Exit(ctx, pid, etf.Atom("shutdown"))
	case len(tuple) == 4 && tuple[0] == etf.Term(etf.Atom("start_task")):
		return s.start(from.on, tuple[1])
	}
	return nil, errors.New("not a request to a Task.Supervisor: " + request.String())
}

// HandleInfo forgets tasks that have ended. Any other exit ends the server.
func (s *tasks) HandleInfo(_ context.Context, m Message) error {
	exit, ok := m.Signal().(Exit)
	if !ok {
		return nil
	}
	if _, ours := s.running[exit.From]; !ours {
		return &ExitError{Reason: exit.Reason}
	}
	delete(s.running, exit.From)
	return nil
}

// start starts a task, which its owner tells later what to run, and whom to answer:
// args are [{Node, Name, Owner}, Monitor]. Only start_child of Elixir before 1.15
// says it here: [{Node, Name, Owner}, Callers, {M, F, Args}].
func (s *tasks) start(on *Process, args etf.Term) (any, error) {
	list, _ := args.(etf.List)
	if len(list) < 2 || len(list) > 3 {
		return nil, errors.New("not the arguments of a task: " + etf.Format(args))
	}
	var task task
	owner, _ := list[0].(etf.Tuple)
	if len(owner) == 3 {
		task.owner, _ = owner[2].(etf.Pid)
	}
	run := task.await
	if len(list) == 3 {
		var err error
		if task.call, err = mfaOf(list[2]); err != nil {
			return nil, err
		}
		run = task.call.run
	}
	n := on.node
	p, err := n.newChild(etf.Pid{})
	if errors.Is(err, errTooManyChildren) {
		return etf.Tuple{etf.Atom("error"), etf.Atom("max_children")}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := n.linkLocal(on, p.pid); err != nil {
		n.dropChild(p, reasonShutdown)
		return nil, err
	}
	s.running[p.pid] = struct{}{}
	n.startChild(p, run)
	return etf.Tuple{etf.Atom("ok"), p.pid}, nil
}

// task is one process of Tasks.
type task struct {
	owner etf.Pid
	call  mfa
}

// taskTimeout is how long a task waits for its owner to say what to do, as in
// task/supervised.ex.
const taskTimeout = 5 * time.Second

// await waits for the owner's {Owner, Ref, ReplyTo, Callers, MFA}, runs it and sends
// ReplyTo {Ref, Value}.
func (t task) await(ctx context.Context, p *Process) error {
	ref, err := p.Monitor(ctx, t.owner)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, taskTimeout)
	defer cancel()
	m, err := p.receive(limited, func(m Message) bool { return t.isOrder(m, ref) })
	if err != nil {
		return cmp.Or(p.exited(), error(&ExitError{Reason: etf.Atom("timeout")}))
	}
	if down, ok := m.Signal().(Down); ok {
		return &ExitError{Reason: etf.Tuple{etf.Atom("shutdown"), down.Reason}}
	}
	p.Demonitor(ref)
	term, err := m.Term()
	if err != nil {
		return err
	}
	order := term.(etf.Tuple) // isOrder has seen to it
	if t.call, err = mfaOf(order[4]); err != nil {
		return err
	}
	value, failed := p.apply(ctx, t.call)
	if failed != nil {
		return failed
	}
	// An owner that is gone is no reason to fail, nor to connect to its node again.
	err = p.Send(NoConnect(ctx), order[2], etf.Tuple{order[1], value})
	if bad := new(etf.EncodeError); errors.As(err, &bad) {
		return err
	}
	return nil
}

// isOrder tells what the owner has to say from anything else.
func (t task) isOrder(m Message, ref etf.Ref) bool {
	if m.Signal() != nil {
		down, ok := m.Signal().(Down)
		return ok && down.Ref == ref
	}
	d := m.decoder()
	if arity, err := d.Tuple(); err != nil || arity != 5 {
		return false
	}
	from, err := d.Pid()
	return err == nil && from == t.owner
}

// mfaOf reads {M, F, Args}.
func mfaOf(term etf.Term) (mfa, error) {
	if tuple, ok := term.(etf.Tuple); ok && len(tuple) == 3 {
		module, isModule := tuple[0].(etf.Atom)
		function, isFunction := tuple[1].(etf.Atom)
		if raw, err := encoded(tuple[2]); err == nil && isModule && isFunction {
			return mfa{module: module, function: function, args: Message{raw: raw}}, nil
		}
	}
	return mfa{}, errors.New("not a function with arguments: " + etf.Format(term))
}
