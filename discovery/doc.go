// Package discovery keeps a node connected to the peers that a strategy finds.
//
// It has three parts, and the words are libcluster's:
//
//   - A [Strategy] says which peers exist. It has one method and knows nothing of connections.
//     discovery/dns asks a name server, discovery/static has a list; others watch Kubernetes, etcd or a multicast group.
//   - A [Cluster] is the node: its name, whom it is connected to, connect, disconnect. The package does not import the
//     node; *truss.Node satisfies the interface, and so does a fake of ten lines in a test.
//   - [Run] stands between them and reconciles, for ever.
//
// The usual program has one line of it:
//
//	go discovery.Run(ctx, node, dns.Strategy{Query: "my_app.internal"})
//
// # What Run does
//
// Every update of the strategy, and every tick (5 s) whether or not there was an update, Run compares the peers that
// should be there with the node's list and connects to the missing ones, several at a time. A peer that cannot be
// reached is tried again after a pause that doubles from 1 s to 30 s, with jitter; Run never gives a peer up while the
// strategy reports it. A success resets the pause. What a person wants to know is logged once: a failure when its reason
// changes, not at each try, so a machine that is down for a night costs one line and not six thousand.
//
// Nobody is disconnected because a name server had a bad moment. By default Run never disconnects at all, as dns_cluster
// does not: a peer that is really gone is noticed by the node's own ticks. A [Prune] policy may end connections
// that Run itself made to peers which stayed absent from answers that succeeded.
//
// # Several at once
//
// Runs do not know of each other. Two of them on one node (DNS here, a fixed list there) work side by side: both only
// connect, and each prunes only what it connected itself.
//
// # Writing a strategy
//
// A strategy reports the whole set of peers it believes in, never a difference, so a lost report costs nothing. One that
// asks at intervals is a function handed to [Poll]; one that is told of changes calls report when it hears one. Package
// discovery/discoverytest has the tests every strategy must pass. Why one method is enough is argued in
// docs/decisions/0004-one-method-strategies.md.
package discovery
