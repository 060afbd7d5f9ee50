package table_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/table"
)

func otps() []string { return []string{"otp25", "otp29"} }

// Every figure that a bar compares is one that some point measures.
func TestBarsCompareWhatIsMeasured(t *testing.T) {
	t.Run("whole", func(t *testing.T) { barsCompareWhatIsMeasured(t, false) })
	t.Run("quick", func(t *testing.T) { barsCompareWhatIsMeasured(t, true) })
}

func barsCompareWhatIsMeasured(t *testing.T, quick bool) {
	measured := make(map[[2]string]bool)
	for _, p := range table.Points(otps(), quick) {
		for _, c := range p.Contenders {
			measured[[2]string{p.Name, c.String()}] = true
		}
	}
	names := make(map[string]bool)
	for _, bar := range table.Bars(otps(), quick) {
		if names[bar.Name] {
			t.Errorf("two bars are called %q", bar.Name)
		}
		names[bar.Name] = true
		if bar.Missing != "" {
			continue
		}
		for _, f := range append([]table.Figure{bar.Of}, bar.To...) {
			if !measured[[2]string{f.Point, f.Contender}] {
				t.Errorf("%s: nothing measures %+v", bar.Name, f)
			}
		}
		if bar.Const == 0 && len(bar.To) == 0 {
			t.Errorf("%s compares with nothing", bar.Name)
		}
	}
}

func samples(contenderName string, rates ...float64) []table.Sample {
	var all []table.Sample
	for round, rate := range rates {
		all = append(all, table.Sample{Point: "p", Contender: contenderName, Round: round, Figures: contender.Figures{"rate": rate}})
	}
	return all
}

func figure(name string) table.Figure {
	return table.Figure{Point: "p", Contender: name, Metric: "rate"}
}

func TestJudge(t *testing.T) {
	failing := table.Sample{Point: "p", Contender: "c", Error: "lost 3 of 10 messages"}
	all := slices.Concat(samples("a", 80, 40, 90), samples("b", 10, 5, 10), samples("x", 20, 20, 20), []table.Sample{failing})
	tests := []struct {
		name   string
		bar    table.Bar
		ratio  float64 // 0: none
		met    bool
		versus string
		note   string
	}{
		{"rounds are paired", table.Bar{Of: figure("a"), To: []table.Figure{figure("b")}, Limit: 8}, 8, true, "b", ""},
		{"the best rival counts", table.Bar{Of: figure("a"), To: []table.Figure{figure("b"), figure("x")}, Limit: 8}, 4, false, "x", ""},
		{"at most, the worst rival counts", table.Bar{Of: figure("b"), To: []table.Figure{figure("a"), figure("x")}, Limit: 0.4, Most: true}, 0.5, false, "x", ""},
		{"at most, met", table.Bar{Of: figure("b"), To: []table.Figure{figure("a")}, Limit: 0.125, Most: true}, 0.125, true, "a", ""},
		{"a rival that loses messages is out", table.Bar{Of: figure("a"), To: []table.Figure{figure("c"), figure("x")}, Limit: 1}, 4, true, "x", "c fails: lost 3 of 10 messages"},
		{"who loses messages meets nothing", table.Bar{Of: figure("c"), To: []table.Figure{figure("b")}, Limit: 0.1}, 0, false, "", "not measured: c fails: lost 3 of 10 messages"},
		{"no rival is left", table.Bar{Of: figure("a"), To: []table.Figure{figure("none")}, Limit: 0.1}, 0, false, "", "not measured; none did not run"},
		{"fixed quantity", table.Bar{Of: figure("a"), Const: 100, Limit: 1, Most: true}, 0.8, true, "", ""},
		{"not there yet", table.Bar{Missing: "comes later", Limit: 5}, 0, false, "", "not measured: comes later"},
	}
	for _, test := range tests {
		v := table.Judge([]table.Bar{test.bar}, all)[0]
		ratio := 0.0
		if v.Ratio != nil {
			ratio = *v.Ratio
		}
		if ratio != test.ratio || v.Met != test.met || v.Versus != test.versus || v.Note != test.note {
			t.Errorf("%s: ratio %v, %+v", test.name, ratio, v)
		}
	}
}

// A mesh that the limit on open files splits is told of, and counts.
func TestJudgeTellsOfSeveralPrograms(t *testing.T) {
	all := slices.Concat(samples("a", 10), samples("b", 1))
	all[0].Figures["programs"] = 3
	v := table.Judge([]table.Bar{{Of: figure("a"), To: []table.Figure{figure("b")}, Limit: 5}}, all)[0]
	if !v.Met || *v.Ratio != 10 || !strings.Contains(v.Note, "in 3 programs") {
		t.Errorf("%+v", v)
	}
}

func TestContenderNames(t *testing.T) {
	for c, want := range map[table.Contender]string{
		{Driver: "truss", Server: "truss"}: "truss",
		{Driver: "otp25", Server: "truss"}: "otp25 to truss",
		{Driver: "truss"}:                  "truss",
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v is %q", c, got)
		}
	}
}

func TestEveryRowOfTheTableHasItsBar(t *testing.T) {
	var all []string
	for _, bar := range table.Bars(otps(), false) {
		all = append(all, bar.Name)
	}
	text := strings.Join(all, "\n")
	for _, row := range []string{"small tuple, 1 sender", "small tuple, 8 senders", "64 B, 8 senders", "1 KB, 1 sender", "64 KB, 8 senders",
		"1 MB, 1 sender", "round trip p50", "round trip p99", "erpc sequential", "erpc from 64", "beside 10 MB", "otp25 to truss", "truss to otp29",
		"encode 50 KB term, dynamic", "decode 50 KB term, typed", "100k local", "20 nodes with 5k", "idle connection", "idle process",
		"200 nodes", "1,000 simulated"} {
		if !strings.Contains(text, row) {
			t.Errorf("no bar for %q", row)
		}
	}
}
