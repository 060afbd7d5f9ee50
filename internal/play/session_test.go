package play

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// TestSession types commands and compares all that is printed.
func TestSession(t *testing.T) {
	const beginning = `starting 3 machines
m1 m2 m3 joined: each sees the others after 100 ms
  MACHINE  NODE            RUNS  STATE    PROCESS  SEES
  m1       demo@127.0.8.1  Go    running  1001     m2 m3
  m2       demo@127.0.8.2  Go    running  1002     m1 m3
  m3       demo@127.0.8.3  Go    running  1003     m1 m2
Try: clone m1 --region syd   rpc primary hello   broadcast hello   kill m2   start m2   help
`
	for _, c := range []struct {
		name    string
		arrange func(*fakeMachines)
		script  string
		want    string
		failed  bool
	}{
		{name: "clone", script: "clone m2", want: "m4 joined: seen by m1 m2 m3 after 100 ms\n"},
		{name: "clone by node name", script: "clone demo@127.0.8.2", want: "m4 joined: seen by m1 m2 m3 after 100 ms\n"},
		{name: "scale up and down", script: "scale 5\nscale 2\nscale 2\nscale 0", want: `m4 m5 joined: seen by m1 m2 m3 after 100 ms
m3 m4 m5 left: seen by m1 m2 after 10 ms
nothing to do
m1 m2 left after 10 ms
`},
		{name: "kill and start", script: "kill m2\nmachines\nstart m2\nnodes", want: `m2 was killed: seen by m1 m3 after 10 ms
  MACHINE  NODE            RUNS  STATE    PROCESS  SEES
  m1       demo@127.0.8.1  Go    running  1001     m3
  m2       demo@127.0.8.2  Go    killed   -        signal: killed
  m3       demo@127.0.8.3  Go    running  1003     m1
m2 came back: seen by m1 m3 after 100 ms
  lists  m1   m2   m3
  m1     .    yes  yes
  m2     yes  .    yes
  m3     yes  yes  .
`},
		{name: "regions", failed: true, script: "clone m1 --region syd\nmachines\nregions\nclone m4\nrpc primary {x, 1}\nrpc syd y\nrpc nowhere z\nrpc syd\nrpc syd {\nclone m1 --region\nscale 0\nrpc syd x", want: `m4 joined: seen by m1 m2 m3 after 100 ms
  MACHINE  NODE            REGION  RUNS  STATE    PROCESS  SEES
  m1       demo@127.0.8.1  fra     Go    running  1001     m2 m3 m4
  m2       demo@127.0.8.2  fra     Go    running  1002     m1 m3 m4
  m3       demo@127.0.8.3  fra     Go    running  1003     m1 m2 m4
  m4       demo@127.0.8.4  syd     Go    running  1004     m1 m2 m3
  has  m1   m2   m3   m4
  m1   fra  fra  fra  syd
  m2   fra  fra  fra  syd
  m3   fra  fra  fra  syd
  m4   fra  fra  fra  syd
m5 joined: seen by m1 m2 m3 m4 after 100 ms
{x,1}  ran on demo@127.0.8.1, called by m5, after 0.0 ms
y  ran on demo@127.0.8.4, called by m3, after 0.0 ms
error: m5 cannot call in region nowhere: no_node
error: it is written: rpc primary|REGION TERM, for example rpc primary {place, order}
error: etf: line 1, column 2: expected a term, found the end of the text
error: it is written: clone ID, or clone ID --region REGION
m1 m2 m3 m4 m5 left after 10 ms
error: no Go machine is running
`},
		{name: "broadcast", script: "scale 1\nbroadcast {hi, 1}\nstop m1\nstart m1\nbroadcast b\nlog m1", want: `m2 m3 left: seen by m1 after 10 ms
m1 has reached m1  after 0.0 ms
m1 left after 10 ms
m1 came back after 100 ms
m1 has reached m1  after 0.0 ms
   0.100 s  ready demo@127.0.8.1
   0.100 s  message demo b
`},
		{name: "deaf", failed: true, script: "broadcast x\nbroadcast {\nscale 0\nbroadcast x", arrange: func(f *fakeMachines) { f.deaf["m3"] = true }, want: `error: not everybody saw it
  given up: not within 5s
  m3 has not got the message
  log m3 shows what it printed last
error: etf: line 1, column 2: expected a term, found the end of the text
m1 m2 m3 left after 10 ms
error: no machine is running
`},
		{name: "stop", script: "stop m1\nstop m1", failed: true, want: `m1 left: seen by m2 m3 after 10 ms
error: m1 is stopped already
`},
		{name: "call", script: "call m1 {a, [1,2]}\ncall m1\ncall m9 x\nstop m2\ncall m2 x", failed: true, want: `{a,[1,2]}  from demo@127.0.8.1 after 0.0 ms
error: it is written: call ID|NODE TERM, for example call m1 {hello, world}
error: there is no machine m9, but m1 m2 m3
m2 left: seen by m1 m3 after 10 ms
error: m2 is stopped
`},
		{name: "no term", script: "call m1 {a", failed: true, want: `error: etf: line 1, column 3: `},
		{name: "mistakes", script: "\n# a comment\nfly\nclone\nmachines all\nscale many\nscale -1\nclone m9\nstart m1\nEXIT\nclone m1", failed: true, want: `error: there is no command "fly"; help lists those there are
error: it is written: clone ID [--region R]
error: it is written: machines
error: scale takes a number from 0 to 50, not "many"
error: scale takes a number from 0 to 50, not "-1"
error: there is no machine m9, but m1 m2 m3
error: m1 is running
`},
		{name: "dns", script: "kill m1\ndns", want: `m1 was killed: seen by m2 m3 after 10 ms
  demo.internal  A  127.0.8.2  SRV  9002 m2.demo.internal
  demo.internal  A  127.0.8.3  SRV  9003 m3.demo.internal
`},
		{name: "blind", failed: true, script: "clone m1\nmachines", arrange: func(f *fakeMachines) { f.blind[[2]string{"m2", "m4"}] = true }, want: `error: not everybody saw it
  given up: not within 5s
  m2 does not see m4 (by its own lines)
  log m2 shows what it printed last
  MACHINE  NODE            RUNS  STATE    PROCESS  SEES
  m1       demo@127.0.8.1  Go    running  1001     m2 m3 m4
  m2       demo@127.0.8.2  Go    running  1002     m1 m3     but not m4
  m3       demo@127.0.8.3  Go    running  1003     m1 m2 m4
  m4       demo@127.0.8.4  Go    running  1004     m1 m2 m3
`},
		{name: "silent", failed: true, script: "clone m1\nnodes", arrange: func(f *fakeMachines) { f.silent[[2]string{"m3", "m4"}] = true }, want: `error: not everybody saw it
  given up: not within 5s
  m3 does not see m4 (by its answer)
  log m3 shows what it printed last
  lists  m1   m2   m3   m4
  m1     .    yes  yes  yes
  m2     yes  .    yes  yes
  m3     yes  yes  .    NO
  m4     yes  yes  yes  .
`},
		{name: "lost", failed: true, script: "clone m1 --region syd\nregions", arrange: func(f *fakeMachines) { f.lost[[2]string{"m3", "m4"}] = true }, want: `error: not everybody saw it
  given up: not within 5s
  m3 has m4 in no region, not in syd (by its answer)
  log m3 shows what it printed last
  has  m1   m2   m3   m4
  m1   fra  fra  fra  syd
  m2   fra  fra  fra  syd
  m3   fra  fra  fra  ?
  m4   fra  fra  fra  syd
`},
		{name: "dead", failed: true, script: "clone m1\nlog m4", arrange: func(f *fakeMachines) { f.dead["m4"] = true }, want: `error: not everybody saw it
  m4 has ended: exit status 1
  log m4 shows what it printed last
   0.100 s  no cookie
   0.100 s  exit  exit status 1
`},
		{name: "cannot start", failed: true, script: "clone m1\nmachines", arrange: func(f *fakeMachines) { f.refuse["m4"] = errors.New("no such program") }, want: `error: cannot start m4: no such program
` + "  MACHINE  NODE            RUNS  STATE    PROCESS  SEES\n" + strings.Join(strings.SplitAfter(beginning, "\n")[3:6], "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machines := newFakeMachines()
				if c.arrange != nil {
					c.arrange(machines)
				}
				s, printed := newFakeSession(t, machines)
				if err := s.begin(t.Context(), options{machines: 3}); err != nil {
					t.Fatal(err)
				}
				err := s.loop(t.Context(), newScript(c.script))
				if failed := errors.Is(err, errCommands); failed != c.failed || err != nil && !failed {
					t.Errorf("error %v, want one: %v", err, c.failed)
				}
				want := beginning + c.want
				if got := printed.String(); got != want && (c.name != "no term" || !strings.HasPrefix(got, want)) {
					t.Errorf("printed\n%s\nwant\n%s", got, want)
				}
				s.cluster.close()
			})
		})
	}
}

// TestSessionNotices is what nobody at the prompt asked for.
func TestSessionNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machines := newFakeMachines()
		s, printed := newFakeSession(t, machines)
		if err := s.begin(t.Context(), options{machines: 2, beam: true}); err != nil {
			t.Fatal(err)
		}
		printed.Reset()
		machines.crash("m2")
		s.losses.Wait()
		stranger := report{Event: "nodeup", Node: "me@127.0.0.1"}
		machines.up["m1"].tell(stranger)
		s.show()
		stranger.Event, stranger.Reason = "nodedown", "net_tick_timeout"
		machines.up["m1"].tell(stranger)
		want := `m2 ended by itself: signal: killed
m2 ended by itself: seen by m1 b3 b4 after 0.0 ms
m1 sees me@127.0.0.1
  MACHINE  NODE            RUNS    STATE    PROCESS  SEES
  m1       demo@127.0.8.1  Go      running  1001     b3 b4 me@127.0.0.1
  m2       demo@127.0.8.2  Go      failed   -        signal: killed
  b3       demo@127.0.8.3  OTP 27  running  1003     m1 b4
  b4       demo@127.0.8.4  OTP 27  running  1004     m1 b3
m1 does not see me@127.0.0.1 any more: net_tick_timeout
`
		if got := printed.String(); got != want {
			t.Errorf("printed\n%s\nwant\n%s", got, want)
		}
		s.cluster.close()
		if n := len(machines.up); n != 0 {
			t.Errorf("%d machines are left", n)
		}
	})
}

// TestSessionJSON wants one object a line, whatever is printed.
func TestSessionJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, printed := newFakeSession(t, newFakeMachines())
		s.out.json = true
		if err := s.begin(t.Context(), options{machines: 2}); err != nil {
			t.Fatal(err)
		}
		script := newScript("clone m1\nnodes\nregions\nrpc fra x\nbroadcast x\nmachines\ncall m1 hi\ndns\nlog m1\nhelp\njoin\nkill m9")
		if err := s.loop(t.Context(), script); !errors.Is(err, errCommands) {
			t.Fatal(err)
		}
		var keys []string
		for line := range strings.Lines(printed.String()) {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			for _, key := range []string{"did", "nodes", "regions", "result", "broadcast", "machines", "reply", "zone", "log", "error"} {
				if _, ok := object[key]; ok {
					keys = append(keys, key)
					break
				}
			}
		}
		if got, want := strings.Join(keys, " "), "did machines did nodes regions result broadcast machines reply zone log error"; got != want {
			t.Errorf("objects with %s, want %s:\n%s", got, want, printed)
		}
		s.cluster.close()
	})
}

// TestSessionInterrupted ends a session that waits for a line.
func TestSessionInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newFakeSession(t, newFakeMachines())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		lines := blockedPrompt(make(chan struct{}))
		go func() { ended <- s.loop(ctx, lines) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		close(lines)
	})
}

type blockedPrompt chan struct{}

func (p blockedPrompt) readLine() (string, error) { <-p; return "", nil }
func (p blockedPrompt) close()                    {}

func TestParseCommand(t *testing.T) {
	for _, c := range []struct{ line, word, args string }{
		{"", "", ""}, {"   ", "", ""}, {"# kill m1", "", ""},
		{"machines", "machines", ""}, {"  Kill   m1 ", "kill", "m1"},
		{"call m1 {a,  'b c'}", "call", "m1 {a,  'b c'}"}, {"exit", "quit", ""}, {"QUIT", "quit", ""},
	} {
		if word, args := parseCommand(c.line); word != c.word || args != c.args {
			t.Errorf("%q is %q %q, want %q %q", c.line, word, args, c.word, c.args)
		}
	}
}
