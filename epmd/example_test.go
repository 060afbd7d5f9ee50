package epmd_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/truss-beam/truss/epmd"
)

// A node registers for as long as it runs, and does not care who serves.
func ExampleJoin() {
	m, err := epmd.Join(context.Background(), epmd.Config{Name: "app", Port: 41234})
	if errors.Is(err, epmd.ErrNameTaken) {
		log.Fatal("app runs on this host already")
	}
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	fmt.Println("creation", m.Creation(), "serving", m.Serving())
}

// Where does app@10.0.0.2 listen?
func ExampleClient_Lookup() {
	var c epmd.Client
	entry, err := c.Lookup(context.Background(), "10.0.0.2", "app")
	var unknown *epmd.UnknownNameError
	if errors.As(err, &unknown) {
		fmt.Println("there is only", unknown.Known)
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(entry.Port)
}

// A drop-in for the epmd command, until killed.
func ExampleServer() {
	ctx := context.Background()
	port, err := epmd.EnvPort()
	if err != nil {
		log.Fatal(err)
	}
	addrs, err := epmd.BindList(os.Getenv("ERL_EPMD_ADDRESS"))
	if err != nil {
		log.Fatal(err)
	}
	listeners, err := epmd.Listen(ctx, nil, addrs, port)
	if err != nil {
		log.Fatal(err)
	}
	var s epmd.Server
	log.Fatal(s.Serve(ctx, listeners...))
}
