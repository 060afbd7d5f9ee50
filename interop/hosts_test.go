package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/internal/beam"
)

// network is some hosts on one wire: network namespaces, joined by a bridge in
// one more. That has a second bridge, for those who are cut off together.
type network struct {
	t   *testing.T
	id  string
	hub string
}

// newNetwork needs root and ip(8). Without them the test is skipped, or fails if
// interop tests are required. No two networks may have the same name.
func newNetwork(t *testing.T, name string) *network {
	t.Helper()
	if err := noNetworks(); err != nil {
		if os.Getenv("TRUSS_INTEROP") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	n := &network{t: t, id: fmt.Sprintf("truss%d-%s", os.Getpid(), name)}
	n.hub = n.id + "-hub"
	n.namespace(n.hub)
	for _, bridge := range []string{"wire", "aside"} {
		n.ip("-n", n.hub, "link", "add", bridge, "type", "bridge")
		n.ip("-n", n.hub, "link", "set", bridge, "up")
	}
	return n
}

// noNetworks tells why there can be none here, nil if there can.
func noNetworks() error {
	if _, err := exec.LookPath("ip"); os.Geteuid() != 0 || err != nil {
		return errors.Join(errors.New("network namespaces need root on Linux, and iproute2: REAL HOSTS ARE NOT TRIED"), err)
	}
	return nil
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (n *network) namespace(name string) {
	n.t.Helper()
	n.ip("netns", "add", name)
	n.t.Cleanup(func() { n.ip("netns", "del", name) })
	n.ip("-n", name, "link", "set", "lo", "up")
}

// host adds a host with the addresses 10.88.0.N and fd88::N, and returns its
// namespace.
func (n *network) host(number int) (namespace string) {
	n.t.Helper()
	namespace = fmt.Sprintf("%s-%d", n.id, number)
	n.namespace(namespace)
	port := fmt.Sprintf("port%d", number)
	n.ip("-n", n.hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
	n.ip("-n", n.hub, "link", "set", port, "master", "wire", "up")
	n.ip("-n", namespace, "address", "add", fmt.Sprintf("10.88.0.%d/24", number), "dev", "eth0")
	n.ip("-n", namespace, "address", "add", fmt.Sprintf("fd88::%d/64", number), "dev", "eth0", "nodad")
	n.ip("-n", namespace, "link", "set", "eth0", "up")
	return namespace
}

// unplug pulls a host's cable; plug puts it back.
func (n *network) unplug(number int) {
	n.t.Helper()
	n.ip("-n", n.hub, "link", "set", fmt.Sprintf("port%d", number), "down")
}

func (n *network) plug(number int) {
	n.t.Helper()
	n.ip("-n", n.hub, "link", "set", fmt.Sprintf("port%d", number), "up")
}

// move connects a host's cable to the bridge wire or aside. Nobody is told: what
// is sent to the other one's hosts is lost.
func (n *network) move(number int, bridge string) {
	n.t.Helper()
	n.ip("-n", n.hub, "link", "set", fmt.Sprintf("port%d", number), "master", bridge)
}

// TestHosts has the same basename on three hosts, each with an epmd of its own at
// the usual port: two of ours, which serve one, and a BEAM with OTP's. One is cut
// off without a word, and comes back. IPv4 and IPv6.
func TestHosts(t *testing.T) {
	t.Parallel()
	releases := beam.Releases(t)
	release := releases[0] // the oldest, whose epmd is on every machine that has an Erlang
	wire := newNetwork(t, "hosts")
	one, two, three := wire.host(1), wire.host(2), wire.host(3)
	epmd := exec.Command("ip", "netns", "exec", three, "epmd")
	if err := epmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = epmd.Process.Kill()
		_ = epmd.Wait() // says that it was killed
	})
	for _, format := range []string{"app@10.88.0.%d", "app@fd88::%d"} {
		t.Run(format, func(t *testing.T) {
			testHosts(t, wire, release, func(number int) string { return fmt.Sprintf(format, number) }, one, two, three)
		})
	}
}

func testHosts(t *testing.T, wire *network, release beam.Release, name func(int) string, one, two, three string) {
	const tickTime = 4 * time.Second
	peer := release.Start(t, beam.Options{
		Name: name(3), Namespace: three, EPMD: 4369, Kernel: map[string]string{"net_ticktime": "4"},
	})
	ours := func(namespace, own, dial string) *program {
		return startProgramBy(t, exec.Command("ip", "netns", "exec", namespace, os.Args[0]), programConfig{
			Name: own, Cookie: beam.DefaultCookie, Epmd: "auto", TickTime: tickTime, Dial: dial,
		})
	}
	first := ours(one, name(1), name(3))
	second := ours(two, name(2), name(1))
	first.await(t, "event "+name(2)+" true")
	if got := peer.MustEval(t, "net_kernel:connect_node('"+name(2)+"')"); got != "true" {
		t.Fatal("the BEAM to the second:", got)
	}
	peer.Await(t, "lists:sort(nodes())", atoms(name(1), name(2)))

	wire.unplug(2)
	first.await(t, "event "+name(2)+" false net_tick_timeout")
	second.await(t, "event "+name(1)+" false net_tick_timeout")
	second.await(t, "event "+name(3)+" false net_tick_timeout")
	peer.Await(t, "nodes()", atoms(name(1)))
	wire.plug(2)
	if got := peer.MustEval(t, "net_adm:ping('"+name(2)+"')"); got != "pong" {
		t.Error("after the cable is back:", got)
	}
	second.await(t, "event "+name(3)+" true")
}
