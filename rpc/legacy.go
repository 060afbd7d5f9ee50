package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// BlockCall is a Call that the peer's rex makes itself, one after the other:
// rpc:block_call/5. The peer does nothing else by rpc meanwhile. A value that the
// function throws is returned like any other, and the reason of an exit that looks
// like an error's cannot be told from one: rpc says no more.
func BlockCall[T any, C Caller](ctx context.Context, from C, node, module, function string, args ...any) (T, error) {
	var result T
	err := perform(from, func(p *truss.Process) error {
		c := call{node, module, function, args}
		request := etf.Tuple(append(append([]any{etf.Atom("block_call")}, c.mfa()...), etf.Atom("user")))
		var reply etf.Term
		if err := p.Call(ctx, truss.Name{Name: "rex", Node: node}, request, &reply); err != nil {
			return c.failed(err, errors.Is(err, truss.ErrNoProcess))
		}
		if bad, ok := reply.(etf.Tuple); ok && len(bad) == 2 && bad[0] == etf.Term(etf.Atom("badrpc")) {
			return c.badrpc(bad[1])
		}
		return c.decode(reply, &result)
	})
	return result, err
}

// badrpc makes an error of {'EXIT', Reason} or {'EXIT', {Reason, Stack}}.
func (c call) badrpc(reason etf.Term) error {
	exit, ok := reason.(etf.Tuple)
	if !ok || len(exit) != 2 || exit[0] != etf.Term(etf.Atom("EXIT")) {
		return c.remote(truss.ClassError, reason, nil, false)
	}
	if why, ok := exit[1].(etf.Tuple); ok && len(why) == 2 {
		if stack, ok := why[1].(etf.List); ok && isStack(stack) {
			return c.remote(truss.ClassError, why[0], stack, false)
		}
	}
	return c.remote(truss.ClassExit, exit[1], nil, false)
}

func isStack(list etf.List) bool {
	for _, entry := range list {
		if frame, ok := entry.(etf.Tuple); !ok || len(frame) < 3 {
			return false
		}
	}
	return true
}

// SBcast sends a message to the processes registered under one name on several
// nodes, by way of their rex, which says whether there was one: rpc:sbcast/3.
// Without nodes it sends to all visible ones and from itself. bad has those without
// such a process (truss.ErrNoProcess), or without rex, or not reached.
func SBcast(ctx context.Context, from *truss.Node, nodes []string, name string, message any) (good []string, bad map[string]error) {
	request := etf.Tuple{etf.Atom("sbcast"), etf.Atom(name), message}
	replies, bad := gather(ctx, from, nodesOr(from, nodes), "rex", request)
	for node, reply := range replies {
		var said etf.Atom
		if reply.Unmarshal(&said) == nil && string(said) == node {
			good = append(good, node)
			continue
		}
		bad[node] = fmt.Errorf("rpc: no process %s on %s: %w", name, node, truss.ErrNoProcess)
	}
	return good, bad
}

// MultiServerCall sends {Pid, request} to the processes registered under one name
// on several nodes, and waits for {Name, Node, Reply} from each:
// rpc:multi_server_call/3, for servers that are no gen_server.
func MultiServerCall[T any](ctx context.Context, from *truss.Node, nodes []string, name string, request any) (replies map[string]T, bad map[string]error) {
	said, bad := gather(ctx, from, nodesOr(from, nodes), name, request)
	replies = make(map[string]T)
	for node, reply := range said {
		var value T
		if err := reply.Unmarshal(&value); err != nil {
			bad[node] = fmt.Errorf("rpc: cannot read the reply of %s on %s: %w", name, node, err)
			continue
		}
		replies[node] = value
	}
	return replies, bad
}

// gather sends {Pid, request} to a registered name on several nodes, and collects
// {name, Node, Reply}.
func gather(ctx context.Context, from *truss.Node, nodes []string, name string, request any) (replies map[string]truss.Message, bad map[string]error) {
	replies, bad = make(map[string]truss.Message), make(map[string]error)
	err := from.Visit(func(p *truss.Process) error {
		waiting := make(map[etf.Ref]string)
		for _, node := range nodes {
			to := truss.Name{Name: name, Node: node}
			ref, err := p.Monitor(ctx, to)
			if err != nil {
				bad[node] = err
				continue
			}
			waiting[ref] = node
			_ = p.Send(ctx, to, etf.Tuple{p.PID(), request}) // that it is not there, the monitor tells
		}
		for len(waiting) > 0 {
			m, err := p.Receive(ctx)
			if err != nil {
				for _, node := range waiting {
					bad[node] = fmt.Errorf("rpc: no reply from %s on %s: %w", name, node, err)
				}
				return nil
			}
			if down, ok := m.Signal().(truss.Down); ok {
				if node, ok := waiting[down.Ref]; ok {
					bad[node] = fmt.Errorf("rpc: %s on %s: %w", name, node, &truss.ExitError{Reason: down.Reason})
					delete(waiting, down.Ref)
				}
				continue
			}
			node, reply, ok := readReply(m, name)
			for ref, asked := range waiting {
				if ok && asked == node {
					replies[node] = reply
					delete(waiting, ref)
					p.Demonitor(ref)
				}
			}
		}
		return nil
	})
	for _, node := range nodes {
		if err != nil {
			bad[node] = err
		}
	}
	return replies, bad
}

func readReply(m truss.Message, name string) (node string, reply truss.Message, ok bool) {
	parts, err := m.Elements()
	if err != nil || len(parts) != 3 || m.Tag() != etf.Atom(name) {
		return "", reply, false
	}
	var said etf.Atom
	if parts[1].Unmarshal(&said) != nil {
		return "", reply, false
	}
	return string(said), parts[2], true
}
