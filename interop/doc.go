// Package interop is the tests of Truss against real Erlang/OTP nodes, every
// release of the support matrix on its own. It has no code of its own: the nodes
// are started by internal/beam, what runs inside them is in testdata, and each
// file takes one subject.
//
// scripts/peers.sh installs the releases. One that is absent is logged, and with
// TRUSS_INTEROP=require in the environment it fails the tests.
package interop
