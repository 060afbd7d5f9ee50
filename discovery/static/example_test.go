package static_test

import (
	"context"
	"fmt"

	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/static"
)

func ExampleStrategy() {
	s := static.Strategy{
		Nodes: []string{"app@10.0.0.2"},
		Peers: []discovery.Peer{{Name: "jobs@10.0.0.3", Addrs: []string{"10.0.0.3:9001"}}},
	}
	err := s.Watch(context.Background(), discovery.Self{Name: "app@10.0.0.1"}, func(u discovery.Update) {
		for _, p := range u.Peers {
			fmt.Println(p.Name, p.Addrs)
		}
	})
	fmt.Println(err)
	// Output:
	// app@10.0.0.2 []
	// jobs@10.0.0.3 [10.0.0.3:9001]
	// <nil>
}
