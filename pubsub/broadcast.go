package pubsub

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/truss-beam/truss/etf"
)

// Broadcast is %Phoenix.Socket.Broadcast{}: what Phoenix channels are sent, and
// what their Endpoint.broadcast sends. To broadcast one, give it to
// PubSub.Broadcast, which fills in an empty Topic.
//
// Payload must be what Phoenix can write as JSON: a map, or a struct that
// etf.Marshal makes one, with text, numbers, atoms, times, lists and maps in it.
// Or it is Binary. The event "disconnect" on the topic of a socket's id closes the
// socket.
type Broadcast struct {
	_       struct{} `etf:"Elixir.Phoenix.Socket.Broadcast,struct"`
	Topic   string
	Event   string
	Payload any
}

// Binary makes a Payload that goes to the client as bytes, not JSON: {binary, B}.
func Binary(b []byte) etf.Term { return etf.Tuple{etf.Atom("binary"), b} }

// ErrPayload: a Broadcast that Phoenix could not pass on. Nothing was sent.
var ErrPayload = errors.New("pubsub: not a payload for Phoenix channels")

// check refuses what would raise in a peer: its worker would end, and with it,
// soon, the whole PubSub there.
func (b Broadcast) check() error {
	if !utf8.ValidString(b.Topic) || !utf8.ValidString(b.Event) {
		return fmt.Errorf("%w: topic %q and event %q must be UTF-8", ErrPayload, b.Topic, b.Event)
	}
	e := etf.Encoder{} // without records, which no JSON encoder knows either
	raw, err := e.Append(nil, b.Payload)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	var d etf.Decoder
	d.Reset(raw, nil)
	payload, err := d.Term()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	switch p := payload.(type) {
	case etf.Map:
		return jsonTerm("payload", p)
	case etf.Tuple:
		if len(p) == 2 && p[0] == etf.Term(etf.Atom("binary")) {
			if _, ok := p[1].([]byte); ok {
				return b.checkBinary()
			}
		}
	}
	return fmt.Errorf("%w: it is %s, and must be a map or {binary, Binary}", ErrPayload, clip(payload))
}

// checkBinary: the frame of a binary message has one byte for each length.
func (b Broadcast) checkBinary() error {
	if len(b.Topic) > 255 || len(b.Event) > 255 {
		return fmt.Errorf("%w: with a binary payload topic and event have at most 255 bytes", ErrPayload)
	}
	return nil
}

// jsonTerm tells whether Elixir's JSON encoders can write t.
func jsonTerm(path string, t etf.Term) error {
	switch t := t.(type) {
	case []byte:
		if !utf8.Valid(t) {
			return fmt.Errorf("%w: %s is bytes that are not UTF-8", ErrPayload, path)
		}
		return nil
	case etf.List:
		for i, e := range t {
			if err := jsonTerm(fmt.Sprintf("%s[%d]", path, i), e); err != nil {
				return err
			}
		}
		return nil
	case etf.Map:
		return jsonMap(path, t)
	case etf.Tuple, etf.ImproperList, etf.Bitstring, etf.Pid, etf.Port, etf.Ref, etf.Fun, etf.Export, etf.Record:
		return fmt.Errorf("%w: %s is %s, which JSON does not know", ErrPayload, path, clip(t))
	}
	return nil // numbers and atoms
}

func jsonMap(path string, m etf.Map) error {
	if s, ok := m.Get(etf.Atom("__struct__")); ok {
		switch s {
		case etf.Term(etf.Atom("Elixir.DateTime")), etf.Term(etf.Atom("Elixir.NaiveDateTime")), etf.Term(etf.Atom("Elixir.Date")), etf.Term(etf.Atom("Elixir.Time")):
			return nil // what has an encoder in every application
		}
		return fmt.Errorf("%w: %s is the struct %s, for which the peers may have no JSON encoder: send a plain map", ErrPayload, path, clip(s))
	}
	for _, e := range m {
		var key string
		switch k := e.Key.(type) {
		case etf.Atom:
			key = string(k)
		case []byte:
			if key = string(k); !utf8.Valid(k) {
				return fmt.Errorf("%w: a key in %s is bytes that are not UTF-8", ErrPayload, path)
			}
		case int64:
			key = fmt.Sprint(k)
		default:
			return fmt.Errorf("%w: %s has the key %s: JSON's are text", ErrPayload, path, clip(k))
		}
		if err := jsonTerm(path+"."+key, e.Value); err != nil {
			return err
		}
	}
	return nil
}

// clip prints a term for an error, not all of it if it is large.
func clip(t etf.Term) string {
	text := etf.Format(t)
	if len(text) > 80 {
		return text[:77] + "..."
	}
	return text
}
