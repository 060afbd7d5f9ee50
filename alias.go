package truss

import (
	"sync"

	"github.com/truss-beam/truss/etf"
)

// AliasOption changes what an alias is.
type AliasOption uint8

const (
	// AliasOnce makes an alias that ends with the first message to it, as
	// alias([reply]).
	AliasOnce AliasOption = iota + 1
	// AliasPriority makes an alias whose messages come before all others, if they
	// were sent with priority (OTP 28; from Go, to a Priority).
	AliasPriority
)

// Priority is an alias that is sent to with priority: erlang:send/3 with the
// option priority. It is for Send; a peer before OTP 28 gets an ordinary message.
type Priority etf.Ref

// Alias makes a reference that messages to p can be sent to until Unalias, or p's
// end: alias/1. What is sent to it later is dropped, which makes it an address for
// replies that may come too late to be of use.
func (p *Process) Alias(options ...AliasOption) etf.Ref {
	a := alias{of: p}
	for _, o := range options {
		a.once = a.once || o == AliasOnce
		a.priority = a.priority || o == AliasPriority
	}
	ref := p.node.newRef()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return ref // an alias of a dead process is as good as none
	}
	b := p.bound()
	if b.aliases == nil {
		b.aliases = make(map[etf.Ref]struct{})
	}
	b.aliases[ref] = struct{}{}
	p.node.aliases.add(ref, a)
	return ref
}

// Unalias ends an alias of p's, and tells whether there was one: unalias/1. No
// message sent to it arrives afterwards; those that have arrived stay.
func (p *Process) Unalias(alias etf.Ref) bool {
	p.mu.Lock()
	b := p.bound()
	_, own := b.aliases[alias]
	delete(b.aliases, alias)
	p.mu.Unlock()
	return own && p.node.aliases.remove(alias)
}

// alias is what a reference stands for.
type alias struct {
	of       *Process
	once     bool
	priority bool
}

// aliases is the table of references that messages can be sent to. A message is
// put in the mailbox under its lock: when remove returns, no more arrives.
type aliases struct {
	mu sync.Mutex
	m  map[etf.Ref]alias
}

func (t *aliases) add(ref etf.Ref, a alias) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = make(map[etf.Ref]alias)
	}
	t.m[ref] = a
}

func (t *aliases) remove(ref etf.Ref) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.m[ref]
	delete(t.m, ref)
	return ok
}

// has tells whether anybody would get a message to ref.
func (t *aliases) has(ref etf.Ref) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.m[ref]
	return ok
}

// deliver has put put a message in the mailbox that ref stands for; without one it
// is dropped.
func (t *aliases) deliver(ref etf.Ref, pressing bool, put func(*Process, priority)) {
	t.mu.Lock()
	a, ok := t.m[ref]
	if !ok {
		t.mu.Unlock()
		return
	}
	how := ordinary
	switch {
	case pressing && a.priority:
		how = urgent
	case a.once:
		how = expected
	}
	put(a.of, how)
	if a.once {
		delete(t.m, ref)
	}
	t.mu.Unlock()
	if a.once {
		a.of.forgetAlias(ref)
	}
}

// take returns the process that ref stands for, or nil, for a signal that is no
// message: it, too, ends an alias that is good for one.
func (t *aliases) take(ref etf.Ref) *Process {
	t.mu.Lock()
	a := t.m[ref]
	if a.once {
		delete(t.m, ref)
	}
	t.mu.Unlock()
	if a.once {
		a.of.forgetAlias(ref)
	}
	return a.of
}

func (p *Process) forgetAlias(ref etf.Ref) {
	p.mu.Lock()
	delete(p.bound().aliases, ref)
	p.mu.Unlock()
}
