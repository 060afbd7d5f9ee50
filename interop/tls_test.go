package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
	"github.com/truss-beam/truss/trusstest"
)

// otpOptions writes the files for OTP's inet_tls_dist, for a node that verifies
// both servers and clients, and returns the arguments of erl.
func otpOptions(t *testing.T, a *trusstest.Authority, r beam.Release, host string) []string {
	t.Helper()
	folder, err := os.MkdirTemp(filepath.Join(r.Root, "tmp"), "truss-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	cert, key := a.Issue(host)
	inside := "/" + strings.TrimPrefix(strings.TrimPrefix(folder, r.Root), "/")
	common := fmt.Sprintf(`{certfile,"%[1]s/cert.pem"},{keyfile,"%[1]s/key.pem"},{cacertfile,"%[1]s/ca.PEM"},{verify,verify_peer}`, inside)
	optfile := fmt.Sprintf("[{server,[%s,{fail_if_no_peer_cert,true}]},{client,[%s]}].\n", common, common)
	for name, content := range map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.PEM": a.PEM, "dist.conf": []byte(optfile)} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"-proto_dist", "inet_tls", "-ssl_dist_optfile", inside + "/dist.conf"}
}

// mirror replies what it is called with.
type mirror struct{}

func (mirror) HandleCall(_ context.Context, _ truss.From, request truss.Message) (any, error) {
	return request, nil
}

// TestTLS: inet_tls both ways, both sides verifying each other, with messages
// larger than a TLS record and fragments.
func TestTLS(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		a := trusstest.NewAuthority(t)
		p := startPair(t, release, beam.Options{Args: otpOptions(t, a, release, "127.0.0.1")},
			truss.Config{TLS: a.Config("127.0.0.1")})
		if _, err := p.node.Serve("mirror", mirror{}); err != nil {
			t.Fatal(err)
		}
		for _, weDial := range []bool{true, false} {
			testConnection(t, fmt.Sprintf("we dial: %v", weDial), p.beam, p.node, false, weDial)
			const thereAndBack = "(fun(B) -> B =:= gen_server:call({mirror, 'go@127.0.0.1'}, B) end)(binary:copy(<<7>>, 3000000))"
			if got := p.beam.MustEval(t, thereAndBack); got != "true" {
				t.Errorf("3 MB there and back: %s", got)
			}
			if err := p.node.Disconnect(t.Context(), p.beam.Name); err != nil {
				t.Fatal(err)
			}
			p.beam.Await(t, "nodes(connected)", "[]")
		}
	})
}

// TestTLSRefused: neither side takes the other's certificate from an authority it
// does not know, and ours says why.
func TestTLSRefused(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := startPair(t, release, beam.Options{Args: otpOptions(t, trusstest.NewAuthority(t), release, "127.0.0.1")},
			truss.Config{TLS: trusstest.NewAuthority(t).Config("127.0.0.1")})
		err := p.node.Connect(t.Context(), p.beam.Name)
		if err == nil || !strings.Contains(err.Error(), "TLS with beam@127.0.0.1") || !strings.Contains(err.Error(), "unknown authority") {
			t.Errorf("we dial: %v", err)
		}
		if got := p.beam.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "false" {
			t.Errorf("they dial: %s", got)
		}
	})
}

// TestTLSReload: a certificate that GetCertificate returns from now on is the
// one that new connections see.
func TestTLSReload(t *testing.T) {
	releases := beam.Releases(t)
	release := releases[len(releases)-1]
	a := trusstest.NewAuthority(t)
	config := a.Config("127.0.0.1")
	var current atomic.Pointer[tls.Certificate]
	current.Store(&config.Certificates[0])
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil }
	p := startPair(t, release, beam.Options{Args: otpOptions(t, a, release, "127.0.0.1")}, truss.Config{TLS: config})

	current.Store(&trusstest.NewAuthority(t).Config("127.0.0.1").Certificates[0])
	if got := p.beam.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "false" {
		t.Errorf("with the certificate of another authority: %s", got)
	}
	current.Store(&a.Config("127.0.0.1").Certificates[0])
	if got := p.beam.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "true" {
		t.Errorf("with a new certificate of the right authority: %s", got)
	}
}
