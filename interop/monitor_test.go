package interop

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// endsWith is a process that ends with the first message, as its exit reason.
func endsWith(ctx context.Context, p *truss.Process) error {
	m, err := p.Receive(ctx)
	if err != nil {
		return err
	}
	reason, err := m.Term()
	if err != nil {
		return err
	}
	return &truss.ExitError{Reason: reason}
}

func spawn(t *testing.T, n *truss.Node, fn truss.ProcessFunc, opts ...truss.SpawnOption) *truss.Process {
	t.Helper()
	p, err := n.Spawn(fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTheyMonitor: the BEAM monitors Go processes by name and by pid.
func TestTheyMonitor(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		// Its pid reaches the BEAM by this.
		spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
			for {
				m, err := self.Receive(ctx)
				if err != nil {
					return err
				}
				to, err := m.Term()
				if err != nil {
					return err
				}
				victim := spawn(t, p.node, endsWith, truss.Registered("victim"))
				if err := self.Send(ctx, to, victim.PID()); err != nil {
					return err
				}
			}
		}, truss.Registered("maker"))
		const newVictim = "Go = 'go@127.0.0.1', {maker, Go} ! self(), Pid = receive P when is_pid(P) -> P after 10000 -> error(no_pid) end, "
		const down = ", receive {'DOWN', Ref, process, Object, Reason} -> {Object, Reason} after 10000 -> nothing end"
		for _, c := range []struct{ expr, want string }{
			{"Ref = monitor(process, {nobody, Go})" + down, "{{nobody,'go@127.0.0.1'},noproc}"},
			{"Ref = monitor(process, {victim, Go}), Pid ! {bad, 1}" + down, "{{victim,'go@127.0.0.1'},{bad,1}}"},
			{"Ref = monitor(process, Pid), Pid ! normal" + down + " =:= {Pid, normal}", "true"},
			{"Ref = monitor(process, Pid), exit(Pid, kill)" + down + " =:= {Pid, killed}", "true"},
			{"Ref = monitor(process, Pid), exit(Pid, shutdown)" + down + " =:= {Pid, shutdown}", "true"},
			{"Pid ! normal, R1 = monitor(process, Pid), receive {'DOWN', R1, _, _, _} -> ok end, Ref = monitor(process, Pid)" + down + " =:= {Pid, noproc}", "true"},
			// Demonitored: nothing may come.
			{"Ref = monitor(process, Pid), demonitor(Ref), R2 = monitor(process, Pid), Pid ! normal, receive {'DOWN', R2, _, _, _} -> ok end, process_info(self(), messages)", "{messages,[]}"},
		} {
			// Each needs a new process of the same name, so the old one must be gone.
			got := p.beam.MustEval(t, newVictim+"Result = (begin "+c.expr+" end), exit(Pid, kill), "+
				"Gone = monitor(process, Pid), receive {'DOWN', Gone, _, _, _} -> Result end")
			if got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
		}
	})
}

// TestWeMonitor: a Go process monitors the BEAM's.
func TestWeMonitor(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		for _, c := range []struct {
			name   string
			before string // in the BEAM, once the monitor is there
			want   string
		}{
			{"nobody", "ok", "noproc"},
			{"killed", "exit(whereis(killed), kill)", "killed"},
			{"ended", "ended ! {some, reason}", "{some,reason}"},
			{"ended_normally", "ended_normally ! normal", "normal"},
		} {
			if c.name != "nobody" {
				p.beam.MustEval(t, "register("+c.name+", spawn(fun() -> receive Reason -> exit(Reason) end end))")
			}
			testMonitor(t, p, c.name, c.before, c.want)
		}
		p.beam.MustEval(t, "register(lost, spawn(fun() -> receive after infinity -> ok end end))")
		testMonitor(t, p, "lost", "erlang:disconnect_node('go@127.0.0.1')", "noconnection")
	})
}

func testMonitor(t *testing.T, p pair, name, cause, want string) {
	t.Helper()
	done := make(chan error, 1)
	to := truss.Name{Name: name, Node: p.beam.Name}
	spawn(t, p.node, func(ctx context.Context, self *truss.Process) error {
		done <- func() error {
			ref, err := self.Monitor(ctx, to)
			if err != nil {
				return err
			}
			// Behind the monitor on the wire, so when it is answered the monitor stands.
			if err := self.Call(ctx, truss.Name{Name: "net_kernel", Node: p.beam.Name}, etf.Tuple{etf.Atom("is_auth"), etf.Atom(p.node.Name())}, nil); err != nil {
				return err
			}
			if _, err := p.beam.Eval(ctx, cause); err != nil {
				return err
			}
			m, err := self.Receive(ctx)
			if err != nil {
				return err
			}
			term, err := m.Term()
			if err != nil {
				return err
			}
			down, ok := term.(truss.Down)
			if !ok || down.Ref != ref || down.Object != any(to) || etf.Format(down.Reason) != want {
				return fmt.Errorf("%+v, want reason %s", term, want)
			}
			return nil
		}()
		return nil
	})
	if err := <-done; err != nil {
		t.Errorf("monitor of %s: %v", name, err)
	}
}

// TestTheyLink: the BEAM links to Go processes, and each end hears of the
// other's.
func TestTheyLink(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		exits := make(chan etf.Term, 1)
		// {From, Command}: die ends with the reason {died}, trap traps exits and reports
		// what arrives.
		server := func(ctx context.Context, self *truss.Process) error {
			for {
				m, err := self.Receive(ctx)
				if err != nil {
					return err
				}
				term, err := m.Term()
				if err != nil {
					return err
				}
				if exit, ok := term.(truss.Exit); ok {
					exits <- exit.Reason
					continue
				}
				request := term.(etf.Tuple)
				switch request[1] {
				case etf.Term(etf.Atom("trap")):
					self.TrapExit(true)
				case etf.Term(etf.Atom("die")):
					return &truss.ExitError{Reason: etf.Tuple{etf.Atom("died")}}
				}
				if err := self.Send(ctx, request[0], self.PID()); err != nil {
					return err
				}
			}
		}
		const linked = "Go = 'go@127.0.0.1', process_flag(trap_exit, true), Ask = fun(To, M) -> To ! {self(), M}, receive P when is_pid(P) -> P after 10000 -> error(no_pid) end end, Pid = Ask({linker, Go}, pid), link(Pid), "
		const exit = ", receive {'EXIT', Pid, Reason} -> Reason after 10000 -> nothing end"
		for _, c := range []struct{ expr, want string }{
			{"Pid ! {self(), die}" + exit, "{died}"},
			{"exit(Pid, kill)" + exit, "killed"},
			{"exit(Pid, normal), Ask(Pid, pid) =:= Pid", "true"}, // nothing happens
			{"unlink(Pid), R = monitor(process, Pid), Pid ! {self(), die}, receive {'DOWN', R, _, _, _} -> ok end, process_info(self(), messages)", "{messages,[]}"},
			{"unlink(Pid), link(Pid), unlink(Pid), link(Pid), Pid ! {self(), die}" + exit, "{died}"},
			{"erlang:disconnect_node(Go)" + exit, "noconnection"},
		} {
			ours := spawn(t, p.node, server, truss.Registered("linker"))
			if got := p.beam.MustEval(t, linked+c.expr); got != c.want {
				t.Errorf("%s gives %s, want %s", c.expr, got, c.want)
			}
			endLocally(t, p.node, ours)
		}
		// A linked process of the BEAM ends ours, unless it traps exits.
		ours := spawn(t, p.node, server, truss.Registered("linker"))
		p.beam.MustEval(t, "spawn(fun() -> "+linked+"exit({my, reason}) end)")
		<-ours.Context().Done()
		var ended *truss.ExitError
		if !errors.As(context.Cause(ours.Context()), &ended) || etf.Format(ended.Reason) != "{my,reason}" {
			t.Errorf("ours ended by %v", context.Cause(ours.Context()))
		}
		spawn(t, p.node, server, truss.Registered("linker"))
		p.beam.MustEval(t, "spawn(fun() -> "+linked+"Pid = Ask(Pid, trap), exit({my, reason}) end)")
		if got := etf.Format(<-exits); got != "{my,reason}" {
			t.Errorf("ours traps %s", got)
		}
	})
}

// endLocally ends a process and waits until its name is free.
func endLocally(t *testing.T, n *truss.Node, p *truss.Process) {
	t.Helper()
	killer := spawn(t, n, func(ctx context.Context, self *truss.Process) error {
		return self.Exit(ctx, p.PID(), etf.Atom("kill"))
	})
	<-killer.Context().Done()
	<-p.Context().Done()
	eventually(t, "the name is free", func() bool { return n.Whereis("linker") == nil })
}
