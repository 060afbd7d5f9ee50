package play

import (
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// interval is the time between two questions to DNS.
const interval = 500 * time.Millisecond

//go:embed machine.erl
var machineProgram string

// programs starts machines as processes of this computer.
type programs struct {
	site   *site
	front  *front // nil with one address
	cookie string
	self   string // this program
	erl    string // "" if there is none
	log    *slog.Logger
}

// launch implements launcher.
func (p *programs) launch(m spec, tell func(report)) (process, error) {
	if m.Kind == beamMachine {
		return p.launchBeam(m, tell)
	}
	cmd := exec.Command(p.self, p.nodeArgs(m)...)
	cmd.Env = p.environment()
	return startProcess(cmd, tell, func() {})
}

// nodeArgs is the command line of a Go machine: that of truss node, behind the
// hidden command that ends it with its standard input.
func (p *programs) nodeArgs(m spec) []string {
	args := []string{
		"play", "machine", "--",
		"node", "--json", "-v", "--name", m.Node, "--listen", m.Addr.String(),
		"--pubsub", demoPubSub + "/" + demoTopic, "--region", m.Region,
		"--dns", domain, "--dns-server", p.site.dns.String(), "--dns-interval", interval.String(),
	}
	if p.site.oneAddress {
		return append(args, "--dns-type", "SRV", "--dns-target-names", "--epmd", "none", "--port", strconv.Itoa(int(m.Port)))
	}
	return append(args, "--dns-type", "A", "--epmd", "serve")
}

// launchBeam starts an erl as on a machine of its own. Nothing of it is special
// but its addresses: it registers with an epmd, and asks those of its peers.
func (p *programs) launchBeam(m spec, tell func(report)) (process, error) {
	if p.front == nil {
		return nil, fmt.Errorf("a BEAM machine needs an address of its own, and this computer has only 127.0.0.1")
	}
	if err := ensureCookieFile(); err != nil {
		p.log.Info("no ~/.erlang.cookie, which erl will want to write itself", "error", err)
	}
	stopEpmd, err := p.front.machine(m, p.log)
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(int(m.Port))
	cmd := exec.Command(p.erl, "-noshell", "-noinput", "-name", m.Node, "-start_epmd", "false",
		"-kernel", "inet_dist_use_interface", "{"+strings.ReplaceAll(m.Addr.String(), ".", ",")+"}",
		"inet_dist_listen_min", port, "inet_dist_listen_max", port,
		"-eval", withoutComments(machineProgram))
	cmd.Env = append(p.environment(),
		"TRUSS_PLAY_QUERY="+domain,
		"TRUSS_PLAY_PUBSUB="+demoPubSub,
		"TRUSS_PLAY_DNS_ADDRESS="+p.site.dns.Addr().String(),
		"TRUSS_PLAY_DNS_PORT="+strconv.Itoa(int(p.site.dns.Port())),
		"TRUSS_PLAY_DNS_INTERVAL="+strconv.FormatInt(interval.Milliseconds(), 10),
		"ERL_CRASH_DUMP=/dev/null")
	started, err := startProcess(cmd, tell, stopEpmd)
	if err != nil {
		stopEpmd()
		return nil, err
	}
	return started, nil
}

// withoutComments takes out lines that are comments, which -eval does not take
// everywhere.
func withoutComments(program string) string {
	var kept []string
	for line := range strings.Lines(program) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "%%") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, " ")
}

// environment is that of a machine: without what would make it another node than
// its command line says. The cookie is in it because other users can read command lines.
func (p *programs) environment() []string {
	var env []string
	for _, entry := range os.Environ() {
		key, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(key, "ERL_"), strings.HasPrefix(key, "RELEASE_"),
			strings.HasSuffix(key, "_REGION"), key == "TRUSS_COOKIE", key == "DNS_CLUSTER_QUERY":
		default:
			env = append(env, entry)
		}
	}
	env = append(env, "TRUSS_COOKIE="+p.cookie, "PRIMARY_REGION="+primaryRegion)
	if p.site.epmdPort != 0 {
		env = append(env, "ERL_EPMD_PORT="+strconv.Itoa(p.site.epmdPort))
	}
	return env
}
