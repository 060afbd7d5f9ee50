package main

import (
	"testing"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// The floor keeps the contract of every contender: what was sent is confirmed.
func TestFloor(t *testing.T) {
	where, err := serve(contender.Job{})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []contender.Job{
		{Scenario: "send", Payload: "tuple", Count: 100, Senders: 1, Warmup: 10},
		{Scenario: "send", Payload: "binary", Size: 64, Count: 96, Senders: 8, Warmup: 16},
		{Scenario: "send", Payload: "binary", Size: 100_000, Count: 20, Senders: 2},
		{Scenario: "rtt", Payload: "tuple", Count: 10, Senders: 1},
		{Scenario: "mixed", Size: 1_000_000, Count: 5, Senders: 1},
		{Scenario: "call", Count: 12, Senders: 4, Warmup: 4},
		{Scenario: "erpc", Count: 12, Senders: 4, Warmup: 4},
	} {
		j.Peer = where
		f, err := drive(j)
		if err != nil || f["count"] != float64(j.Count) || f["rate"] <= 0 {
			t.Errorf("%+v: %v, %v", j, f, err)
		}
	}
	if _, err := drive(contender.Job{Scenario: "none", Peer: where}); err == nil {
		t.Error("a scenario that it does not have")
	}
}
