package dist

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// tupleWriter appends the elements of a control message; the first error stays.
type tupleWriter struct {
	dst []byte
	e   *etf.Encoder
	err error
}

func (w *tupleWriter) pid(p etf.Pid) {
	if w.err == nil {
		w.dst, w.err = w.e.AppendPid(w.dst, p)
	}
}

func (w *tupleWriter) ref(r etf.Ref) {
	if w.err == nil {
		w.dst, w.err = w.e.AppendRef(w.dst, r)
	}
}

func (w *tupleWriter) atom(a etf.Atom) {
	if w.err == nil {
		w.dst, w.err = w.e.AppendAtom(w.dst, a)
	}
}

// pidOrName writes the name unless there is a pid, so that ” is a name too.
func (w *tupleWriter) pidOrName(p etf.Pid, name etf.Atom) {
	if name != "" || p == (etf.Pid{}) {
		w.atom(name)
	} else {
		w.pid(p)
	}
}

// cookie writes the element that has been ” since cookies left the messages.
func (w *tupleWriter) cookie() { w.atom("") }

func (w *tupleWriter) uint(u uint64) {
	if w.err == nil {
		w.dst = w.e.AppendUint(w.dst, u)
	}
}

// unlinkID refuses 0, for which OTP closes the connection.
func (w *tupleWriter) unlinkID(id uint64) {
	if id == 0 && w.err == nil {
		w.err = errUnlinkID
	}
	w.uint(id)
}

func (w *tupleWriter) term(t etf.Term) {
	if w.err == nil {
		w.dst, w.err = w.e.Append(w.dst, t)
	}
}

// mfa writes {Module, Function, Arity}.
func (w *tupleWriter) mfa(m, f etf.Atom, arity int) {
	if w.err != nil {
		return
	}
	if arity < 0 || arity > 255 {
		w.err = fmt.Errorf("function of arity %d", arity)
		return
	}
	w.dst = w.e.AppendTuple(w.dst, 3)
	w.atom(m)
	w.atom(f)
	w.uint(uint64(arity))
}

// tupleReader takes the elements of a control message; after the first error
// all are zero.
type tupleReader struct {
	d     *etf.Decoder
	arity int // of the tuple
	err   error
}

// fail notes what was wrong with the element called what.
func (r *tupleReader) fail(what string, err error) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", what, err)
	}
}

func (r *tupleReader) pid(what string) (p etf.Pid) {
	if r.err == nil {
		var err error
		if p, err = r.d.Pid(); err != nil {
			r.fail(what, err)
		}
	}
	return p
}

func (r *tupleReader) ref(what string) (ref etf.Ref) {
	if r.err == nil {
		var err error
		if ref, err = r.d.Ref(); err != nil {
			r.fail(what, err)
		}
	}
	return ref
}

func (r *tupleReader) atom(what string) (a etf.Atom) {
	if r.err == nil {
		var err error
		if a, err = r.d.Atom(); err != nil {
			r.fail(what, err)
		}
	}
	return a
}

func (r *tupleReader) pidOrName(what string) (etf.Pid, etf.Atom) {
	if r.err == nil && r.d.Kind() == etf.KindAtom {
		return etf.Pid{}, r.atom(what)
	}
	return r.pid(what), ""
}

func (r *tupleReader) uint(what string) (u uint64) {
	if r.err == nil {
		var err error
		if u, err = r.d.Uint(); err != nil {
			r.fail(what, err)
		}
	}
	return u
}

func (r *tupleReader) unlinkID() uint64 {
	id := r.uint("id")
	if id == 0 {
		r.fail("id", errUnlinkID)
	}
	return id
}

func (r *tupleReader) term(what string) (t etf.Term) {
	if r.err == nil {
		var err error
		if t, err = r.d.Term(); err != nil {
			r.fail(what, err)
		}
	}
	return t
}

// skip passes over an element whose value means nothing.
func (r *tupleReader) skip(what string) {
	if r.err == nil {
		if err := r.d.Skip(); err != nil {
			r.fail(what, err)
		}
	}
}

func (r *tupleReader) mfa() (m, f etf.Atom, arity int) {
	if r.err != nil {
		return "", "", 0
	}
	n, err := r.d.Tuple()
	if err == nil && n != 3 {
		err = fmt.Errorf("a tuple of %d elements", n)
	}
	if err != nil {
		r.fail("module, function and arity", err)
		return "", "", 0
	}
	m, f = r.atom("module"), r.atom("function")
	u := r.uint("arity")
	if u > 255 {
		r.fail("arity", fmt.Errorf("%d is more than 255", u))
		return "", "", 0
	}
	return m, f, int(u)
}
