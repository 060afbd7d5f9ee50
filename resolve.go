package truss

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/truss-beam/truss/epmd"
)

// epmdConfig says which epmd this node registers with, as Config.Epmd asks.
func (n *Node) epmdConfig() epmd.Config {
	name, _ := splitName(n.name)
	config := epmd.Config{
		Name:   name,
		Port:   uint16(n.port),
		Hidden: n.config.Hidden,
		Addr:   n.config.Listen,
		Dial:   n.config.Network.Dial,
		Listen: n.config.Network.Listen,
		Logger: n.log,
	}
	switch n.config.Epmd {
	case "", "auto":
		config.Mode = epmd.ModeAuto
	case "serve":
		config.Mode = epmd.ModeServe
	default:
		config.Mode, config.Addr = epmd.ModeJoin, n.config.Epmd
	}
	return config
}

// resolve finds where a node listens: by the epmd of its host, or without epmd
// on the port that all share.
func (n *Node) resolve(ctx context.Context, name string) (addr string, err error) {
	alive, host := splitName(name)
	if n.config.Epmd == epmdNone {
		return net.JoinHostPort(host, strconv.Itoa(n.config.Port)), nil
	}
	client := epmd.Client{Dial: n.config.Network.Dial, Port: n.epmdPort()}
	entry, err := client.Lookup(ctx, host, alive)
	if err != nil {
		return "", err
	}
	if entry.High < handshakeVersion {
		return "", fmt.Errorf("%s speaks distribution version %d at most; version %d is needed, OTP 25 or newer", name, entry.High, handshakeVersion)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(entry.Port))), nil
}

// handshakeVersion is the distribution version that nodes register with epmd.
const handshakeVersion = 6

// epmdPort is the port of every host's epmd: that of Config.Epmd if it names one,
// else 0, for the client's default.
func (n *Node) epmdPort() int {
	if _, port, err := net.SplitHostPort(n.config.Epmd); err == nil {
		if p, err := strconv.Atoi(port); err == nil {
			return p
		}
	}
	return 0
}
