package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
)

// apply calls a function on a node, by way of rex: it is there on every BEAM and
// on truss node, asks nothing of the node but the call, and what is called runs in
// a process of its own, so that nothing there can be harmed by a visitor's
// question. (Asking a pg scope or a name server directly would save the node that
// process; but what they do not know ends some of them.)
func (v *visit) apply(ctx context.Context, node, module, function string, args ...etf.Term) (etf.Term, error) {
	// The last element is the group leader of the process that makes the call; the
	// atom user is for callers that have none to offer (rpc.erl, set_group_leader).
	request := etf.Tuple{etf.Atom("call"), etf.Atom(module), etf.Atom(function), append(etf.List{}, args...), etf.Atom("user")}
	reply, err := truss.Call[etf.Term](ctx, v.node, truss.Name{Name: "rex", Node: node}, request)
	if err != nil {
		return nil, err
	}
	if bad, ok := reply.(etf.Tuple); ok && len(bad) == 2 && bad[0] == etf.Term(etf.Atom("badrpc")) {
		return nil, &badRPC{fmt.Sprintf("%s:%s/%d", module, function, len(args)), bad[1]}
	}
	return reply, nil
}

// badRPC is a function that could not be called, or failed.
type badRPC struct {
	function string
	reason   etf.Term // {'EXIT', {Reason, Stack}}, most of the time
}

func (e *badRPC) Error() string {
	if e.failedWith("undef") {
		return "it has no function " + e.function
	}
	return e.function + " fails there: " + etf.Format(e.reason)
}

// failedWith tells whether that was the error, as in error(Reason).
func (e *badRPC) failedWith(reason etf.Atom) bool {
	exit, ok := e.reason.(etf.Tuple)
	if !ok || len(exit) != 2 || exit[0] != etf.Term(etf.Atom("EXIT")) {
		return false
	}
	why, ok := exit[1].(etf.Tuple)
	return ok && len(why) > 0 && why[0] == etf.Term(reason)
}

// lacks tells whether an error of apply says that the node has no such function.
func lacks(err error) bool {
	var bad *badRPC
	return errors.As(err, &bad) && bad.failedWith("undef")
}

// applyFailed explains why a call by apply has no result.
func (v *visit) applyFailed(ctx context.Context, doing string, err error) error {
	var bad *badRPC
	switch {
	case ctx.Err() != nil: // stepFailed says it
	case errors.Is(err, truss.ErrNoProcess):
		return v.failed(ctx, doing, errors.New("no process is registered as rex there"), "BEAMs have one, and truss node")
	case errors.As(err, &bad):
		return v.failed(ctx, doing, bad, "")
	}
	return v.callFailed(ctx, "rex", err)
}
