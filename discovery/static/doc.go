// Package static is discovery from a fixed list of nodes, what libcluster calls its Epmd strategy:
//
//	go discovery.Run(ctx, node, static.Strategy{Nodes: []string{"a@10.0.0.2", "b@10.0.0.3"}})
//
// The list is reported once. [discovery.Run] goes on from there: it comes back to the peers of the list for ever, also
// to those that were not up yet, so the order in which machines start does not matter.
package static
