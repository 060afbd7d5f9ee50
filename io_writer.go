package truss

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

// Stdout is where p prints: its group leader, which for a function that an iex
// shell has spawned is that shell. A process that this program spawned prints to
// Config.Stdout.
//
//	func (Jobs) Run(ctx context.Context, p *truss.Process, n int) {
//		fmt.Fprintln(p.Stdout(), "done:", n)
//	}
//
// A write waits until the group leader has written, or p has ended. It may come
// from any goroutine, and should be whole characters of UTF-8: what is not, is
// replaced by U+FFFD.
func (p *Process) Stdout() io.Writer { return stdout{p} }

type stdout struct{ p *Process }

// Write asks the group leader on behalf of a process of its own, so that the reply
// is in nobody's way.
func (w stdout) Write(b []byte) (int, error) {
	n, leader := w.p.node, w.p.GroupLeader()
	if leader == (etf.Pid{}) {
		return n.output.Write(b)
	}
	text := b
	if !utf8.Valid(b) {
		text = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	v, err := n.visitor()
	if err != nil {
		return 0, err
	}
	defer v.leave()
	ctx := w.p.Context()
	ref, err := v.Monitor(ctx, leader)
	if err != nil {
		return 0, err
	}
	request := etf.Tuple{etf.Atom("put_chars"), etf.Atom("unicode"), text}
	if err := v.Send(ctx, leader, etf.Tuple{etf.Atom("io_request"), v.pid, ref, request}); err != nil {
		return 0, err
	}
	m, err := v.Receive(ctx) // nobody else knows v's pid: the reply, or Down
	if err != nil {
		return 0, err
	}
	return len(b), writeResult(leader, m)
}

func writeResult(leader etf.Pid, m Message) error {
	if down, ok := m.Signal().(Down); ok {
		return fmt.Errorf("truss: group leader %v: %w", leader, &ExitError{Reason: down.Reason})
	}
	term, err := m.Term()
	if err != nil {
		return err
	}
	reply, ok := term.(etf.Tuple)
	if !ok || len(reply) != 3 || reply[2] != ioOK {
		return fmt.Errorf("truss: group leader %v: %s", leader, etf.Format(term))
	}
	return nil
}
