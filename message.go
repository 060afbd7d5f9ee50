package truss

import (
	"github.com/truss-beam/truss/etf"
)

// Message is what a mailbox holds: a term somebody sent, still encoded, or a
// Down, Exit or NodeEvent from the runtime itself. Decoding is left to the
// process that receives it, so that it can decode into the type it wants, and so
// that a large or broken message costs nobody else anything.
type Message struct {
	raw    []byte     // the encoded term, without version byte
	atoms  []etf.Term // what the atom references in raw stand for
	signal any        // Down, Exit or NodeEvent; then raw is nil
	slab   bool       // raw is a small part of a read buffer
}

// Term returns the message as etf.Decode would, or the Down, Exit or NodeEvent
// that it is. Large binaries in the result may share memory with the message.
func (m Message) Term() (etf.Term, error) {
	if m.signal != nil {
		return m.signal, nil
	}
	d := m.decoder()
	return d.Term()
}

// Unmarshal decodes the message into *v, as etf.Unmarshal does.
func (m Message) Unmarshal(v any) error {
	if m.signal != nil {
		b, err := etf.Marshal(m.signal)
		if err != nil {
			return err
		}
		return etf.Unmarshal(b, v)
	}
	d := m.decoder()
	return d.Unmarshal(v)
}

// Tag returns the atom that says what the message is about: itself, if it is an
// atom, or the first element, if it is a tuple. It is empty for anything else.
func (m Message) Tag() etf.Atom {
	if m.signal != nil {
		return ""
	}
	d := m.decoder()
	if d.Kind() == etf.KindTuple {
		if arity, err := d.Tuple(); err != nil || arity == 0 {
			return ""
		}
	}
	if d.Kind() != etf.KindAtom {
		return ""
	}
	tag, _ := d.Atom() // what cannot be read has no tag
	return tag
}

// MarshalTerm makes a message that is sent on what it was.
func (m Message) MarshalTerm() (etf.Term, error) { return m.Term() }

// String prints the message as an Erlang term, for logs.
func (m Message) String() string {
	term, err := m.Term()
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return etf.Format(term)
}

// decoder reads the message. A read buffer is 64 KiB at most: what is decoded
// from a small message must not keep it, so its binaries are copied. Those of a
// message that is a good part of its buffer alias it.
func (m Message) decoder() etf.Decoder {
	d := etf.Decoder{Copy: m.slab}
	d.Reset(m.raw, m.atoms)
	return d
}

// Down tells a process that what it monitored is gone: {'DOWN', Ref, process,
// Object, Reason}.
type Down struct {
	Ref etf.Ref
	// Object is what was monitored: an etf.Pid, or the Name.
	Object any
	// Reason is the exit reason; the atom noproc if there was no such process,
	// noconnection if the node became unreachable.
	Reason etf.Term
}

// MarshalTerm makes a Down that is sent on look as Erlang's.
func (d Down) MarshalTerm() (etf.Term, error) {
	object := d.Object
	if name, ok := object.(Name); ok {
		object = etf.Tuple{etf.Atom(name.Name), etf.Atom(name.Node)}
	}
	return etf.Tuple{etf.Atom("DOWN"), d.Ref, etf.Atom("process"), object, d.Reason}, nil
}

// Exit tells a process that traps exits that a linked process ended, or that
// somebody sent it an exit signal: {'EXIT', From, Reason}.
type Exit struct {
	From   etf.Pid
	Reason etf.Term
}

// MarshalTerm makes an Exit that is sent on look as Erlang's.
func (e Exit) MarshalTerm() (etf.Term, error) {
	return etf.Tuple{etf.Atom("EXIT"), e.From, e.Reason}, nil
}
