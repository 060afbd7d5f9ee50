package truss

import (
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// TestLinkProtocol walks every interleaving of two processes that link and
// unlink each other over a network that delays but does not reorder. When all
// signals have arrived, both ends must agree, and if both linked last they must be
// linked. (That both unlinked last promises less, in OTP too: the LINK that p sent
// before its last unlink/1 can arrive after q's, if an earlier UNLINK_ID of q's
// has made p's last one do nothing.)
// (erl_dist_protocol, "Link Protocol".)
func TestLinkProtocol(t *testing.T) {
	for _, script := range []string{
		"l", "u", "ll", "lu", "ul", "lul", "llu", "lulu", "lull", "lulul",
	} {
		for _, other := range []string{"", "l", "u", "lu", "ul", "lul", "ulu"} {
			w := linkWalk{t: t, scripts: [2]string{script, other}, seen: map[string]bool{}}
			w.walk(linkWorld{})
			if t.Failed() {
				return
			}
		}
	}
}

// linkSignal is a LINK (id 0), UNLINK_ID, or its ACK, on the wire.
type linkSignal struct {
	op byte // 'l', 'u' or 'a'
	id uint64
}

// linkWorld is the state of both processes, of what each has yet to do, and of
// both directions of the wire.
type linkWorld struct {
	ends [2]linkEnd
	ids  [2]uint64
	done [2]int          // steps of the scripts
	wire [2][]linkSignal // to process 0, to process 1
	path string          // how it came to this, for the failure message
}

type linkWalk struct {
	t       *testing.T
	scripts [2]string
	seen    map[string]bool
}

// peerOf is the pid by which process i knows the other.
func peerOf(i int) etf.Pid { return etf.Pid{ID: uint32(2 - i)} }

func (w *linkWalk) walk(s linkWorld) {
	key := fmt.Sprint(s.ends, s.ids, s.done, s.wire)
	if w.seen[key] || w.t.Failed() {
		return
	}
	w.seen[key] = true
	moved := false
	for i := range 2 {
		if s.done[i] < len(w.scripts[i]) {
			w.walk(w.act(s, i))
			moved = true
		}
		if len(s.wire[i]) > 0 {
			w.walk(w.receive(s, i))
			moved = true
		}
	}
	if !moved && s.ends[0].active != s.ends[1].active {
		w.t.Errorf("scripts %q: the ends disagree, %+v, after %s", w.scripts, s.ends, s.path)
	}
	if !moved && strings.HasSuffix(w.scripts[0], "l") && strings.HasSuffix(w.scripts[1], "l") && !s.ends[0].active {
		w.t.Errorf("scripts %q: both linked last and are not linked, after %s", w.scripts, s.path)
	}
	if !moved && (s.ends[0].unlinking != 0 || s.ends[1].unlinking != 0) {
		w.t.Errorf("scripts %q: an unlink is never acknowledged, %+v, after %s", w.scripts, s.ends, s.path)
	}
}

// load makes the links value of process i; store puts it back.
func (s *linkWorld) load(i int) *links {
	l := &links{lastID: s.ids[i]}
	if s.ends[i] != (linkEnd{}) {
		l.set(peerOf(i), s.ends[i])
	}
	return l
}

func (s *linkWorld) store(i int, l *links) { s.ends[i], s.ids[i] = l.ends[peerOf(i)], l.lastID }

func (s *linkWorld) send(to int, signal linkSignal) {
	s.wire[to] = append(append([]linkSignal(nil), s.wire[to]...), signal)
}

// act does the next step of process i's script.
func (w *linkWalk) act(s linkWorld, i int) linkWorld {
	step := w.scripts[i][s.done[i]]
	s.done[i]++
	s.path += fmt.Sprintf(" %d:%c", i, step)
	l := s.load(i)
	if step == 'l' {
		if l.link(peerOf(i)) {
			s.send(1-i, linkSignal{op: 'l'})
		}
	} else if id, send := l.unlink(peerOf(i)); send {
		s.send(1-i, linkSignal{op: 'u', id: id})
	}
	s.store(i, l)
	return s
}

// receive lets the next signal arrive at process i.
func (w *linkWalk) receive(s linkWorld, i int) linkWorld {
	signal := s.wire[i][0]
	s.wire[i] = s.wire[i][1:]
	s.path += fmt.Sprintf(" %d<%c%d", i, signal.op, signal.id)
	l := s.load(i)
	switch signal.op {
	case 'l':
		l.linked(peerOf(i))
	case 'u':
		l.unlinked(peerOf(i))
		s.send(1-i, linkSignal{op: 'a', id: signal.id})
	case 'a':
		l.acknowledged(peerOf(i), signal.id)
	}
	s.store(i, l)
	return s
}
