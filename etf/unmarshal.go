package etf

import (
	"errors"
	"fmt"
	"reflect"
)

// TermUnmarshaler is a type that reads itself from a term. Binaries in the term
// alias the input, as ever. A nil or undefined that goes into a pointer makes it
// nil, without UnmarshalTerm being called.
type TermUnmarshaler interface {
	UnmarshalTerm(Term) error
}

// UnmarshalError says where a term did not suit the Go value it was to go into.
type UnmarshalError struct {
	Path string       // where, such as .users[3].name; empty for the whole value
	Term string       // what came, such as "atom foo"; clipped if it is long
	Type reflect.Type // what it was to go into
	Why  string       // what is wrong, if not just that these are of two kinds
	Err  error        // ErrKind, ErrRange, ErrInvalid, ErrUnsupported, or of an UnmarshalTerm
}

func (e *UnmarshalError) Error() string {
	s := "etf: unmarshal: "
	if e.Path != "" {
		s = "etf: unmarshal " + e.Path + ": "
	}
	if e.Term != "" {
		s += fmt.Sprintf("cannot put %s into %v", e.Term, e.Type)
	} else {
		s += fmt.Sprintf("cannot decode into %v", e.Type)
	}
	if e.Why != "" {
		s += ": " + e.Why
	}
	return s
}

func (e *UnmarshalError) Unwrap() error { return e.Err }

// within adds a step to the front of an error's path.
func within(err error, step string) error {
	if u, ok := err.(*UnmarshalError); ok {
		u.Path = step + u.Path
	}
	return err
}

// unmarshal reads the next term into *v.
func (d *Decoder) unmarshal(v any) error {
	if p := pointerPlan(v); p != nil && !dataWord(v).isNil() { // most messages are read into such
		return p.elem.decode(d, dataWord(v))
	}
	if v == nil {
		return notAPlace(v)
	}
	if u, ok := v.(*Term); ok && u != nil && reflect.ValueOf(*u).Kind() != reflect.Pointer {
		t, err := d.term()
		if err == nil {
			*u = t
		}
		return err
	}
	p := planIn(v)
	if p.typ.Kind() != reflect.Pointer || dataWord(v).isNil() {
		return notAPlace(v)
	}
	into := p.elem
	if into == nil {
		into = planOf(p.typ.Elem())
	}
	return into.decode(d, dataWord(v))
}

func notAPlace(v any) error {
	return &UnmarshalError{Type: reflect.TypeOf(v), Why: "not a pointer to a value", Err: ErrUnsupported}
}

// cannot makes the error for a term that comes next and does not suit. Errors in
// the input itself, as opposed to a wish that was wrong, pass through.
func (d *Decoder) cannot(t reflect.Type, err error) error {
	if !errors.Is(err, ErrKind) && !errors.Is(err, ErrRange) {
		return err
	}
	term, broken := d.describe()
	if broken != nil {
		return broken
	}
	u := &UnmarshalError{Term: term, Type: t, Err: ErrKind}
	if errors.Is(err, ErrRange) {
		u.Err, u.Why = ErrRange, "out of range"
	}
	return u
}

// misfit is cannot for a term of the right kind that is wrong in another way.
func (d *Decoder) misfit(t reflect.Type, err error, why string, args ...any) error {
	term, broken := d.describe()
	if broken != nil {
		return broken
	}
	return &UnmarshalError{Term: term, Type: t, Err: err, Why: fmt.Sprintf(why, args...)}
}

// describe names the next term for an error, without consuming it: scalars with
// their value, others by their kind and size. It fails if the term is broken.
func (d *Decoder) describe() (string, error) {
	c := *d // the cursor is a value
	c.seen, c.dup = nil, duplicates{}
	switch kind := c.Kind(); kind {
	case KindInt:
		if c.in[c.off] == extLargeBig {
			return "an integer of over 255 bytes", c.Skip()
		}
		i, err := c.BigInt()
		return "integer " + clip(i.String()), err
	case KindTuple:
		n, err := c.Tuple()
		return fmt.Sprintf("a tuple of %d", n), err
	case KindBinary:
		b, err := c.Binary()
		if len(b) > 40 {
			return fmt.Sprintf("a binary of %d bytes", len(b)), nil
		}
		return "binary " + Format(b), err
	case KindFloat, KindAtom, KindPid, KindPort, KindRef:
		t, err := c.term()
		if err != nil {
			return "", err
		}
		return kind.String() + " " + clip(Format(t)), nil
	case KindInvalid:
		return "", c.want(KindInvalid + 1) // says whether the input ends or is wrong
	default:
		return "a " + kind.String(), nil
	}
}
