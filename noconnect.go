package truss

import "context"

type noConnectKey struct{}

// NoConnect returns a context with which signals go only to nodes that are
// connected already, as with the option noconnect of erlang:send/3. To others
// Send, Cast and Call fail with ErrNoConnection at once, and Monitor and Link say
// noconnection. Whoever follows nodes as they come and go wants it: what is on
// its way to a node that has just left must not call it back.
func NoConnect(ctx context.Context) context.Context {
	return context.WithValue(ctx, noConnectKey{}, true)
}

func mayConnect(ctx context.Context) bool { return ctx.Value(noConnectKey{}) == nil }
