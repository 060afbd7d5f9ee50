package cli

import (
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/truss-beam/truss/dist"
)

// ownName is the name to visit a node under: what was asked for, completed with a
// host, or a random one.
func ownName(asked, peer string) (string, error) {
	name := asked
	if name == "" {
		var random [4]byte
		_, _ = rand.Read(random[:]) // never fails since Go 1.24
		name = "truss-" + hex.EncodeToString(random[:])
	}
	if !strings.Contains(name, "@") {
		_, host, _ := dist.SplitName(peer)
		name += "@" + ownHost(host)
	}
	if err := dist.CheckName(name); err != nil {
		return "", usage("--name %w", err)
	}
	if name == peer {
		return "", usage("--name %s is the name of the node to connect to", name)
	}
	return name, nil
}

// ownHost is this machine's part in the name of a node that talks to one at
// peerHost. Nobody connects to it, but it must be of the same kind, short or
// long, and it should tell whoever reads the peer's log where we were.
func ownHost(peerHost string) string {
	if !strings.ContainsAny(peerHost, ".:") {
		return shortHost(peerHost)
	}
	if ip, err := netip.ParseAddr(peerHost); err == nil && ip.IsLoopback() {
		return peerHost
	}
	// To connect a datagram socket sends nothing; it makes the system choose the
	// address that the peer would see.
	socket, err := net.Dial("udp", net.JoinHostPort(peerHost, "4369"))
	if err != nil {
		return "127.0.0.1" // connecting will fail for the same reason, and say so
	}
	defer socket.Close()
	if addr, ok := socket.LocalAddr().(*net.UDPAddr); ok {
		return addr.AddrPort().Addr().Unmap().WithZone("").String()
	}
	return "127.0.0.1"
}

// shortHost is this machine's host name up to the first dot, except beside a node
// on localhost.
func shortHost(peerHost string) string {
	if peerHost == "localhost" {
		return peerHost
	}
	host, err := os.Hostname()
	short, _, _ := strings.Cut(host, ".")
	if err != nil || short == "" {
		return "localhost"
	}
	return short
}
