// Command truss is the contender that this repository is about. Its drivers also
// measure what needs no other system: terms, memory and a mesh in one program.
package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/otp"
)

func main() {
	contender.Program{Serve: serve, Drive: drive}.Main()
}

func drive(j contender.Job) (contender.Figures, error) {
	scenarios := map[string]func(contender.Job) (contender.Figures, error){
		"send":         driveSend,
		"rtt":          driveTrips,
		"call":         driveCalls,
		"erpc":         driveERPC,
		"mixed":        driveMixed,
		"broadcast":    driveBroadcast,
		"encode":       driveEncode,
		"decode":       driveDecode,
		"idle-process": driveIdleProcesses,
		"idle-conn":    driveIdleConnections,
		"mesh":         driveMesh,
		"mesh-share":   driveMeshShare,
	}
	run := scenarios[j.Scenario]
	if run == nil {
		return nil, fmt.Errorf("no scenario %q", j.Scenario)
	}
	return run(j)
}

// start starts a node as every user gets it, but for loopback and a cookie.
func start(j contender.Job, name string, configure ...func(*truss.Config)) (*truss.Node, error) {
	config := truss.Config{
		Name:   name,
		Cookie: otp.Cookie,
		Listen: "127.0.0.1",
		Epmd:   fmt.Sprintf("127.0.0.1:%d", j.EPMD),
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range configure {
		f(&config)
	}
	return truss.Start(context.Background(), config)
}

// connected starts a node that is connected to the peer.
func connected(j contender.Job) (*truss.Node, error) {
	node, err := start(j, j.Name)
	if err != nil {
		return nil, err
	}
	return node, node.Connect(context.Background(), j.Peer)
}
