package truss

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/truss-beam/truss/dist"
)

// dialTLS is the client's side of TLS. As OTP does, it names the host part as
// the server, even an IP address.
func (n *Node) dialTLS(ctx context.Context, socket net.Conn, peer string) (net.Conn, error) {
	config := n.config.TLS
	if config.ServerName == "" {
		config = config.Clone()
		_, config.ServerName = splitName(peer)
	}
	secured := tls.Client(socket, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = socket.Close()
		return nil, fmt.Errorf("TLS with %s: %w", peer, err)
	}
	return secured, nil
}

// acceptTLS is the server's side.
func (n *Node) acceptTLS(socket net.Conn) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(n.life, n.config.SetupTime)
	defer cancel()
	secured := tls.Server(socket, n.config.TLS)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secured, nil
}

// checkTLSName tells whether a peer that dialled us has a certificate for its host.
func (n *Node) checkTLSName(socket net.Conn, peer string) error {
	secured, ok := socket.(*tls.Conn)
	if !ok || !n.config.TLSNames {
		return nil
	}
	_, host, full := dist.SplitName(peer)
	if !full {
		host = peer // it asks for a name, and gave its host alone
	}
	if err := secured.ConnectionState().PeerCertificates[0].VerifyHostname(host); err != nil {
		return fmt.Errorf("%w: its certificate: %w", dist.ErrNotAllowed, err)
	}
	return nil
}
