package play

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	mdns "github.com/miekg/dns"
)

// nameServer answers for a zone over UDP and TCP.
type nameServer struct {
	servers []*mdns.Server
	done    sync.WaitGroup
}

// serveDNS serves until close, and owns the sockets.
func serveDNS(z *zone, packets net.PacketConn, stream net.Listener) *nameServer {
	n := &nameServer{servers: []*mdns.Server{
		{PacketConn: packets, Handler: answerFrom(z, true)},
		{Listener: stream, Handler: answerFrom(z, false)},
	}}
	for _, server := range n.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		n.done.Go(func() { _ = server.ActivateAndServe() }) // ends by close alone: the sockets are bound
		<-started                                           // one that has not started cannot be shut down
	}
	return n
}

// answerFrom handles queries. A reply that UDP cannot carry is truncated, and
// the client comes again over TCP.
func answerFrom(z *zone, udp bool) mdns.Handler {
	return mdns.HandlerFunc(func(w mdns.ResponseWriter, query *mdns.Msg) {
		reply := z.answer(query)
		size := mdns.MaxMsgSize
		if udp {
			size = mdns.MinMsgSize
		}
		if edns := query.IsEdns0(); edns != nil {
			if udp {
				size = max(size, int(edns.UDPSize()))
			}
			reply.SetEdns0(1232, false) // DNS flag day 2020: what passes everywhere unfragmented
		}
		reply.Truncate(size)
		_ = w.WriteMsg(reply) // who asked will ask again
	})
}

func (n *nameServer) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var errs []error
	for _, server := range n.servers {
		errs = append(errs, server.ShutdownContext(ctx))
	}
	n.done.Wait()
	return errors.Join(errs...)
}
