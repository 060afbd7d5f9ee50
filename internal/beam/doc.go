// Package beam starts real Erlang/OTP nodes for tests and evaluates code inside
// them.
//
// A test asks for the releases that are installed, starts nodes and talks to
// them:
//
//	for _, release := range beam.Releases(t) {
//		t.Run(release.String(), func(t *testing.T) {
//			epmd := release.StartEPMD(t)
//			a := release.Start(t, beam.Options{Name: "a@127.0.0.1", EPMD: epmd})
//			got := a.MustEval(t, "net_adm:ping('go@127.0.0.1')") // "pong"
//		})
//	}
//
// What a node is asked travels over two pipes of its own (descriptors 3 and 4 of
// the BEAM), never over Erlang distribution: distribution is what is being
// tested, and an answer must arrive just as well from a node that has lost every
// peer. Standard output and error are kept apart from it and shown when a test
// fails.
//
// Inside the BEAM a small agent (agent.erl, handed over in an environment
// variable and interpreted by erl_eval, so nothing is compiled or installed)
// parses the expressions and runs each in an Erlang process: a fresh one for
// Node.Eval, always the same for the evals of one Process, which keeps its
// variables and its mailbox.
//
// Nodes never outlive the test. Cleanup kills the whole process group; if the
// test program itself is killed, the kernel does it on Linux, and everywhere the
// agent halts when its pipe closes.
//
// Everything listens on loopback only, and no node starts an epmd behind the
// test's back.
package beam
