package epmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// DefaultPort is where epmd listens unless ERL_EPMD_PORT says otherwise.
const DefaultPort = 4369

// A Dialer connects, as [net.Dialer.DialContext] does, which nil stands for.
// Tests put an in-memory network here.
type Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// A ListenFunc listens, as [net.ListenConfig.Listen] does, which nil stands for.
type ListenFunc func(ctx context.Context, network, addr string) (net.Listener, error)

// EnvPort returns ERL_EPMD_PORT, or DefaultPort if that is not set.
func EnvPort() (int, error) {
	text := os.Getenv("ERL_EPMD_PORT")
	if text == "" {
		return DefaultPort, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%w: ERL_EPMD_PORT is %q, which is no port", ErrInvalid, text)
	}
	return int(port), nil
}

// BindList parses a list of IP addresses separated by commas or spaces, as epmd's
// -address and ERL_EPMD_ADDRESS have it. 127.0.0.1 and ::1 are always part of
// it, since nodes register there. An empty list is nil: all addresses.
func BindList(list string) ([]string, error) {
	var addrs []string
	for _, text := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %q in the list of addresses to bind is no IP address", ErrInvalid, text)
		}
		addrs = append(addrs, ip.Unmap().String())
	}
	if addrs == nil {
		return nil, nil
	}
	addrs = append([]string{"127.0.0.1", "::1"}, addrs...)
	for i := len(addrs) - 1; i >= 2; i-- {
		if slices.Contains(addrs[:i], addrs[i]) {
			addrs = slices.Delete(addrs, i, i+1)
		}
	}
	return addrs, nil
}

// Listen binds every address of a list to port, in its order, all of them or
// none; a nil list is all addresses, IPv4 and IPv6. The one exception is ::1,
// which a machine without IPv6 does not have.
func Listen(ctx context.Context, listen ListenFunc, addrs []string, port int) ([]net.Listener, error) {
	if listen == nil {
		listen = new(net.ListenConfig).Listen
	}
	if len(addrs) == 0 {
		addrs = []string{""}
	}
	var all []net.Listener
	for _, addr := range addrs {
		l, err := listen(ctx, "tcp", net.JoinHostPort(addr, strconv.Itoa(port)))
		if err != nil && addr == "::1" && len(all) > 0 && !addrInUse(err) {
			continue
		}
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// addrInUse says whether listening failed because somebody else does. Windows
// has its own number for it, which syscall does not relate to EADDRINUSE.
func addrInUse(err error) bool {
	const wsaeaddrinuse = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaeaddrinuse)
}

// localPeer says whether a connection comes from this host, by epmd's rule: from
// a loopback address, or from the address it came to.
func localPeer(c net.Conn) bool {
	from, to := addrPort(c.RemoteAddr()).Addr(), addrPort(c.LocalAddr()).Addr()
	return from.IsValid() && (from.IsLoopback() || from == to)
}

// addrPort returns an address in its plainest form, or the zero value.
func addrPort(a net.Addr) netip.AddrPort {
	if a == nil {
		return netip.AddrPort{}
	}
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
