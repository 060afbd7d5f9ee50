package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/epmd"
)

// epmdAddress is where to ask for a port: the epmd of the node's own host if host
// is "", at the usual port if port is 0.
type epmdAddress struct {
	host string
	port int
}

// parseEpmd reads --epmd: HOST, PORT or HOST:PORT.
func parseEpmd(text string) (epmdAddress, error) {
	if text == "" {
		return epmdAddress{}, nil
	}
	if port, ok := parsePort(text); ok {
		return epmdAddress{port: port}, nil
	}
	if host, after, err := net.SplitHostPort(text); err == nil {
		port, ok := parsePort(after)
		if !ok {
			return epmdAddress{}, usage("--epmd %s: %q is no port", text, after)
		}
		return epmdAddress{host: host, port: port}, nil
	}
	if host := strings.Trim(text, "[]"); net.ParseIP(host) != nil || !strings.ContainsAny(host, ":[]/ ") {
		return epmdAddress{host: host}, nil
	}
	return epmdAddress{}, usage("--epmd %s is no HOST, PORT or HOST:PORT", text)
}

func parsePort(text string) (int, bool) {
	port, err := strconv.ParseUint(text, 10, 16)
	return int(port), err == nil && port != 0
}

// client asks without a time limit of its own: there is --timeout.
func (a epmdAddress) client() epmd.Client {
	return epmd.Client{Port: a.port, Timeout: time.Hour}
}

// locate asks an epmd where a node listens.
func (a epmdAddress) locate(ctx context.Context, node string) (addr string, err error) {
	name, host, _ := dist.SplitName(node)
	if a.host == "" {
		a.host = host
	}
	client := a.client()
	entry, err := client.Lookup(ctx, a.host, name)
	switch {
	case err != nil:
		return "", err
	case entry.Port == 0:
		return "", fmt.Errorf("epmd at %s says that %s accepts no connections", a.host, name)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(entry.Port))), nil
}

// epmdHint tells what to do about an epmd that did not help.
func epmdHint(err error) string {
	var unknown *epmd.UnknownNameError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknown) && len(unknown.Known) == 0:
		return "start the node; if it uses another epmd, say which with --epmd"
	case errors.As(err, &unknown):
		return "start the node, or use one of those names"
	case errors.As(err, &dns):
		return "what is after the @ must be an address, or a name that can be looked up"
	case errors.Is(err, epmd.ErrUnreachable):
		return "is the host up, and a node running there? For another port of epmd there is --epmd, for none --addr"
	}
	return ""
}
