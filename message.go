package truss

import (
	"sync"

	"github.com/truss-beam/truss/etf"
)

// Message is what a mailbox holds: a term somebody sent, still encoded, or a
// Down, Exit or NodeEvent from the runtime itself. Decoding is left to the
// process that receives it, so that it can decode into the type it wants, and so
// that a large or broken message costs nobody else anything.
type Message struct {
	raw  []byte  // the encoded term, without version byte; nil if from has a signal
	from *source // nil for a message that was encoded here
}

// source is what messages have in common that came together: it keeps Message small,
// of which a mailbox may hold many.
type source struct {
	atoms  []etf.Term // what the atom references in the encoded term stand for
	slab   *slab      // whose memory the term is, nil if it is the garbage collector's
	shared bool       // the slab is a read buffer with other messages in it
	signal any        // Down, Exit or NodeEvent; then there is nothing else
}

func signalMessage(signal any) Message { return Message{from: &source{signal: signal}} }

// Term returns the message as etf.Decode would, or the Down, Exit or NodeEvent
// that it is. Large binaries in the result may share memory with the message.
func (m Message) Term() (etf.Term, error) {
	if m.Signal() != nil {
		return m.Signal(), nil
	}
	d := m.decoder()
	return d.Term()
}

// Unmarshal decodes the message into *v, as etf.Unmarshal does.
func (m Message) Unmarshal(v any) error {
	if m.Signal() != nil {
		b, err := etf.Marshal(m.Signal())
		if err != nil {
			return err
		}
		return etf.Unmarshal(b, v)
	}
	d := decoders.Get().(*etf.Decoder)
	d.Copy = m.copied()
	d.Reset(m.raw, m.atoms())
	err := d.Unmarshal(v)
	if len(m.raw) > maxKept {
		*d = etf.Decoder{} // its tables, too
	}
	decoders.Put(d)
	return err
}

// maxKept is how long a message may be that a decoder keeps until the next one or the second
// garbage collection: to let go of it takes as long as to decode an integer.
const maxKept = 512

// decoders spares an allocation for each message: what is called through pointers in
// Unmarshal escapes, and a decoder is larger than most messages.
var decoders = sync.Pool{New: func() any { return new(etf.Decoder) }}

// Bytes returns the bytes of a message that is a binary. They are the message's own
// memory, never a copy: keep them no longer than you need, for a small message they
// may hold 64 KiB, and not beyond Release.
func (m Message) Bytes() ([]byte, error) {
	d := m.decoder()
	d.Copy = false
	return d.Binary()
}

// Tag returns the atom that says what the message is about: itself, if it is an
// atom, or the first element, if it is a tuple. It is empty for anything else.
func (m Message) Tag() etf.Atom {
	if m.Signal() != nil {
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

// decoder reads the message.
func (m Message) decoder() etf.Decoder {
	d := etf.Decoder{Copy: m.copied()}
	d.Reset(m.raw, m.atoms())
	return d
}

// atoms are what the atom references in the message stand for.
func (m Message) atoms() []etf.Term {
	if m.from == nil {
		return nil
	}
	return m.from.atoms
}

// copied tells whether binaries decoded from the message are copies. A read buffer is
// 64 KiB at most: what is decoded from a small message must not keep it. Those of a
// message that is a good part of its buffer alias it.
func (m Message) copied() bool {
	return m.from != nil && m.from.shared && len(m.raw) < maxSlab/4
}

// Release gives the memory of a message back, to be read into again at once instead
// of left to the garbage collector: for who receives more than that should have to do
// with. It is never needed. Afterwards neither the message may be used, nor its
// Elements, nor byte slices decoded from it, which may be its memory; all other
// values stay what they are. Call it once, and not on a message that was sent on to
// others on this node, nor if a byte slice of it of 8 KiB or more was sent on to another
// node: Send may still read that.
func (m Message) Release() {
	if m.from != nil && m.from.slab != nil {
		m.from.slab.release()
	}
}

// done is Release for who has decoded the message and kept nothing else: it gives
// back what nothing decoded can alias.
func (m Message) done() {
	if m.copied() {
		m.Release()
	}
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
