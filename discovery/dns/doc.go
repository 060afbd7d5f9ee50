// Package dns is discovery by DNS: all that Elixir's dns_cluster does, and what its users ask for.
//
//	go discovery.Run(ctx, node, dns.Strategy{Query: "my_app.internal"})
//
// Every address that the name has becomes a peer with this node's own base name: my_app@10.0.0.2 for an A record,
// my_app@fdaa:0:1::3 for an AAAA record, printed as Erlang's inet:ntoa/1 prints it, because a node's name is compared
// letter by letter. So nodes must be named after their addresses, and a warning says which lines to paste if this one
// is not. With no Query the environment's DNS_CLUSTER_QUERY is taken; with neither, discovery is off and says so.
//
// # Queries
//
// Query takes a list. A base name before an @ is dns_cluster's {basename, query}: the peers of that query are called so,
// and not as this node is.
//
//	dns.Strategy{Query: "app-one.internal, app-two.internal, jobs@jobs.internal"}
//
// Names are completed as resolv.conf(5) says (search, ndots), which makes short names work in Kubernetes; the servers,
// timeout and attempts come from there too, and the file is read again before each poll. Server names another server.
//
// # SRV records
//
// With Types: []dns.Type{dns.SRV} the query's SRV records are resolved to their targets' addresses, and the peers are
// named after these, as above (dns_cluster ignores the rest of the record, and so is priority and weight ignored here:
// a cluster wants all its nodes). The port is honoured: the peer is dialled there without asking an epmd. Port 4369, or
// ERL_EPMD_PORT, is epmd's own: those peers are dialled in the usual way, and so are all with IgnoreSRVPorts, for zones
// whose SRV records announce something else. TargetNames calls the peers after the record's target (app@web-1.demo.internal),
// as a Kubernetes StatefulSet wants it; several nodes with one base name on one address need it to be told apart.
//
// # When it asks
//
// At once, then every Interval (5 s); sooner if the records live shorter than that: the next poll comes when the first
// of them expires, but not within MinInterval (1 s) of the last. A TTL never makes a poll later: with an hour's TTL a
// new machine would be an hour late, and asking the resolver's cache costs nothing. A TTL of 0 says "do not
// cache", not "ask all the time", so it changes nothing.
//
// # When DNS fails
//
// Errors are reported (see [Error]): no such name, SERVFAIL, REFUSED, timeout, a server that cannot be reached, no server
// at all. A question that failed keeps the answer it had before: a gap in DNS takes nobody out of the cluster. Note
// that NXDOMAIN counts as a failure here, an answer without records does not. Truncated answers are asked for again over
// TCP; EDNS0 is used, and left out for servers that do not know it.
//
// # What differs from dns_cluster
//
// Nothing in the names. An SRV target is looked up in DNS only (not in /etc/hosts), and in the address family of this
// node's own name first, then in the other one; Erlang takes IPv4 unless told otherwise. The connect timeout is
// in [discovery.Config], which also does what dns_cluster leaves out: backoff, jitter, pruning.
package dns
