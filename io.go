package truss

import (
	"context"
	"io"
	"sync"

	"github.com/truss-beam/truss/etf"
)

// output is where the node's process user writes, and Go processes that nobody
// else has started.
type output struct {
	mu sync.Mutex
	to io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.to.Write(b)
}

// startIO starts what OTP's processes call on at the node of their group leader:
// user, which writes for them, and logger_proxy, which logs for them.
func (n *Node) startIO() error {
	n.output.to = n.config.Stdout
	if _, err := n.Serve("user", &user{node: n, slots: make(chan struct{}, maxFormats)}); err != nil {
		return err
	}
	// Nobody waits for what is logged: a flood of it must not fill the memory.
	_, err := n.Serve("logger_proxy", &loggerProxy{node: n}, MailboxLimit(1<<14))
	return err
}

// maxFormats is how many requests of user's may wait at a time for another node to
// format what is to be written. Each is a goroutine, and a process that waits.
const maxFormats = 256

// user is the group leader of the processes that this node starts on BEAMs: the
// server of Erlang's I/O protocol (stdlib User's Guide, "The Erlang I/O Protocol").
// It writes, and there is nothing to read from it.
type user struct {
	node  *Node
	slots chan struct{}
}

func (u *user) HandleCall(context.Context, From, Message) (any, error) {
	return notSupported(), nil
}

// HandleInfo answers {io_request, From, ReplyAs, Request}. Who asked waits for the
// reply without end, so every request gets one.
func (u *user) HandleInfo(ctx context.Context, m Message) error {
	parts, err := m.Elements()
	if err != nil || len(parts) != 4 || m.Tag() != "io_request" {
		return nil
	}
	var from etf.Pid
	if parts[1].Unmarshal(&from) != nil {
		return nil
	}
	replyAs, err := parts[2].Term()
	if err != nil {
		return nil
	}
	request, err := parts[3].Term()
	if err != nil {
		request = nil // no request there is
	}
	serve := func() {
		result := u.serve(ctx, from, request)
		// As From.Reply: who is not connected any more is not called back. There
		// is nothing else to do about a reply that cannot be sent.
		_ = u.node.Send(NoConnect(ctx), from, etf.Tuple{etf.Atom("io_reply"), replyAs, result})
	}
	if !asksToApply(request) {
		serve()
		return nil
	}
	select {
	case u.slots <- struct{}{}:
		u.node.running.Go(func() {
			defer func() { <-u.slots }()
			serve()
		})
	default:
		serve() // the others wait their turn
	}
	return nil
}
