// Package simnet is an in-memory TCP network with faults, for tests.
//
// A test of a cluster wants netsplits, dead links, lost hosts and slow lines,
// and wants the hours they take to pass in microseconds. testing/synctest gives
// the clock; this package gives the network, because a goroutine that reads a
// real socket never counts as blocked and would stop the fake clock for ever.
// Everything here waits on a channel or a sync.Cond, which do count.
//
//	synctest.Test(t, func(t *testing.T) {
//		n := simnet.New(simnet.Options{})
//		a, b := n.Host("10.0.0.1"), n.Host("10.0.0.2", "fd00::2", "b.internal")
//		l, _ := b.Listen(ctx, "tcp", ":4369")
//		c, _ := a.Dial(ctx, "tcp", "b.internal:4369")
//		n.Partition([]string{"10.0.0.1"}) // a alone, everybody else together
//		n.Heal()
//	})
//
// [Host.Dial] has the signature of net.Dialer.DialContext and [Host.Listen]
// that of net.ListenConfig.Listen: code under test needs no other seam than
// these two functions. It works without synctest as well; make the network
// inside the bubble if there is one.
//
// # What is modelled
//
// A connection is a bounded pipe in each direction (64 KiB unless told
// otherwise), so a peer that stops reading makes its writer wait, as a socket
// does. Each direction may have a latency and a bandwidth ([Link]); without
// them there are no timers, and never a goroutine per connection.
//
// Errors are those of the net package on Linux: *net.OpError around
// syscall.ECONNREFUSED, ECONNRESET, EPIPE, EHOSTUNREACH, EADDRINUSE, or
// net.ErrClosed, or os.ErrDeadlineExceeded. Closing a connection that holds
// unread bytes resets it, and the first write to a peer that has closed
// succeeds and the second fails, as with real TCP.
//
// The faults, from quiet to loud:
//
//   - [Network.Partition], [Network.Block]: bytes, FINs and RSTs stop flowing and nobody
//     is told, like a pulled cable. Only a timeout notices. What was sent meanwhile
//     arrives after [Network.Heal], as TCP's retransmission would have it.
//   - [Network.Cut]: every connection between two hosts is reset now.
//   - [Host.Kill]: the host's program dies: connections reset, listeners gone,
//     new dials refused. The host may listen again afterwards.
//   - [Faulty] wraps one net.Conn, also a real one: breaks it after N bytes, splits
//     its writes, delays them.
//
// Not modelled: UDP, packet loss short of a partition, and acknowledgements: under
// a one-way [Network.Block] the open direction works at full speed, where real TCP
// would stall once its window is full.
package simnet
