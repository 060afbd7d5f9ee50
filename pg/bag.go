package pg

import "github.com/truss-beam/truss/etf"

// bag is pids with how often each is there. It is a map, and not a list as in
// OTP, so that 100,000 processes of one group that end together cost 100,000
// steps and not their square.
type bag map[etf.Pid]int

func (b bag) add(pid etf.Pid) { b[pid]++ }

// remove takes one occurrence out, and tells whether there was one.
func (b bag) remove(pid etf.Pid) bool {
	switch b[pid] {
	case 0:
		return false
	case 1:
		delete(b, pid)
	default:
		b[pid]--
	}
	return true
}

// appendTo appends each pid as often as it is there.
func (b bag) appendTo(pids []etf.Pid) []etf.Pid {
	for pid, n := range b {
		for range n {
			pids = append(pids, pid)
		}
	}
	return pids
}

// difference is what must be added to b and removed from it to make it other.
func (b bag) difference(other bag) (added, removed []etf.Pid) {
	for pid, n := range other {
		for range n - b[pid] {
			added = append(added, pid)
		}
	}
	for pid, n := range b {
		for range n - other[pid] {
			removed = append(removed, pid)
		}
	}
	return added, removed
}
