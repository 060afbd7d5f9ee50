package discovery

import "context"

// Cluster is what Run needs of a node. All methods are called from several goroutines.
type Cluster interface {
	Name() string                                      // full name of this node, "app@10.0.0.1"
	Nodes() []string                                   // names of the visible peers it is connected to; one that is missing is asked for by Connect now and then
	Connect(ctx context.Context, name string) error    // nil if connected, also if it already was
	Disconnect(ctx context.Context, name string) error // called by a Prune policy only
}

// AddrConnector is what a Cluster may offer beside Connect: to connect to a named node at an address ("10.0.0.2:9001",
// "[fdaa::2]:9001"), without asking epmd for its port. Run uses it for a [Peer] with Addrs, each in turn until one
// works; a Cluster without it is asked to Connect by name.
type AddrConnector interface {
	ConnectAddr(ctx context.Context, name, addr string) error
}
