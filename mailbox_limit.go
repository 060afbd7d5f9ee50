package truss

// MailboxLimit bounds how many messages may wait for the process. What arrives
// beyond is dropped, newest first to go, and counted; the log says so once, and
// again after the mailbox was half empty. Never dropped are replies to calls of
// the process, messages to its AliasOnce aliases, and what the runtime itself
// tells: Down, Exit and NodeEvent.
//
// Without it a mailbox has no limit, as in Erlang. docs/decisions/0013 tells why
// messages are dropped, rather than the process ended or the sender held up.
func MailboxLimit(messages int) SpawnOption {
	return func(o *spawnOptions) { o.mailbox = messages }
}

// MailboxLoad tells how many messages wait for p, and how many its MailboxLimit
// has dropped: numbers for a dashboard.
func (p *Process) MailboxLoad() (waiting int, dropped uint64) { return p.mailbox.load() }

// deliver puts what others have sent in p's mailbox.
func (p *Process) deliver(m Message, how priority) {
	if p.mailbox.put(m, how) {
		p.logOverflow()
	}
}

func (p *Process) logOverflow() {
	p.node.log.Warn("mailbox full: messages are dropped", "pid", p.pid, "limit", p.mailbox.limit)
}
