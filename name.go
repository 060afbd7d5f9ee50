package truss

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/truss-beam/truss/dist"
)

// nodeName completes and checks the configured name.
func nodeName(name string, getenv func(string) string) (string, error) {
	if name == "" {
		name = getenv("RELEASE_NODE")
	}
	if name == "" {
		name = flyName(getenv)
	}
	if name == "" {
		return "", errors.New("truss: no node name: set Config.Name or RELEASE_NODE, for example app@10.0.0.1")
	}
	if !strings.Contains(name, "@") {
		host, err := hostName(getenv)
		if err != nil {
			return "", err
		}
		name += "@" + host
	}
	if err := dist.CheckName(name); err != nil {
		return "", fmt.Errorf("truss: %w", err)
	}
	return name, nil
}

// nameless checks the host part of a node that asks another for its name.
func nameless(host, from string, getenv func(string) string) (string, error) {
	if err := dist.CheckName(from); err != nil {
		return "", fmt.Errorf("truss: NameFrom: %w", err)
	}
	if strings.Contains(host, "@") {
		return "", fmt.Errorf("truss: with NameFrom, Name is the host part alone, not %q", host)
	}
	if host == "" {
		return hostName(getenv)
	}
	return host, nil
}

// flyName is the name dns_cluster's guide for Fly.io gives a release, from the
// variables Fly sets: the image's last part keeps old and new deploys apart.
func flyName(getenv func(string) string) string {
	app, ip := getenv("FLY_APP_NAME"), getenv("FLY_PRIVATE_IP")
	if app == "" || ip == "" {
		return ""
	}
	if image := getenv("FLY_IMAGE_REF"); image != "" {
		app += "-" + image[strings.LastIndexByte(image, '-')+1:]
	}
	return app + "@" + ip
}

// hostName is the host part for a name given without one. A release has short
// names unless RELEASE_DISTRIBUTION says "name".
func hostName(getenv func(string) string) (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("truss: name without @ and this machine has no host name: %w", err)
	}
	if getenv("RELEASE_DISTRIBUTION") == "name" {
		if !isLongHost(host) {
			return "", fmt.Errorf("truss: RELEASE_DISTRIBUTION=name, but this machine's host name %q has no domain: give the full name, app@ADDRESS", host)
		}
		return host, nil
	}
	short, _, _ := strings.Cut(host, ".")
	return short, nil
}

// isLongHost tells hosts of long names from those of short ones, as net_kernel does.
func isLongHost(host string) bool { return strings.ContainsAny(host, ".:") }

// splitName cuts a checked node name at its @.
func splitName(name string) (alive, host string) {
	alive, host, _ = strings.Cut(name, "@")
	return alive, host
}

// checkPeerName tells whether this node can have a connection to peer at all.
func (n *Node) checkPeerName(peer string) error {
	if err := dist.CheckName(peer); err != nil {
		return fmt.Errorf("truss: %w", err)
	}
	if peer == n.name {
		return fmt.Errorf("truss: %s is this node", peer)
	}
	_, ours := splitName(n.name)
	_, theirs := splitName(peer)
	switch {
	case isLongHost(ours) == isLongHost(theirs):
		return nil
	case isLongHost(ours):
		return fmt.Errorf("truss: %s is a short name, and this node, %s, has a long one: use names of one kind", peer, n.name)
	default:
		return fmt.Errorf("truss: %s is a long name, and this node, %s, has a short one: use names of one kind", peer, n.name)
	}
}
