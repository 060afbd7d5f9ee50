package dist

import (
	"errors"
	"io"
	"strings"
	"testing"
)

const cookie = "monster"

var (
	localA = Local{Name: "a@10.0.0.1", Flags: FlagsSupported, Creation: 7}
	localB = Local{Name: "b@10.0.0.2", Flags: flagsOTP25, Creation: 9}
)

// shake plays both sides up to the first error.
func shake(a *Initiator, b *Acceptor, status Status, cookieB string) (errA, errB error) {
	peer, err := b.Name(a.AppendName(nil))
	if err != nil {
		return nil, err
	}
	answer := b.AppendStatus(nil, status)
	if peer.Dynamic {
		answer = b.AppendNamed(nil, "made-up@"+peer.Name, 77)
	}
	got, err := a.Status(answer)
	if err != nil {
		return err, nil
	}
	if got == StatusAlive {
		if proceed, err := b.Alive(a.AppendAlive(nil, true)); err != nil || !proceed {
			return nil, err
		}
	}
	if err := a.Challenge(b.AppendChallenge(nil)); err != nil {
		return err, nil
	}
	if err := b.Reply(a.AppendReply(nil), cookieB); err != nil {
		return nil, err
	}
	return a.Ack(b.AppendAck(nil)), nil
}

func TestHandshakeSettles(t *testing.T) {
	for _, status := range []Status{StatusOK, StatusOKSimultaneous, StatusAlive} {
		a, b := NewInitiator(localA, localB.Name, cookie, 1), NewAcceptor(localB, 1<<32-1)
		if errA, errB := shake(a, b, status, cookie); errA != nil || errB != nil {
			t.Fatalf("%v: %v, %v", status, errA, errB)
		}
		ra, rb := a.Result(), b.Result()
		if ra.Flags != flagsOTP25 || rb.Flags != flagsOTP25 {
			t.Errorf("%v: flags %v and %v", status, ra.Flags, rb.Flags)
		}
		if want := (Peer{Name: localB.Name, Flags: flagsOTP25, Creation: 9}); ra.Peer != want {
			t.Errorf("%v: initiator's peer %+v, want %+v", status, ra.Peer, want)
		}
		if want := (Peer{Name: localA.Name, Flags: FlagsSupported, Creation: 7}); rb.Peer != want {
			t.Errorf("%v: acceptor's peer %+v, want %+v", status, rb.Peer, want)
		}
	}
}

func TestHandshakeGivesName(t *testing.T) {
	local := Local{Name: "10.0.0.1", Flags: FlagsSupported | FlagNameMe}
	a, b := NewInitiator(local, localB.Name, cookie, 1), NewAcceptor(localB, 2)
	if errA, errB := shake(a, b, StatusOK, cookie); errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	ra, rb := a.Result(), b.Result()
	if ra.Local.Name != "made-up@10.0.0.1" || ra.Local.Creation != 77 {
		t.Errorf("initiator is %+v", ra.Local)
	}
	if p := rb.Peer; p.Name != "made-up@10.0.0.1" || p.Creation != 77 || !p.Dynamic {
		t.Errorf("acceptor's peer is %+v", p)
	}
	if ra.Flags.Has(FlagPublished) || rb.Flags.Has(FlagPublished) {
		t.Errorf("link is visible: %v, %v", ra.Flags, rb.Flags)
	}
}

// Erlang drops a connection whose acceptor gives a name but does not announce
// that it can, and a link to a node named so is hidden whatever it announced.
func TestHandshakeNamingFlags(t *testing.T) {
	asks := Local{Name: "10.0.0.1", Flags: FlagsSupported | FlagNameMe}
	hello := NewInitiator(asks, localB.Name, cookie, 1).AppendName(nil)
	if f := (frame{b: hello[1:]}); Flags(f.u64()).Has(FlagPublished) {
		t.Error("we ask for a name and to be visible")
	}
	hello[8] |= byte(FlagPublished)
	b := NewAcceptor(localB, 2)
	if _, err := b.Name(hello); err != nil {
		t.Fatal(err)
	}
	b.AppendNamed(nil, "x@10.0.0.1", 77)
	if f := (frame{b: b.AppendChallenge(nil)[1:]}); !Flags(f.u64()).Has(FlagNameMe) {
		t.Error("the challenge lacks NAME_ME")
	}
	proof := digest(cookie, 2)
	if err := b.Reply(append([]byte("r\x00\x00\x00\x01"), proof[:]...), cookie); err != nil {
		t.Fatal(err)
	}
	if b.Result().Flags.Has(FlagPublished) {
		t.Error("the link is visible")
	}
}

func TestHandshakeWrongCookie(t *testing.T) {
	a, b := NewInitiator(localA, localB.Name, cookie, 1), NewAcceptor(localB, 2)
	_, err := shake(a, b, StatusOK, "another")
	if !errors.Is(err, ErrCookie) || !strings.Contains(err.Error(), "cookie mismatch with a@10.0.0.1") {
		t.Errorf("acceptor: %v", err)
	}
	if b.Result() != (Result{}) {
		t.Errorf("acceptor has a result: %+v", b.Result())
	}
	// All that the initiator sees is the end of the stream.
	err = a.Broken(io.EOF)
	if !errors.Is(err, ErrCookie) || !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "cookie mismatch with b@10.0.0.2") {
		t.Errorf("initiator: %v", err)
	}
	// An acceptor that proves another cookie.
	b.cookie, b.theirs = "another", 1
	if err := a.Ack(b.AppendAck(nil)); !errors.Is(err, ErrCookie) {
		t.Errorf("initiator on a wrong proof: %v", err)
	}
}

func TestAcceptorRefusesNames(t *testing.T) {
	offer := func(name string, flags Flags) []byte {
		return NewInitiator(Local{Name: name, Flags: flags}, "", "", 0).AppendName(nil)
	}
	long := strings.Repeat("x", 250) + "@host1"
	tests := map[string]struct {
		body   []byte
		answer Status
		is     error
		text   string
	}{
		"own name":     {offer(localB.Name, FlagsSupported), StatusNok, ErrNok, "our own name"},
		"odd char":     {offer("a.b@h", FlagsSupported), StatusNok, ErrName, `'.' before the @`},
		"too long":     {offer(long, FlagsSupported), StatusNok, ErrName, "255"},
		"no @":         {offer("ab", FlagsSupported), StatusClose, ErrName, "name@host"},
		"two @":        {offer("a@b@c", FlagsSupported), StatusClose, ErrName, "name@host"},
		"no host":      {offer("a@", FlagsSupported), StatusClose, ErrName, ""},
		"no node":      {offer("@h", FlagsSupported), StatusClose, ErrName, ""},
		"no name":      {offer("", FlagsSupported), StatusClose, ErrName, ""},
		"not UTF-8":    {offer("a@\xff", FlagsSupported), StatusClose, ErrName, ""},
		"no host, dyn": {offer("", FlagsSupported|FlagNameMe), StatusClose, ErrName, ""},
		"full, dyn":    {offer("a@h", FlagsSupported|FlagNameMe), StatusClose, ErrName, "must not be empty nor have an @"},
		"no V4_NC":     {offer("a@h", FlagsSupported&^FlagV4NC), StatusNotAllowed, ErrNotAllowed, "a@h lacks flag V4_NC: it is older than OTP 25"},
		"no flags":     {offer("a@h", 0), StatusNotAllowed, ErrNotAllowed, "lacks flags EXTENDED_REFERENCES|"},
		"empty":        {nil, StatusClose, ErrMalformed, ""},
		"cut off":      {offer("a@h", FlagsSupported)[:17], StatusClose, ErrMalformed, ""},
		"short":        {[]byte("N12345678123"), StatusClose, ErrMalformed, ""},
		"another tag":  {[]byte("x"), StatusClose, ErrMalformed, ""},
		"old, no H23":  {append([]byte("n\x00\x05\x00\x00\x00\x00"), "a@h"...), StatusNotAllowed, ErrNotAllowed, "HANDSHAKE_23"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := NewAcceptor(localB, 1).Name(test.body)
			var h *HandshakeError
			if !errors.As(err, &h) {
				t.Fatalf("error %v", err)
			}
			if h.Answer != test.answer || !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("answer %v, error %v", h.Answer, err)
			}
		})
	}
}

func TestAcceptorTakesOldName(t *testing.T) {
	flags := FlagsSupported
	hello := []byte{'n', 0, 5, byte(flags >> 24), byte(flags >> 16), byte(flags >> 8), byte(flags)}
	hello = append(hello, localA.Name...)
	for _, test := range []struct {
		high byte
		ok   bool
	}{{0x0d, true}, {0, false}} {
		b := NewAcceptor(localB, 5)
		peer, err := b.Name(hello)
		if err != nil || !peer.Old || peer.Name != localA.Name {
			t.Fatalf("%+v, %v", peer, err)
		}
		err = b.Complement([]byte{'c', 0, 0, 0, test.high, 0, 0, 0, 7})
		if (err == nil) != test.ok || (err != nil && !errors.Is(err, ErrNotAllowed)) {
			t.Fatalf("complement %#x: %v", test.high, err)
		}
		if err != nil {
			continue
		}
		proof := digest(cookie, 5)
		if err := b.Reply(append([]byte{'r', 0, 0, 0, 1}, proof[:]...), cookie); err != nil {
			t.Fatal(err)
		}
		if got := b.Result(); got.Peer.Creation != 7 || !got.Flags.Has(FlagAlias|FlagV4NC) {
			t.Errorf("%+v", got)
		}
	}
}

func TestInitiatorStatus(t *testing.T) {
	asks := Local{Name: "h", Flags: FlagsSupported | FlagNameMe}
	tests := map[string]struct {
		local  Local
		body   string
		status Status
		is     error
	}{
		"ok":                 {localA, "sok", StatusOK, nil},
		"ok_simultaneous":    {localA, "sok_simultaneous", StatusOKSimultaneous, nil},
		"alive":              {localA, "salive", StatusAlive, nil},
		"nok":                {localA, "snok", StatusNok, ErrNok},
		"not_allowed":        {localA, "snot_allowed", StatusNotAllowed, ErrNotAllowed},
		"another":            {localA, "sok ", StatusClose, ErrMalformed},
		"another tag":        {localA, "Nok", StatusClose, ErrMalformed},
		"empty":              {localA, "", StatusClose, ErrMalformed},
		"a name unasked":     {localA, "snamed:\x00\x03x@h\x00\x00\x00\x01", StatusNamed, ErrMalformed},
		"a name":             {asks, "snamed:\x00\x03x@h\x00\x00\x00\x01", StatusNamed, nil},
		"no name":            {asks, "sok", StatusOK, ErrMalformed},
		"a name cut off":     {asks, "snamed:\x00\x03x@h\x00\x00\x00", StatusNamed, ErrMalformed},
		"another host":       {asks, "snamed:\x00\x03x@g\x00\x00\x00\x01", StatusNamed, ErrMalformed},
		"a name that is bad": {asks, "snamed:\x00\x03x.h\x00\x00\x00\x01", StatusNamed, ErrName},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := NewInitiator(test.local, localB.Name, cookie, 1)
			h.AppendName(nil)
			status, err := h.Status([]byte(test.body))
			if status != test.status || !errors.Is(err, test.is) {
				t.Errorf("%v, %v", status, err)
			}
			if name, creation := h.Given(); status == StatusNamed && err == nil && (name != "x@h" || creation != 1) {
				t.Errorf("given %s, %d", name, creation)
			}
		})
	}
}

func TestInitiatorChallenge(t *testing.T) {
	good := NewAcceptor(localB, 1).AppendChallenge(nil)
	other := NewAcceptor(Local{Name: "b@10.0.0.3", Flags: flagsOTP25}, 1).AppendChallenge(nil)
	weak := NewAcceptor(Local{Name: localB.Name, Flags: flagsOTP25 &^ FlagUnlinkID}, 1).AppendChallenge(nil)
	tests := map[string]struct {
		body []byte
		is   error
		text string
	}{
		"good":       {good, nil, ""},
		"more bytes": {append(good[:len(good):len(good)], 0), nil, ""},
		"cut off":    {good[:len(good)-1], ErrMalformed, ""},
		"empty":      {nil, ErrMalformed, "empty"},
		"old":        {[]byte("n"), ErrMalformed, "before OTP 23"},
		"another":    {[]byte("s"), ErrMalformed, ""},
		"other node": {other, ErrNameMismatch, `calls itself "b@10.0.0.3"`},
		"weak":       {weak, ErrNotAllowed, "b@10.0.0.2 lacks flag UNLINK_ID: it is older than OTP 25"},
	}
	for name, test := range tests {
		err := NewInitiator(localA, localB.Name, cookie, 1).Challenge(test.body)
		if !errors.Is(err, test.is) || (err != nil && !strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAcceptorAnswersMalformed(t *testing.T) {
	for _, body := range []string{"", "r", "a123412345678901234567", "r1234123456789012345"} {
		b := NewAcceptor(localB, 1)
		if err := b.Reply([]byte(body), cookie); !errors.Is(err, ErrMalformed) {
			t.Errorf("reply %q: %v", body, err)
		}
	}
	for _, body := range []string{"", "s", "strue ", "true", "sok"} {
		if _, err := NewAcceptor(localB, 1).Alive([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("alive %q: %v", body, err)
		}
	}
	if proceed, err := NewAcceptor(localB, 1).Alive([]byte("sfalse")); proceed || err != nil {
		t.Errorf("alive false: %v, %v", proceed, err)
	}
}

func TestHandshakeBroken(t *testing.T) {
	a := NewInitiator(localA, localB.Name, cookie, 1)
	a.AppendName(nil)
	err := a.Broken(io.EOF)
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "b@10.0.0.2 closed without an answer") {
		t.Error(err)
	}
	if again := a.Broken(err); again != err {
		t.Errorf("explained twice: %v", again)
	}
	if err := a.Broken(io.ErrClosedPipe); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if err := NewAcceptor(localB, 1).Broken(io.EOF); !strings.Contains(err.Error(), "an unnamed peer: at name") {
		t.Error(err)
	}
}

func TestHandshakeFramesFit(t *testing.T) {
	name := "a@" + strings.Repeat("\U0001F43B", 253)
	if err := CheckName(name); err != nil {
		t.Fatal(err)
	}
	if n := len(NewAcceptor(Local{Name: name}, 1).AppendChallenge(nil)); n > MaxHandshakeFrame {
		t.Errorf("a challenge has %d bytes", n)
	}
}
