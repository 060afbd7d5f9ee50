package dns

import (
	"fmt"
	"os"
	"strings"

	"github.com/truss-beam/truss/discovery"
)

// warnAboutName says what to paste if this node's name is one that peers cannot find by DNS: dns_cluster's warnings.
func warnAboutName(self discovery.Self) {
	base, host, _ := strings.Cut(self.Name, "@")
	var trouble string
	switch {
	case base == "" || host == "":
		trouble = "this node is not running in distributed mode"
	case !strings.ContainsAny(host, ".:"):
		trouble = fmt.Sprintf("this node is named %s, but DNS discovery needs long names: the host has to be an IP address (or a full host name)", self.Name)
	default:
		return
	}
	self.Logger.Warn("dns: " + trouble + ". Set these in its environment (in a release: rel/env.sh.eex):\n\n" + exports(base))
}

// exports are the lines themselves. On Fly.io the address is known.
func exports(base string) string {
	if base == "" {
		base = "my_app"
	}
	host := "fully-qualified-host-or-ip"
	if os.Getenv("FLY_PRIVATE_IP") != "" {
		host = "${FLY_PRIVATE_IP}"
	}
	return "export RELEASE_DISTRIBUTION=name\nexport RELEASE_NODE=\"" + base + "@" + host + "\"\n"
}
