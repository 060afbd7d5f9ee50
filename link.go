package truss

import "github.com/truss-beam/truss/etf"

// links is one process's end of its links: the state machine of
// erl_dist_protocol's "Link Protocol" (UNLINK_ID, OTP 23 and later), without
// locks or I/O. Its owner guards it with the process's mutex.
//
// Without ids, a LINK that crosses an UNLINK on the wire leaves the two ends in
// disagreement. So the end that unlinks keeps the link, inactive, until the
// other has acknowledged that very unlink.
type links struct {
	ends   map[etf.Pid]linkEnd
	lastID uint64 // the last unlink id given out; ids are 1 to 2^64-1
}

// linkEnd is either active or waits for the acknowledgement of an unlink.
type linkEnd struct {
	active    bool
	unlinking uint64 // that unlink's id; 0 if active
}

// link is this process calling link/1. It tells whether to send LINK.
func (l *links) link(pid etf.Pid) (send bool) {
	end := l.ends[pid]
	if end.active {
		return false
	}
	// Even while an unlink is unacknowledged, which is then forgotten: were it
	// remembered, an UNLINK_ID and a LINK of the peer's that cross ours would leave
	// two processes that both linked last without a link.
	l.set(pid, linkEnd{active: true})
	return true
}

// unlink is this process calling unlink/1. It tells whether to send UNLINK_ID,
// and with which id.
func (l *links) unlink(pid etf.Pid) (id uint64, send bool) {
	end := l.ends[pid]
	if !end.active {
		return 0, false
	}
	l.lastID++
	l.set(pid, linkEnd{unlinking: l.lastID})
	return l.lastID, true
}

// linked is LINK received. While our own unlink is under way it is ignored: the
// peer sent it before it saw our UNLINK_ID, which ends the link there too.
func (l *links) linked(pid etf.Pid) {
	if _, known := l.ends[pid]; !known {
		l.set(pid, linkEnd{active: true})
	}
}

// unlinked is UNLINK_ID received; the acknowledgement is due in any case.
func (l *links) unlinked(pid etf.Pid) {
	if l.ends[pid].active {
		delete(l.ends, pid)
	}
}

// acknowledged is UNLINK_ID_ACK received.
func (l *links) acknowledged(pid etf.Pid, id uint64) {
	if end, known := l.ends[pid]; known && end.unlinking == id {
		delete(l.ends, pid)
	}
}

// broken is EXIT received, or the connection lost, or the linked process gone.
// It tells whether the link was active: only then does the exit count.
func (l *links) broken(pid etf.Pid) (active bool) {
	active = l.ends[pid].active
	delete(l.ends, pid)
	return active
}

func (l *links) set(pid etf.Pid, end linkEnd) {
	if l.ends == nil {
		l.ends = make(map[etf.Pid]linkEnd)
	}
	l.ends[pid] = end
}
