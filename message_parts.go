package truss

import (
	"fmt"

	"github.com/truss-beam/truss/etf"
)

// NewMessage encodes msg, which is anything etf.Marshal takes, once. A Message
// that is sent to processes of this node is not encoded anew, and sending it
// allocates nothing: that is how one term goes to a million of them. Their
// receivers share its memory: what they decode from it may alias it.
func NewMessage(msg any) (Message, error) {
	if m, ok := msg.(Message); ok && m.Signal() == nil {
		return m, nil
	}
	e := etf.Encoder{Records: true}
	raw, err := e.Append(nil, msg)
	if err != nil {
		return Message{}, fmt.Errorf("truss: not a message: %w", err)
	}
	return Message{raw: raw}, nil
}

// Elements returns the elements of a message that is a tuple, each still encoded,
// as a Message of its own: to look at some and pass others on as they are. The
// error is that of what is no tuple, or that the term is broken.
func (m Message) Elements() ([]Message, error) {
	if m.Signal() != nil {
		whole, err := NewMessage(m.Signal())
		if err != nil {
			return nil, err
		}
		return whole.Elements()
	}
	d := m.decoder()
	arity, err := d.Tuple()
	if err != nil {
		return nil, err
	}
	elements := make([]Message, arity) // arity is no more than the bytes that are left
	for i := range elements {
		start := d.Rest()
		if err := d.Skip(); err != nil {
			return nil, err
		}
		size := len(start) - len(d.Rest())
		elements[i] = Message{raw: start[:size:size], from: m.from}
	}
	return elements, nil
}
