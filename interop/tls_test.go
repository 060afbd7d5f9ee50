package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// authority is a certificate authority made for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "truss test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a certificate for a host, as PEM.
func (a *authority) issue(t *testing.T, host string, serial int64) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{host},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// config is a Truss node's, which asks for client certificates.
func (a *authority) config(t *testing.T, host string, serial int64) *tls.Config {
	t.Helper()
	cert, err := tls.X509KeyPair(a.issue(t, host, serial))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
}

// options writes the files for OTP's inet_tls_dist, for a node that verifies
// both servers and clients, and returns the arguments of erl.
func (a *authority) options(t *testing.T, r beam.Release, host string) []string {
	t.Helper()
	folder, err := os.MkdirTemp(filepath.Join(r.Root, "tmp"), "truss-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	cert, key := a.issue(t, host, 2)
	inside := "/" + strings.TrimPrefix(strings.TrimPrefix(folder, r.Root), "/")
	common := fmt.Sprintf(`{certfile,"%[1]s/cert.pem"},{keyfile,"%[1]s/key.pem"},{cacertfile,"%[1]s/ca.pem"},{verify,verify_peer}`, inside)
	optfile := fmt.Sprintf("[{server,[%s,{fail_if_no_peer_cert,true}]},{client,[%s]}].\n", common, common)
	for name, content := range map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.pem": a.pem, "dist.conf": []byte(optfile)} {
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
		a := newAuthority(t)
		p := startPair(t, release, beam.Options{Args: a.options(t, release, "127.0.0.1")},
			truss.Config{TLS: a.config(t, "127.0.0.1", 3)})
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
		p := startPair(t, release, beam.Options{Args: newAuthority(t).options(t, release, "127.0.0.1")},
			truss.Config{TLS: newAuthority(t).config(t, "127.0.0.1", 3)})
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
	a := newAuthority(t)
	config := a.config(t, "127.0.0.1", 3)
	var current atomic.Pointer[tls.Certificate]
	current.Store(&config.Certificates[0])
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil }
	p := startPair(t, release, beam.Options{Args: a.options(t, release, "127.0.0.1")}, truss.Config{TLS: config})

	current.Store(&newAuthority(t).config(t, "127.0.0.1", 4).Certificates[0])
	if got := p.beam.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "false" {
		t.Errorf("with the certificate of another authority: %s", got)
	}
	current.Store(&a.config(t, "127.0.0.1", 5).Certificates[0])
	if got := p.beam.MustEval(t, "net_kernel:connect_node('go@127.0.0.1')"); got != "true" {
		t.Errorf("with a new certificate of the right authority: %s", got)
	}
}
