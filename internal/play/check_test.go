package play

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// runFakeCheck runs the scenario on fake machines and returns what it printed.
func runFakeCheck(t *testing.T, beam, asJSON bool, arrange func(*fakeMachines)) (string, error) {
	t.Helper()
	var printed bytes.Buffer
	var err error
	synctest.Test(t, func(t *testing.T) {
		machines := newFakeMachines()
		arrange(machines)
		c := newCluster(&site{home: blockAddr(8, homeHost)}, newZone(), machines, nil)
		d := &director{cluster: c, ask: machines, limit: 20 * time.Second}
		err = d.check(t.Context(), &screen{out: &printed, json: asJSON}, d.steps(beam))
		c.close()
	})
	return printed.String(), err
}

func TestCheck(t *testing.T) {
	got, err := runFakeCheck(t, true, false, func(*fakeMachines) {})
	want := `ok    100 ms  start 3 machines       each sees the two others
              > m1 m2 m3 joined: each sees the others after 100 ms
ok    100 ms  clone m1 --region syd  a fourth, elsewhere, is seen by all, and sees all
              > m4 joined: seen by m1 m2 m3 after 100 ms
ok    100 ms  scale 5                a fifth is seen by all, and sees all
              > m5 joined: seen by m1 m2 m3 m4 after 100 ms
ok    100 ms  start 2 BEAMs          they see all, and all see them
              > b6 b7 joined: seen by m1 m2 m3 m4 m5 after 100 ms
ok    0.0 ms  call echo everywhere   every machine answers
              > m1 m2 m3 m4 m5 b6 b7 answered
ok    0.0 ms  regions                every node has all in their regions
              > m1 m2 m3 m5 in fra, m4 in syd, as each of them says
ok    0.0 ms  rpc primary            a machine of fra answers one that is elsewhere
              > ran on demo@127.0.8.1, called by m4, after 0.0 ms
ok    0.0 ms  rpc syd                the machine in syd answers another
              > ran on demo@127.0.8.4, called by m5, after 0.0 ms
ok     10 ms  kill m2                all others see it go down
              > m2 was killed: seen by m1 m3 m4 m5 b6 b7 after 10 ms
ok    100 ms  start m2               it comes back under its name, seen by all
              > m2 came back: seen by m1 m3 m4 m5 b6 b7 after 100 ms
ok     10 ms  kill b6                all others see it go down
              > b6 was killed: seen by m1 m2 m3 m4 m5 b7 after 10 ms
ok    100 ms  start b6               it comes back under its name, seen by all
              > b6 came back: seen by m1 m2 m3 m4 m5 b7 after 100 ms
ok    0.0 ms  broadcast on m1        all get it that listen to the topic
              > m1 has reached m1 m2 m3 m4 m5 b6 b7 after 0.0 ms
ok    0.0 ms  broadcast on b6        all get it that listen to the topic
              > b6 has reached m1 m2 m3 m4 m5 b6 b7 after 0.0 ms
ok     10 ms  stop m5                it leaves, and the others see that
              > m5 left: seen by m1 m2 m3 m4 b6 b7 after 10 ms
ok all 15 steps in 630 ms, on 7 machines: 2 with OTP 27, 5 with Go
`
	if err != nil || got != want {
		t.Errorf("error %v, printed\n%s\nwant\n%s", err, got, want)
	}
}

// TestCheckFails has one fault each: the check must find it, say who missed whom,
// and show that machine's log.
func TestCheckFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*fakeMachines)
		step    string
		want    []string
	}{
		{"no nodeup line", func(f *fakeMachines) { f.blind[[2]string{"m1", "m4"}] = true }, "step 2 of 11, clone m1", []string{
			"m1 does not see m4 (by its own lines)", "given up: not within 20s", "m1 (demo@127.0.8.1, running) printed last:", "nodeup demo@127.0.8.2",
		}},
		{"not in nodes()", func(f *fakeMachines) { f.silent[[2]string{"m5", "m2"}] = true }, "step 3 of 11, scale 5", []string{
			"m5 does not see m2 (by its answer)",
		}},
		{"no start", func(f *fakeMachines) { f.dead["m3"] = true }, "step 1 of 11, start 3 machines", []string{
			"m3 has ended: exit status 1", "no cookie",
		}},
		{"region unknown", func(f *fakeMachines) { f.lost[[2]string{"m2", "m4"}] = true }, "step 2 of 11, clone m1 --region syd", []string{
			"m2 has m4 in no region, not in syd (by its answer)", "given up: not within 20s",
		}},
		{"primary elsewhere", func(f *fakeMachines) { f.astray["fra"] = "m4" }, "step 6 of 11, rpc primary", []string{
			"m4 called in region primary, and m4 in syd answered",
		}},
		{"wrong region", func(f *fakeMachines) { f.astray["syd"] = "m3" }, "step 7 of 11, rpc syd", []string{
			"m5 called in region syd, and m3 in fra answered",
		}},
		{"nobody answers", func(f *fakeMachines) { f.astray["syd"] = "m9" }, "step 7 of 11, rpc syd", []string{
			"m5 cannot call in region syd: no_node",
		}},
		{"deaf", func(f *fakeMachines) { f.deaf["m3"] = true }, "step 10 of 11, broadcast on m1", []string{
			"m3 has not got the message", "given up: not within 20s",
		}},
		{"garbled", func(f *fakeMachines) { f.garbles["m3"] = true }, "step 10 of 11, broadcast on m1", []string{
			"m3 has not got the message", "message demo garbled",
		}},
		{"not known to listen", func(f *fakeMachines) { f.apart[[2]string{"m1", "m5"}] = true }, "step 10 of 11, broadcast on m1", []string{
			"m1 does not know that m5 listens",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := runFakeCheck(t, false, false, c.arrange)
			if err == nil || !strings.Contains(err.Error(), c.step) {
				t.Errorf("error %v, want %q in it", err, c.step)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in\n%s", want, got)
				}
			}
			if strings.Contains(got, "ok all") {
				t.Errorf("it failed, and says it is well:\n%s", got)
			}
		})
	}
}

// TestCheckFailsBeam has BEAMs of which one is deaf, and one broadcasts to itself alone.
func TestCheckFailsBeam(t *testing.T) {
	for _, c := range []struct {
		name    string
		arrange func(*fakeMachines)
		step    string
		want    string
	}{
		{"deaf", func(f *fakeMachines) { f.deaf["b7"] = true }, "step 13 of 15, broadcast on m1", "b7 has not got the message"},
		{"alone", func(f *fakeMachines) { f.apart[[2]string{"b6", "m1"}] = true }, "step 14 of 15, broadcast on b6", "b6 does not know that m1 listens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := runFakeCheck(t, true, false, c.arrange)
			if err == nil || !strings.Contains(err.Error(), c.step) || !strings.Contains(got, c.want) {
				t.Errorf("error %v, want %q in it, and %q in\n%s", err, c.step, c.want, got)
			}
		})
	}
}

// TestKillUnseen has a machine that does not notice that another was killed.
func TestKillUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		machines := newFakeMachines()
		s, _ := newFakeSession(t, machines)
		if _, err := s.add(t.Context(), goMachine, 3); err != nil {
			t.Fatal(err)
		}
		machines.mu.Lock()
		machines.blind[[2]string{"m3", "m2"}] = true
		machines.mu.Unlock()
		_, err := s.kill(t.Context(), "m2")
		if want := "m3 still sees m2 (by its own lines)"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		s.cluster.close()
	})
}

func TestCheckJSON(t *testing.T) {
	printed, err := runFakeCheck(t, false, true, func(f *fakeMachines) { f.blind[[2]string{"m1", "m5"}] = true })
	if err == nil {
		t.Fatal("it did not fail")
	}
	var steps []stepObject
	for line := range strings.Lines(printed) {
		var o stepObject
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		steps = append(steps, o)
	}
	if len(steps) != 3 || !steps[0].OK || !steps[1].OK || steps[2].OK {
		t.Fatalf("steps %+v", steps)
	}
	last := steps[2]
	if len(last.Gaps) != 1 || last.Gaps[0] != (gap{"m1", "m5", "does not see m5 (by its own lines)"}) || len(last.Logs["m1"]) == 0 {
		t.Errorf("the step that failed is %+v", last)
	}
}
