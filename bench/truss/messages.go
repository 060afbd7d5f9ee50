package main

import "github.com/truss-beam/truss/etf"

// The messages between the nodes: see package contender.

type startReceivers struct {
	_         struct{} `etf:"start,tuple"`
	From      etf.Pid
	Kind      etf.Atom
	Receivers int
	Each      int
}

type ready struct {
	_    struct{} `etf:"ready,tuple"`
	Pids []etf.Pid
}

type done struct {
	_          struct{} `etf:"done,tuple"`
	Count, Sum uint64
}

type collect struct {
	_    struct{} `etf:"collect,tuple"`
	From etf.Pid
}

type collected struct {
	_     struct{} `etf:"collected,tuple"`
	Bytes uint64
}

type ping struct {
	_    struct{} `etf:"ping,tuple"`
	From etf.Pid
	N    uint64
}

type pong struct {
	_ struct{} `etf:"pong,tuple"`
	N uint64
}

// reading is the small tuple {reading, N, on}.
type reading struct {
	_     struct{} `etf:"reading,tuple"`
	N     uint64
	State etf.Atom
}

type add struct {
	_    struct{} `etf:"add,tuple"`
	A, B int
}
