package rpc

import (
	"context"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// rex is the process that rpc had before erpc (rpc.erl). BEAMs of OTP 25 and later
// still ask it for its features when they connect, and use it for block_call and
// sbcast; hidden C nodes and jinterface for everything.
type rex struct{ p *truss.Process }

// HandleCall is {call|block_call, Module, Function, Args, GroupLeader}. The group
// leader is not followed: those who print have called by erpc since OTP 23.
func (r *rex) HandleCall(ctx context.Context, from truss.From, request truss.Message) (any, error) {
	f, ok := readRequest(request)
	switch {
	case ok && f.kind == "call":
		return nil, r.spawn(f, func(ctx context.Context, _ *truss.Process, reply any) error {
			return from.Reply(ctx, reply)
		})
	case ok && f.kind == "block_call":
		return f.reply(ctx, r.p), nil // blocks rex, which is what it is for
	}
	// A BEAM's rex gives no answer at all; it would be waited for until a timeout.
	return badrpc(etf.Atom("badcall")), nil
}

// HandleCast is {cast, Module, Function, Args, GroupLeader}.
func (r *rex) HandleCast(_ context.Context, request truss.Message) error {
	f, ok := readRequest(request)
	if !ok || f.kind != "cast" {
		return nil
	}
	_, err := r.p.Node().Spawn(func(ctx context.Context, p *truss.Process) error {
		return executeCast(ctx, p, f.module, f.function, f.args)
	})
	return err
}

// HandleInfo is {From, Request}.
func (r *rex) HandleInfo(ctx context.Context, m truss.Message) error {
	parts, err := m.Elements()
	if err != nil || len(parts) != 2 {
		return nil
	}
	var from etf.Pid
	if parts[0].Unmarshal(&from) != nil {
		return nil
	}
	if parts[1].Tag() == "features_request" {
		return r.tell(ctx, from, etf.Tuple{etf.Atom("features_reply"), r.self(), etf.List{etf.Atom("erpc")}})
	}
	if f, ok := readRequest(parts[1]); ok && f.kind == "call" {
		_ = r.spawn(f, func(ctx context.Context, p *truss.Process, reply any) error {
			return p.Send(truss.NoConnect(ctx), from, etf.Tuple{etf.Atom("rex"), reply})
		})
		return nil
	}
	return r.sendTo(ctx, from, parts[1])
}

// sendTo is {sbcast, Name, Message}, which is answered, and {send, Name, Message},
// which the receiver answers.
func (r *rex) sendTo(ctx context.Context, from etf.Pid, request truss.Message) error {
	parts, err := request.Elements()
	if err != nil || len(parts) != 3 {
		return nil
	}
	var kind, name etf.Atom
	if parts[0].Unmarshal(&kind) != nil || parts[1].Unmarshal(&name) != nil || kind != "sbcast" && kind != "send" {
		return nil
	}
	message := any(parts[2])
	if kind == "send" {
		message = etf.Tuple{from, parts[2]}
	}
	if err := r.p.Send(ctx, name, message); err != nil {
		return r.tell(ctx, from, etf.Tuple{etf.Atom("rex"), r.self(), etf.Tuple{etf.Atom("nonexisting_name"), name}})
	}
	if kind == "sbcast" {
		return r.tell(ctx, from, etf.Tuple{etf.Atom("rex"), r.self(), r.self()})
	}
	return nil
}

// tell sends to whoever asked, and does not mind if it is gone.
func (r *rex) tell(ctx context.Context, to etf.Pid, message any) error {
	_ = r.p.Send(truss.NoConnect(ctx), to, message)
	return nil
}

func (r *rex) self() etf.Atom { return etf.Atom(r.p.Node().Name()) }

// spawn calls the function in a process of its own, and hands answer the reply.
func (r *rex) spawn(f request, answer func(ctx context.Context, p *truss.Process, reply any) error) error {
	_, err := r.p.Node().Spawn(func(ctx context.Context, p *truss.Process) error {
		if err := answer(ctx, p, f.reply(ctx, p)); err != nil {
			p.Node().Logger().Debug("no reply to an rpc", "function", f.module+":"+f.function, "error", err)
		}
		return nil
	})
	if err != nil {
		return err // the node is closing
	}
	return truss.ErrNoReply
}

// request is what rex is asked to call.
type request struct {
	kind             etf.Atom // call, block_call or cast
	module, function etf.Atom
	args             truss.Message
}

func readRequest(m truss.Message) (request, bool) {
	parts, err := m.Elements()
	if err != nil || len(parts) != 5 {
		return request{}, false
	}
	r := request{args: parts[3]}
	for i, to := range []*etf.Atom{&r.kind, &r.module, &r.function} {
		if parts[i].Unmarshal(to) != nil {
			return request{}, false
		}
	}
	return r, true
}

// reply calls the function; what it throws is a result like any other (rpc.erl,
// execute_call/3).
func (r request) reply(ctx context.Context, p *truss.Process) any {
	value, err := p.Apply(ctx, string(r.module), string(r.function), r.args)
	if err == nil {
		if _, err = truss.NewMessage(value); err == nil {
			return value
		}
	}
	e := exceptionOf(p, r.module, r.function, err)
	switch {
	case e.Class == truss.ClassThrow:
		return e.Reason
	case e.Class == truss.ClassExit, argError(e):
		return badrpc(etf.Tuple{etf.Atom("EXIT"), e.Reason})
	}
	return badrpc(etf.Tuple{etf.Atom("EXIT"), etf.Tuple{e.Reason, e.Stack}})
}

func badrpc(reason etf.Term) etf.Tuple { return etf.Tuple{etf.Atom("badrpc"), reason} }
