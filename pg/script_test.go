package pg

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// TestScripts plays what happens to one scope and compares what it does about it.
// A script's line is an event, and below it, indented, stand the effects, sorted;
// -rewrite writes them anew: commit only what you understand.
//
//	up NODE / nodedown NODE      a node comes or goes
//	join G P... / leave G P...   processes of this node
//	down P                       a watched process is gone
//	members G                    prints them
//	TERM                         a message arrives
//
// Pids are written as atoms: scope is this node's, x@b is x on node b.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(script))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(script) {
				t.Errorf("the script now plays as\n%s", got)
			}
		})
	}
}

var rewrite = flag.Bool("rewrite", false, "write what the scripts do into them")

func play(t *testing.T, script string) string {
	m := newMachine(pidOf("scope"))
	var out strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(script, "\n"), "\n") {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&out, line)
		if line == "" || line[0] == '#' {
			continue
		}
		var effects []string
		if reply := step(t, m, line); reply != "" {
			effects = append(effects, reply)
		}
		for _, e := range m.take() {
			effects = append(effects, show(e))
		}
		slices.Sort(effects)
		for _, e := range effects {
			fmt.Fprintln(&out, "  "+e)
		}
	}
	return out.String()
}

func step(t *testing.T, m *machine, line string) string {
	words := strings.Fields(line)
	group := func() name {
		n, err := nameOf(etf.Atom(words[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	var pids []etf.Pid
	for _, word := range words[min(2, len(words)):] {
		pids = append(pids, pidOf(word))
	}
	switch words[0] {
	case "up":
		m.nodeUp(etf.Atom(words[1]))
	case "nodedown":
		m.nodeDown(etf.Atom(words[1]))
	case "join":
		m.joinLocal(group(), pids)
	case "leave":
		if !m.leaveLocal(group(), pids) {
			return "not joined"
		}
	case "down":
		m.down(pidOf(words[1]))
	case "members":
		return "members " + pidNames(m.members.all(group().key))
	default:
		term, err := etf.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if err := m.hear(pidsIn(term, true)); err != nil {
			return err.Error()
		}
	}
	return ""
}

func show(e effect) string {
	switch e := e.(type) {
	case send:
		to := e.to
		if e.node != "" {
			return fmt.Sprintf("send to the scope on %s: %s", e.node, etf.Format(pidsIn(e.message, false)))
		}
		return fmt.Sprintf("send to %s: %s", nameOfPid(to), etf.Format(pidsIn(e.message, false)))
	case watch:
		return "watch " + nameOfPid(e.pid)
	case unwatch:
		return "unwatch " + nameOfPid(e.pid)
	case Event:
		return fmt.Sprintf("event %s +[%s] -[%s]", etf.Format(e.Group), pidNames(e.Joined), pidNames(e.Left))
	}
	return fmt.Sprintf("%T", e)
}

// pidOf makes the pid that a word stands for: its characters are the number.
func pidOf(word string) etf.Pid {
	local, node, ok := strings.Cut(word, "@")
	if !ok {
		node = "here"
	}
	id := uint32(0)
	for _, c := range local {
		id = id<<8 | uint32(c)&0xff
	}
	if local == "scope" {
		id = 0
	}
	return etf.Pid{Node: etf.Atom(node), ID: id, Creation: 1}
}

func nameOfPid(pid etf.Pid) string {
	local := ""
	for id := pid.ID; id > 0; id >>= 8 {
		local = string(rune(id&0xff)) + local
	}
	if pid.ID == 0 {
		local = "scope"
	}
	if pid.Node == "here" {
		return local
	}
	return local + "@" + string(pid.Node)
}

func pidNames(pids []etf.Pid) string {
	var names []string
	for _, pid := range pids {
		names = append(names, nameOfPid(pid))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// pidsIn replaces atoms by the pids they stand for, or the other way round. Atoms
// without @ are pids only where they cannot be anything else: "scope".
func pidsIn(t etf.Term, pids bool) etf.Term {
	switch t := t.(type) {
	case etf.Atom:
		if pids && strings.Contains(string(t), "@") {
			return pidOf(string(t))
		}
	case etf.Pid:
		return etf.Atom(nameOfPid(t))
	case etf.Tuple:
		all := make(etf.Tuple, len(t))
		for i, e := range t {
			all[i] = pidsIn(e, pids)
		}
		return all
	case etf.List:
		all := make(etf.List, len(t))
		for i, e := range t {
			all[i] = pidsIn(e, pids)
		}
		if !pids { // in Go's order of maps, which is none
			slices.SortFunc(all, etf.Compare)
		}
		return all
	case etf.Map:
		all := make(etf.Map, len(t))
		for i, e := range t {
			all[i] = etf.MapEntry{Key: pidsIn(e.Key, pids), Value: pidsIn(e.Value, pids)}
		}
		return all
	}
	return t
}
