package global

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/truss-beam/truss/etf"
)

var update = flag.Bool("update", false, "write what the scripts in testdata do now; commit only what you understand")

// TestScripts runs testdata/*.txt: blocks of commands, a line ----, and what
// follows from them. Lines of # say why. The commands:
//
//	nodes a b c           start nodes
//	fresh a b c           forget everything, and start nodes
//	boot a                start a node that has died, anew
//	connect a b           connect two
//	disconnect a b        lose that connection
//	partition ab|c        lose all connections between groups, and allow no new ones
//	heal                  allow them
//	slow a b              once they are to be connected, that takes 5 s; calls fail until then
//	kill a                a node dies
//	kill b when a>b KIND  it dies when a is about to send b such a message
//	mute a                what a sends is held back, until unmute; also mute a when
//	register a foo        register a new process of a; also reregister, unregister
//	end a foo             end the process that a has under a name
//	lock a r, unlock a r  set a global lock, without retries
//	sync a                say when a is in sync with all it is connected to
//	leave a               global:disconnect
//	trace, quiet          print messages, or do not
//	run 5s                let time pass
//	settle                until nothing happens any more, and print what nodes believe
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runScript(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(text) {
				t.Errorf("%s is not what happens now; with -update:\n%s", file, got)
			}
		})
	}
}

// runScript returns the script with what its blocks do now.
func runScript(t *testing.T, text string) string {
	var out strings.Builder
	s := newSim()
	for i, block := range strings.Split(strings.TrimRight(text, "\n"), "\n\n") {
		if i > 0 {
			out.WriteString("\n")
		}
		commands, _, _ := strings.Cut(block, "\n----")
		out.WriteString(commands + "\n----\n")
		s.out.Reset()
		for _, line := range strings.Split(commands, "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if err := s.command(strings.Fields(line)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		out.WriteString(s.out.String())
	}
	return out.String()
}

// settleLimit is far above all of the machine's own limits together.
const settleLimit = 10 * time.Minute

func (s *sim) command(f []string) error {
	arg := func(i int) string {
		if i < len(f) {
			return f[i]
		}
		return ""
	}
	switch f[0] {
	case "fresh":
		s.reset()
		for _, name := range f[1:] {
			s.boot(name)
		}
	case "nodes":
		for _, name := range f[1:] {
			s.boot(name)
		}
	case "boot":
		s.boot(arg(1))
	case "connect":
		if !s.link(arg(1), arg(2)) {
			return fmt.Errorf("cannot connect")
		}
	case "disconnect":
		s.unlink(arg(1), arg(2))
	case "partition":
		s.partition(strings.Split(arg(1), "|"))
	case "slow":
		s.slow[pair(arg(1), arg(2))] = true
	case "heal":
		clear(s.cut)
	case "kill":
		if arg(2) != "when" {
			s.kill(arg(1))
			return nil
		}
		from, to, _ := strings.Cut(arg(3), ">")
		s.traps = append(s.traps, trap{kind: strings.Join(f[4:], " "), from: from, to: to, victim: arg(1)})
	case "mute":
		if arg(2) == "when" {
			from, to, _ := strings.Cut(arg(3), ">")
			s.traps = append(s.traps, trap{kind: strings.Join(f[4:], " "), from: from, to: to})
			return nil
		}
		s.mute[arg(1)] = true
	case "unmute":
		held := s.held
		delete(s.mute, arg(1))
		s.held = nil
		for _, send := range held {
			send()
		}
	case "trace":
		s.trace = true
	case "quiet":
		s.trace = false
	case "run":
		d, err := time.ParseDuration(arg(1))
		s.run(d)
		return err
	case "settle":
		if !s.run(settleLimit) {
			s.out.WriteString("something still happens\n")
		}
		s.state()
	default:
		return s.userCommand(s.nodes[arg(1)], f[0], arg(2))
	}
	return nil
}

func (s *sim) partition(groups []string) {
	for i, g := range groups {
		for _, a := range g {
			for _, other := range groups[i+1:] {
				for _, b := range other {
					s.cut[pair(string(a), string(b))] = true
					s.unlink(string(a), string(b))
				}
			}
		}
	}
}

// userCommand is what a user of a node does.
func (s *sim) userCommand(n *simNode, command, arg string) error {
	if n == nil {
		return fmt.Errorf("no such command or node")
	}
	said := func(err error) {
		result := "done"
		if err != nil {
			result = err.Error()
		}
		s.printf("%s %s %s: %s", n.name, command, arg, result)
	}
	switch command {
	case "register", "reregister":
		method := etf.Export{Module: "global", Function: "random_exit_name", Arity: 3}
		s.feed(n, n.registering(entry{etf.Atom(arg), n.newPid(), method}, command == "reregister", said))
	case "unregister":
		s.feed(n, n.unregistering(etf.Atom(arg), said))
	case "end":
		e, ok := n.names.find(etf.Atom(arg))
		if !ok {
			return fmt.Errorf("no such name")
		}
		s.end(e.pid)
	case "lock":
		s.feed(n, &locking{as: n.locker, id: lockID{etf.Atom(arg), etf.Atom(n.name)}, nodes: append(n.knownNodes(), n.name), done: func(ok bool) {
			s.printf("%s lock %s: %v", n.name, arg, ok)
		}})
	case "unlock":
		s.feed(n, unlocking{as: n.locker, id: lockID{etf.Atom(arg), etf.Atom(n.name)}, nodes: append(n.knownNodes(), n.name), done: func() { said(nil) }})
	case "sync":
		s.feed(n, syncWith{&syncing{done: func() { said(nil) }}, nil})
	case "leave":
		s.feed(n, leaving{func(nodes []string) { s.printf("%s leaves %v", n.name, nodes) }})
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}
