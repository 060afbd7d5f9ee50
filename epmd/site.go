package epmd

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// site works out where epmd is and what serving it would bind.
func (cfg *Config) site() (site, error) {
	at := site{hosts: []string{"127.0.0.1", "::1"}, bind: cfg.ListenAddrs}
	host, port, err := splitAddr(cfg.Addr)
	if err != nil {
		return site{}, err
	}
	if at.port = port; port == 0 {
		if at.port, err = EnvPort(); err != nil {
			return site{}, err
		}
	}
	if host != "" {
		at.hosts = []string{host}
	}
	for _, a := range cfg.ListenAddrs {
		if _, err := netip.ParseAddr(a); err != nil {
			return site{}, fmt.Errorf("%w: %q in ListenAddrs is no IP address", ErrInvalid, a)
		}
	}
	if at.bind != nil {
		return at, nil
	}
	if at.bind, err = BindList(os.Getenv("ERL_EPMD_ADDRESS")); err != nil {
		return site{}, fmt.Errorf("ERL_EPMD_ADDRESS: %w", err)
	}
	if at.bind == nil && host != "" && host != "127.0.0.1" && host != "::1" && host != "localhost" {
		at.bind = []string{host}
	}
	return at, nil
}

// splitAddr splits "host", "host:port", ":port", "::1" or "[::1]:port"; what is
// not there is "" or 0.
func splitAddr(addr string) (host string, port int, err error) {
	if _, err := netip.ParseAddr(addr); err == nil || !strings.Contains(addr, ":") {
		return addr, 0, nil
	}
	host, text, err := net.SplitHostPort(addr)
	if err == nil && text != "" {
		var p uint64
		p, err = strconv.ParseUint(text, 10, 16)
		port = int(p)
	}
	if err != nil {
		return "", 0, fmt.Errorf("%w address of epmd %q: %v", ErrInvalid, addr, err)
	}
	return host, port, nil
}
