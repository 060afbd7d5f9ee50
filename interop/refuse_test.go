package interop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/internal/beam"
)

// TestWrongCookie: neither side gets in, both say why, nothing is left.
func TestWrongCookie(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{Cookie: "another_cookie"})
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := p.node.Connect(ctx, p.beam.Name)
		if !errors.Is(err, dist.ErrCookie) || !errors.Is(err, truss.ErrNoConnection) {
			t.Errorf("error %v is not ErrCookie and ErrNoConnection", err)
		}
		if text := fmt.Sprint(err); !strings.Contains(text, "cookie") || !strings.Contains(text, p.beam.Name) {
			t.Errorf("the error %q names neither the cookie nor the peer", text)
		}
		if got := p.beam.MustEval(t, "net_adm:ping('"+p.node.Name()+"')"); got != "pang" {
			t.Errorf("ping gives %s", got)
		}
		p.beam.Await(t, "{"+p.sockets()+", nodes(connected)}", "{0,[]}")
		awaitNodes(t, p.node, nil, nil)
		// And it is not held against anybody: with the right cookie it works.
		p.beam.MustEval(t, "erlang:set_cookie('"+p.node.Name()+"', another_cookie)")
		if got := p.beam.MustEval(t, "net_adm:ping('"+p.node.Name()+"')"); got != "pong" {
			t.Errorf("with the right cookie ping gives %s", got)
		}
	})
}

// mandatory are the flags OTP 25 requires; newer ones also require the two of
// newerMandatory.
func mandatory() []dist.Flags {
	return []dist.Flags{
		dist.FlagExtendedReferences, dist.FlagFunTags, dist.FlagNewFunTags, dist.FlagExtendedPidsPorts,
		dist.FlagExportPtrTag, dist.FlagBitBinaries, dist.FlagNewFloats, dist.FlagUTF8Atoms, dist.FlagMapTag,
		dist.FlagBigCreation, dist.FlagHandshake23,
	}
}

func newerMandatory() []dist.Flags { return []dist.Flags{dist.FlagUnlinkID, dist.FlagV4NC} }

// TestMissingFlags introduces somebody who lacks one mandatory flag after the
// other, to the BEAM and to us: both refuse alike.
func TestMissingFlags(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := beam.FreePort(t)
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.2", Port: port})
		ours := start(t, truss.Config{Name: "go@127.0.0.3", Epmd: "none", Port: port})
		for i, flag := range append(mandatory(), newerMandatory()...) {
			// A name for each: OTP 25 lets some in, and then expects them to go on.
			stranger := dist.Local{Name: fmt.Sprintf("stranger%d@127.0.0.4", i), Flags: dist.FlagsSupported &^ flag &^ dist.FlagMandatory25Digest, Creation: 7}
			if got := introduce(t, fmt.Sprintf("127.0.0.3:%d", port), ours.Name(), stranger); got != "not_allowed" {
				t.Errorf("without %v we answer %q", flag, got)
			}
			want := "not_allowed"
			if release.OTP == "25" && (flag == dist.FlagUnlinkID || flag == dist.FlagV4NC) {
				want = "ok"
			}
			if got := introduce(t, fmt.Sprintf("127.0.0.2:%d", port), peer.Name, stranger); got != want {
				t.Errorf("without %v OTP %s answers %q, want %q", flag, release.OTP, got, want)
			}
		}
	})
}

// TestMissingFlagsInChallenge is the same for who is dialled: neither OTP nor we
// go on after the challenge.
func TestMissingFlagsInChallenge(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := beam.FreePort(t)
		peer := release.Start(t, beam.Options{Name: "beam@127.0.0.2", Port: port})
		ours := start(t, truss.Config{Name: "go@127.0.0.3", Epmd: "none", Port: port})
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		for i, flag := range []dist.Flags{dist.FlagExportPtrTag, dist.FlagBigCreation} {
			stranger := dist.Local{Flags: dist.FlagsSupported &^ flag &^ dist.FlagMandatory25Digest, Creation: 7}

			host := fmt.Sprintf("127.0.1.%d", i+1)
			stranger.Name = "stranger@" + host
			next := challengeAsOne(t, fmt.Sprintf("%s:%d", host, port), stranger)
			err := ours.Connect(ctx, stranger.Name)
			var refusal *dist.HandshakeError
			if !errors.As(err, &refusal) || !errors.Is(err, dist.ErrNotAllowed) || refusal.Missing != flag {
				t.Errorf("lacking %v: our error %v", flag, err)
			}
			if body := <-next; body != "" {
				t.Errorf("lacking %v: we went on with %q", flag, body)
			}

			host = fmt.Sprintf("127.0.2.%d", i+1)
			stranger.Name = "stranger@" + host
			next = challengeAsOne(t, fmt.Sprintf("%s:%d", host, port), stranger)
			if got := peer.MustEval(t, "net_adm:ping('"+stranger.Name+"')"); got != "pang" {
				t.Errorf("lacking %v: OTP's ping gives %s", flag, got)
			}
			if body := <-next; body != "" {
				t.Errorf("lacking %v: OTP went on with %q", flag, body)
			}
		}
	})
}

// TestNotWelcome: somebody who bears the acceptor's own name, and a node that is
// not on the BEAM's list.
func TestNotWelcome(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{}, truss.Config{})
		double := dist.Local{Flags: dist.FlagsSupported, Creation: 7}
		for name, at := range map[string]string{
			p.node.Name(): fmt.Sprintf("127.0.0.1:%d", p.node.Port()),
			p.beam.Name:   address(t, p.epmd, "beam"),
		} {
			double.Name = name
			if got := introduce(t, at, name, double); got != "nok" {
				t.Errorf("%s answers its own name %q", name, got)
			}
		}

		p.beam.MustEval(t, "net_kernel:allow(['friend@127.0.0.1'])")
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := p.node.Connect(ctx, p.beam.Name)
		var refusal *dist.HandshakeError
		if !errors.As(err, &refusal) || !errors.Is(err, dist.ErrNotAllowed) || refusal.Status != dist.StatusNotAllowed {
			t.Errorf("to a node that does not allow us: %v", err)
		}
	})
}
