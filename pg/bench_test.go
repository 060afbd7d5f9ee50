package pg

import (
	"testing"

	"github.com/truss-beam/truss/etf"
)

// BenchmarkJoinLeave is a process that joins a group of 100,000 and leaves it
// again, with 100 peers to tell.
func BenchmarkJoinLeave(b *testing.B) {
	m := newMachine(pidOf("scope"))
	for i := range 100 {
		m.discover(etf.Pid{Node: "peer", ID: uint32(i)})
	}
	n, err := nameOf(etf.Atom("g"))
	if err != nil {
		b.Fatal(err)
	}
	pids := make([]etf.Pid, 100_000)
	for i := range pids {
		pids[i] = etf.Pid{Node: "here", ID: uint32(i) + 1}
	}
	m.joinLocal(n, pids)
	m.take()
	b.ReportAllocs()
	for b.Loop() {
		pid := []etf.Pid{{Node: "here", ID: 1 << 20}}
		m.joinLocal(n, pid)
		m.leaveLocal(n, pid)
		m.take()
	}
}

// BenchmarkMembers lists a group of 100 on three nodes.
func BenchmarkMembers(b *testing.B) {
	m := newMachine(pidOf("scope"))
	n, err := nameOf(etf.Atom("g"))
	if err != nil {
		b.Fatal(err)
	}
	from := []*source{m.self, newSource(pidOf("scope@a")), newSource(pidOf("scope@b"))}
	for i := range 100 {
		m.join(from[i%3], n, []etf.Pid{{Node: "peer", ID: uint32(i)}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(m.members.all(n.key)) != 100 {
			b.Fatal("not all")
		}
	}
}
