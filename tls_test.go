package truss_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/trusstest"
)

func TestTLS(t *testing.T) {
	inBubble(t, func(t *testing.T, ctx context.Context, c *trusstest.Cluster) {
		authority := trusstest.NewAuthority(t)
		with := func(host string, names bool) func(*truss.Config) {
			return func(config *truss.Config) { config.TLS, config.TLSNames = authority.Config(host), names }
		}
		a, b := c.Start("a", with("10.0.0.1", true)), c.Start("b", with("10.0.0.2", false))
		impostor := c.Start("impostor", with("10.0.0.2", false)) // it is 10.0.0.3
		plain := c.Start("plain")

		if _, err := b.Serve("echo", echo{}); err != nil {
			t.Fatal(err)
		}
		big := make([]byte, 1<<20)
		reply, err := truss.Call[[]byte](ctx, a, truss.Name{Name: "echo", Node: b.Name()}, big)
		if err != nil || len(reply) != len(big) {
			t.Errorf("a call over TLS: %d bytes, %v", len(reply), err)
		}
		if err := impostor.Connect(ctx, a.Name()); !errors.Is(err, dist.ErrNotAllowed) {
			t.Error("a certificate for another host, to a node that minds:", err)
		}
		if err := impostor.Connect(ctx, b.Name()); err != nil {
			t.Error("to one that does not:", err)
		}
		if err := a.Connect(ctx, impostor.Name()); err == nil || !strings.Contains(err.Error(), "certificate is valid for 10.0.0.2") {
			t.Error("a server's certificate for another host:", err)
		}
		if err := plain.Connect(ctx, b.Name()); !errors.Is(err, truss.ErrNoConnection) {
			t.Error("without TLS to one with:", err)
		}
		if err := b.Connect(ctx, plain.Name()); err == nil || !strings.Contains(err.Error(), "TLS with "+plain.Name()) {
			t.Error("with TLS to one without:", err)
		}
	})
}

func TestTLSNamesNeedsCertificates(t *testing.T) {
	_, err := truss.Start(t.Context(), truss.Config{Name: "a@127.0.0.1", Cookie: "c", TLSNames: true})
	if err == nil || !strings.Contains(err.Error(), "RequireAndVerifyClientCert") {
		t.Error(err)
	}
}
