package interop

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"testing"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/epmd"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/internal/beam"
)

// askWho is the BEAM asking our program which one it is.
const askWho = "gen_server:call({who, 'go@127.0.0.1'}, os_pid)"

func ourProgram(epmd int) programConfig {
	return programConfig{
		Name: "go@127.0.0.1", Listen: "127.0.0.1", Cookie: beam.DefaultCookie, Epmd: fmt.Sprintf("127.0.0.1:%d", epmd),
	}
}

// startPeer is the BEAM of a pair without the node.
func startPeer(t *testing.T, release beam.Release, options beam.Options) *beam.Node {
	t.Helper()
	n := release.Start(t, options)
	n.Load(t, peerModule)
	n.MustEval(t, "{ok, _} = interop_peer:start_calc()")
	return n
}

// osPid asks the BEAM's calc which BEAM it is.
func osPid(t *testing.T, n *truss.Node, peer string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	pid, err := truss.Call[int](ctx, n, truss.Name{Name: "calc", Node: peer}, etf.Atom("os_pid"))
	if err != nil {
		t.Fatalf("calling %s: %v", peer, err)
	}
	return pid
}

// TestOursRestarts kills our program and starts it again at once, over and over.
func TestOursRestarts(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		peer := startPeer(t, release, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
		for round := range 10 {
			config := ourProgram(port)
			if round%2 == 0 {
				config.Dial = peer.Name
			}
			ours := startProgram(t, config)
			if got, want := peer.MustEval(t, askWho), strconv.Itoa(ours.cmd.Process.Pid); got != want {
				t.Fatalf("round %d: process %s answers, want %s", round, got, want)
			}
			peer.Await(t, fmt.Sprintf("{nodes(), interop_peer:dist_sockets([%d])}", port), "{['go@127.0.0.1'],1}")
			ours.kill()
		}
	})
}

// TestOursReturnsBeforeTheyNotice has a program of the same name connect while
// the BEAM still believes the first one, which is frozen, to be there: the status
// alive. An epmd of its own lets it have the name.
func TestOursReturnsBeforeTheyNotice(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		peer := startPeer(t, release, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
		watcher := peer.Spawn()
		watcher.MustEval(t, "net_kernel:monitor_nodes(true)")
		config := ourProgram(port)
		config.Dial = peer.Name
		first := startProgram(t, config)
		first.signal(t, syscall.SIGSTOP)

		config = ourProgram(release.StartEPMD(t))
		config.Dial, config.DialAddr = peer.Name, address(t, port, "beam")
		second := startProgram(t, config)
		if got, want := peer.MustEval(t, askWho), strconv.Itoa(second.cmd.Process.Pid); got != want {
			t.Errorf("process %s answers, want %s", got, want)
		}
		want := "[nodeup,nodedown,nodeup]"
		if got := watcher.MustEval(t, "[receive {K, 'go@127.0.0.1'} -> K after 10000 -> none end || _ <- [1, 2, 3]]"); got != want {
			t.Errorf("the BEAM sees %s, want %s", got, want)
		}
		peer.Await(t, fmt.Sprintf("{nodes(), interop_peer:dist_sockets([%d])}", port), "{['go@127.0.0.1'],1}")
		first.signal(t, syscall.SIGCONT)
		first.await(t, "event beam@127.0.0.1 false")
	})
}

// address asks epmd where a node listens.
func address(t *testing.T, port int, name string) string {
	t.Helper()
	entry, err := (&epmd.Client{Port: port}).Lookup(t.Context(), "127.0.0.1", name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", entry.Port)
}

// TestTheyRestart kills the BEAM and starts it again at once; we must see it go
// and come, and reach the new one.
func TestTheyRestart(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		n := start(t, truss.Config{Name: "go@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", port)})
		next := events(t, n)
		for round := range 3 {
			peer := startPeer(t, release, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
			if round%2 == 0 {
				connect(t, n, peer.Name)
			} else if got := peer.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
				t.Fatalf("round %d: %s", round, got)
			}
			if got, want := strconv.Itoa(osPid(t, n, peer.Name)), peer.MustEval(t, "list_to_integer(os:getpid())"); got != want {
				t.Errorf("round %d: process %s answers, want %s", round, got, want)
			}
			if event := next(peer.Name); !event.Up {
				t.Fatalf("round %d: event %+v", round, event)
			}
			awaitNodes(t, n, []string{peer.Name}, nil)
			peer.Kill()
			if event := next(peer.Name); event.Up {
				t.Fatalf("round %d: event %+v", round, event)
			}
		}
	})
}

// TestTheyReturnBeforeWeNotice has a BEAM of the same name connect while we still
// believe the first one, which is frozen, to be there: we answer alive. It has an
// epmd of its own, in which we are registered too.
func TestTheyReturnBeforeWeNotice(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port, otherPort := release.StartEPMD(t), release.StartEPMD(t)
		n := start(t, truss.Config{Name: "go@127.0.0.1", Epmd: fmt.Sprintf("127.0.0.1:%d", port)})
		registered, err := (&epmd.Client{Port: otherPort}).Register(t.Context(), "127.0.0.1",
			epmd.Registration{Name: "go", Port: uint16(n.Port())})
		if err != nil {
			t.Fatal(err)
		}
		defer registered.Close()
		next := events(t, n)

		first := startPeer(t, release, beam.Options{Name: "beam@127.0.0.1", EPMD: port})
		connect(t, n, first.Name)
		first.Pause(t)
		second := startPeer(t, release, beam.Options{Name: "beam@127.0.0.1", EPMD: otherPort})
		if got := second.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
			t.Fatalf("ping gives %s", got)
		}
		for i, up := range []bool{true, false, true} {
			event := next(first.Name)
			if event.Up != up || !up && !errors.Is(event.Reason, truss.ErrReplaced) {
				t.Errorf("event %d: %+v", i, event)
			}
		}
		if got, want := strconv.Itoa(osPid(t, n, second.Name)), second.MustEval(t, "list_to_integer(os:getpid())"); got != want {
			t.Errorf("process %s answers, want %s", got, want)
		}
		second.Await(t, fmt.Sprintf("{nodes(), interop_peer:dist_sockets([%d])}", otherPort), "{['go@127.0.0.1'],1}")
		first.Resume(t)
		first.Await(t, fmt.Sprintf("{nodes(), interop_peer:dist_sockets([%d])}", port), "{[],0}")
		awaitNodes(t, n, []string{second.Name}, nil)
	})
}
