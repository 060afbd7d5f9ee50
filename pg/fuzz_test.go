package pg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/truss-beam/truss/etf"
)

// FuzzHear feeds a scope that has a member and a peer any message: it never
// panics, keeps its tables in step, and says nothing but what OTP 25 knows. The
// seeds are the messages of the scripts.
func FuzzHear(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		script, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(script)) {
			term, err := etf.Parse(line)
			if err != nil {
				continue
			}
			if b, err := etf.Marshal(pidsIn(term, true)); err == nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		term, err := etf.Decode(b)
		if err != nil {
			return
		}
		m := newMachine(pidOf("scope"))
		n, _ := nameOf(etf.Atom("g"))
		m.joinLocal(n, []etf.Pid{pidOf("p")})
		m.discover(pidOf("scope@b"))
		_ = m.hear(term) // most is nonsense
		check(t, m)
		for pid := range m.peers {
			m.down(pid)
		}
		m.down(pidOf("p"))
		check(t, m)
		if len(m.groups) > 0 {
			t.Errorf("groups without a source: %v", m.groups)
		}
	})
}

// check checks what must hold of a machine, and of what it wants done.
func check(t *testing.T, m *machine) {
	for key, g := range m.groups {
		if g.key != key || len(g.sources) == 0 {
			t.Errorf("group %v under %q with %d sources", g.term, key, len(g.sources))
		}
		for s, b := range g.sources {
			if len(b) == 0 || len(s.groups[g]) != len(b) || s != m.self && m.peers[s.scope] != s {
				t.Errorf("group %v has a bag of %d from %v", g.term, len(b), s.scope)
			}
		}
	}
	for _, e := range m.take() {
		s, ok := e.(send)
		if !ok {
			continue
		}
		tuple := s.message.(etf.Tuple)
		if tuple[0] == etf.Term(etf.Atom("$gen_cast")) {
			tuple = tuple[1].(etf.Tuple)
		}
		switch form := string(tuple[0].(etf.Atom)); {
		case form == "discover" && len(tuple) == 2, form == "sync" && len(tuple) == 3, form == "join" && len(tuple) == 4, form == "leave" && len(tuple) == 4:
		default:
			t.Errorf("OTP 25 does not know %s", etf.Format(tuple))
		}
	}
}
