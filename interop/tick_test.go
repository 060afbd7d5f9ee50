package interop

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/internal/beam"
)

// tickTime is OTP's net_ticktime in these tests: as short as machines in trouble
// allow.
const tickTime = 2 * time.Second

// tickOptions makes the BEAM's net_ticktime that.
func tickOptions() beam.Options { return beam.Options{Kernel: map[string]string{"net_ticktime": "2"}} }

// TestIdleConnectionLives: with nothing to say, each side's ticks keep the other
// convinced. Two tick times pass, for a side that hears nothing gives up after
// one and a quarter.
func TestIdleConnectionLives(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, tickOptions(), truss.Config{TickTime: tickTime})
		watcher := p.beam.Spawn()
		watcher.MustEval(t, "net_kernel:monitor_nodes(true)")
		time.Sleep(2*tickTime + tickTime/2)
		awaitNodes(t, p.node, []string{p.beam.Name}, nil)
		if got := watcher.MustEval(t, "receive M -> M after 0 -> nothing end"); got != "nothing" {
			t.Errorf("the BEAM saw %s", got)
		}
	})
}

// TestFrozenBEAM: we see it by its silence. When it goes on it finds the
// connection gone, and a new one can be made.
func TestFrozenBEAM(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		p := connectedPair(t, release, tickOptions(), truss.Config{TickTime: tickTime})
		next := events(t, p.node)
		next(p.beam.Name)
		watcher := p.beam.Spawn()
		watcher.MustEval(t, "net_kernel:monitor_nodes(true)")
		p.beam.Pause(t)
		if event := next(p.beam.Name); event.Up || !errors.Is(event.Reason, truss.ErrTickTimeout) {
			t.Errorf("event %+v", event)
		}
		awaitNodes(t, p.node, nil, nil)
		p.beam.Resume(t)
		if got := watcher.MustEval(t, "receive M -> M after 10000 -> nothing end"); got != "{nodedown,'go@127.0.0.1'}" {
			t.Errorf("the BEAM sees %s", got)
		}
		connect(t, p.node, p.beam.Name)
		p.beam.Await(t, "nodes()", atoms(p.node.Name()))
	})
}

// TestWeAreFrozen: the BEAM sees it by our silence, and so its ticks reach us
// and ours it.
func TestWeAreFrozen(t *testing.T) {
	each(t, func(t *testing.T, release beam.Release) {
		port := release.StartEPMD(t)
		options := tickOptions()
		options.Name, options.EPMD = "beam@127.0.0.1", port
		peer := startPeer(t, release, options)
		watcher := peer.Spawn()
		watcher.MustEval(t, "net_kernel:monitor_nodes(true, [nodedown_reason])")
		config := ourProgram(port)
		config.TickTime, config.Dial = tickTime, peer.Name
		ours := startProgram(t, config)
		ours.signal(t, syscall.SIGSTOP)
		want := "[{nodeup,'go@127.0.0.1',[]},{nodedown,'go@127.0.0.1',[{nodedown_reason,net_tick_timeout}]}]"
		if got := watcher.MustEval(t, "[receive M -> M after 10000 -> none end || _ <- [1, 2]]"); got != want {
			t.Errorf("the BEAM sees %s, want %s", got, want)
		}
		ours.signal(t, syscall.SIGCONT)
		ours.await(t, "event beam@127.0.0.1 false")
		if got := peer.MustEval(t, "net_adm:ping('go@127.0.0.1')"); got != "pong" {
			t.Errorf("and then ping gives %s", got)
		}
	})
}
