package simnet

import (
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
)

var (
	loopback4 = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	loopback6 = netip.IPv6Loopback()
)

// splitAddr splits "host:port", for the networks there are.
func splitAddr(network, address string) (host string, port uint16, err error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return "", 0, net.UnknownNetworkError(network)
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	p, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, &net.AddrError{Err: "invalid port", Addr: address}
	}
	return host, uint16(p), nil
}

// resolve turns the host part of a dialled address into the addresses to try.
func (h *Host) resolve(network, host string) ([]netip.Addr, error) {
	var all []netip.Addr
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || host == "localhost" || err == nil && ip.IsUnspecified():
		// Dialling "any address" reaches this host itself, as on Linux.
		all = []netip.Addr{loopback4, loopback6}
	case err == nil:
		all = []netip.Addr{plain(ip)}
	default:
		h.net.mu.Lock()
		if owner := h.net.names[host]; owner != nil {
			all = append(all, owner.addrs...)
		}
		h.net.mu.Unlock()
	}
	out := all[:0]
	for _, ip := range all {
		if family(network, ip) {
			out = append(out, ip)
		}
	}
	if len(out) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, nil
}

// listenAddr returns the address to bind. An unspecified one is :: for both
// families, as with net.Listen, and 0.0.0.0 only for "tcp4".
func (h *Host) listenAddr(network, address string) (netip.AddrPort, error) {
	host, port, err := splitAddr(network, address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ip, err := netip.ParseAddr(host)
	if host == "" || err == nil && ip.IsUnspecified() {
		if network == "tcp4" {
			return netip.AddrPortFrom(netip.IPv4Unspecified(), port), nil
		}
		return netip.AddrPortFrom(netip.IPv6Unspecified(), port), nil
	}
	ips, err := h.resolve(network, host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(ips[0], port), nil
}

// family says whether an address may be used on a network.
func family(network string, ip netip.Addr) bool {
	return network == "tcp" || (network == "tcp4") == ip.Is4()
}

// tcpAddr is the net.Addr of an address, nil (not a nil pointer in it) for none.
func tcpAddr(ap netip.AddrPort) net.Addr {
	if !ap.IsValid() {
		return nil
	}
	return net.TCPAddrFromAddrPort(ap)
}

// ctxError is what a dial says when its context ends: like net's, a timeout
// for a deadline, and in both cases errors.Is finds the context's own error.
func ctxError(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return timeoutError{}
	}
	return ctx.Err()
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Is(err error) bool {
	return err == context.DeadlineExceeded || err == os.ErrDeadlineExceeded
}
