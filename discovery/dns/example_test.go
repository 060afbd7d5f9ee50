package dns_test

import (
	"context"
	"fmt"
	"net"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/dns"
)

// A name server on loopback stands in for the platform's; without Server the one of resolv.conf is asked.
func ExampleStrategy() {
	server, stop := serve("my_app.internal. 5 A 10.0.0.2", "my_app.internal. 5 AAAA fdaa:0:1:0::3")
	defer stop()

	s := dns.Strategy{Query: "my_app.internal", Server: server}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	// discovery.Run(ctx, node, s) does this, and connects the node to what is reported.
	s.Watch(ctx, discovery.Self{Name: "my_app@10.0.0.1"}, func(u discovery.Update) {
		for _, p := range u.Peers {
			fmt.Println(p.Name)
		}
		cancel()
	})
	// Output:
	// my_app@10.0.0.2
	// my_app@fdaa:0:1::3
}

// With SRV records each peer has its port, and none needs an epmd.
func ExampleStrategy_srv() {
	server, stop := serve("demo.internal. 5 SRV 0 0 9001 m1.demo.internal.", "demo.internal. 5 SRV 0 0 9002 m2.demo.internal.",
		"m1.demo.internal. 5 A 127.0.0.1", "m2.demo.internal. 5 A 127.0.0.1")
	defer stop()

	s := dns.Strategy{Query: "demo.internal", Types: []dns.Type{dns.SRV}, TargetNames: true, Server: server}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	s.Watch(ctx, discovery.Self{Name: "app@m1.demo.internal"}, func(u discovery.Update) {
		for _, p := range u.Peers {
			fmt.Println(p.Name, p.Addrs)
		}
		cancel()
	})
	// Output:
	// app@m1.demo.internal [127.0.0.1:9001]
	// app@m2.demo.internal [127.0.0.1:9002]
}

// serve is a name server that knows a few records.
func serve(lines ...string) (addr string, stop func()) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	started := make(chan struct{})
	srv := &mdns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) },
		Handler: mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
			m := new(mdns.Msg).SetReply(q)
			for _, line := range lines {
				if rr, err := mdns.NewRR(line); err == nil && rr.Header().Name == q.Question[0].Name && rr.Header().Rrtype == q.Question[0].Qtype {
					m.Answer = append(m.Answer, rr)
				}
			}
			w.WriteMsg(m)
		})}
	go srv.ActivateAndServe()
	<-started
	return conn.LocalAddr().String(), func() { srv.Shutdown() }
}
