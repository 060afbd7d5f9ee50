package truss

import (
	"context"
	"time"

	"github.com/truss-beam/truss/etf"
)

// Results of I/O requests.
var (
	ioOK         = etf.Term(etf.Atom("ok"))
	ioTerminated = etf.Term(etf.Tuple{etf.Atom("error"), etf.Atom("terminated")})
	ioNotSup     = etf.Term(etf.Tuple{etf.Atom("error"), etf.Atom("enotsup")})
	ioNoRequest  = etf.Term(etf.Tuple{etf.Atom("error"), etf.Atom("request")})
)

// putChars is a request to write: {put_chars, Encoding, Chars} or {put_chars,
// Encoding, M, F, Args}, and both without the encoding, which is Latin-1 then, as
// before OTP R13.
type putChars struct {
	encoding         etf.Atom
	chars            etf.Term
	module, function etf.Atom // what makes the characters of args, if not empty
	args             etf.Term
}

func readPutChars(request etf.Term) (p putChars, ok bool) {
	tuple, _ := request.(etf.Tuple)
	if len(tuple) < 2 || tuple[0] != etf.Term(etf.Atom("put_chars")) {
		return p, false
	}
	p.encoding = "latin1"
	rest := tuple[1:]
	if len(rest) == 2 || len(rest) == 4 {
		p.encoding, ok = rest[0].(etf.Atom)
		if !ok || p.encoding != "unicode" && p.encoding != "latin1" {
			return p, false
		}
		rest = rest[1:]
	}
	if len(rest) == 1 {
		p.chars = rest[0]
		return p, true
	}
	var isModule, isFunction bool
	p.module, isModule = rest[0].(etf.Atom)
	p.function, isFunction = rest[1].(etf.Atom)
	p.args = rest[2]
	return p, isModule && isFunction
}

// requestsOf are the requests in {requests, List}.
func requestsOf(request etf.Term) (list etf.List, ok bool) {
	tuple, _ := request.(etf.Tuple)
	if len(tuple) != 2 || tuple[0] != etf.Term(etf.Atom("requests")) {
		return nil, false
	}
	list, ok = tuple[1].(etf.List)
	return list, ok
}

// asksToApply tells whether a request has a function in it that makes characters.
func asksToApply(request etf.Term) bool {
	list, ok := requestsOf(request)
	if !ok {
		list = etf.List{request}
	}
	for _, r := range list {
		if p, ok := readPutChars(r); ok && p.module != "" {
			return true
		}
	}
	return false
}

// serve does what a request says, and returns the result to reply.
func (u *user) serve(ctx context.Context, from etf.Pid, request etf.Term) etf.Term {
	list, ok := requestsOf(request)
	if !ok {
		return u.serveOne(ctx, from, request)
	}
	result := ioOK
	for _, r := range list {
		// The first error ends the list. Lists do not nest: io:requests/2 flattens.
		if result = u.serveOne(ctx, from, r); result != ioOK {
			break
		}
	}
	return result
}

func (u *user) serveOne(ctx context.Context, from etf.Pid, request etf.Term) etf.Term {
	if p, ok := readPutChars(request); ok {
		return u.put(ctx, from, p)
	}
	name := request
	if tuple, ok := request.(etf.Tuple); ok && len(tuple) > 0 {
		name = tuple[0]
	}
	switch name {
	case etf.Atom("get_line"), etf.Atom("get_chars"), etf.Atom("get_until"), etf.Atom("get_password"),
		etf.Atom("get_geometry"), etf.Atom("getopts"), etf.Atom("setopts"):
		return ioNotSup
	}
	return ioNoRequest
}

// formatTime is how long a node may take to format what it wants written.
const formatTime = 5 * time.Second

// put writes. What io_lib is to make of a format and its arguments is made on the
// node that asks, where both are at home (docs/decisions/0014). That costs one round
// trip, and prints exactly as that release prints. The protocol allows any function;
// but From is not proven to be who it says, and nobody is to make this node call
// what it likes on a third one. OTP's io module asks for no other.
func (u *user) put(ctx context.Context, from etf.Pid, p putChars) etf.Term {
	chars := p.chars
	if p.module != "" && p.module != "io_lib" {
		return ioNoRequest
	}
	if p.module != "" {
		ctx, cancel := context.WithTimeout(ctx, formatTime)
		defer cancel()
		made, err := u.node.applyAt(ctx, string(from.Node), p.module, p.function, p.args)
		if err != nil {
			return etf.Tuple{etf.Atom("error"), etf.Tuple{p.module, p.function, err.Error()}}
		}
		chars = made
	}
	text, err := appendChars(nil, p.encoding, chars)
	if err != nil {
		return etf.Tuple{etf.Atom("error"), etf.Atom("put_chars")}
	}
	if _, err := u.node.output.Write(text); err != nil {
		return ioTerminated
	}
	return ioOK
}
