package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/report"
	"github.com/truss-beam/truss/bench/internal/stats"
	"github.com/truss-beam/truss/bench/internal/table"
)

func sample() report.Report {
	ratio := 8.5
	return report.Report{
		Bars: []table.Verdict{
			{Name: "fast enough", Ratio: &ratio, Bar: 8, Met: true, Spread: &stats.Spread{Median: 8.5, Min: 8, Max: 9, N: 3}, Versus: "otp29"},
			{Name: "erpc", Bar: 6, Note: "not measured: package rpc is not there yet"},
		},
		Results: []table.Sample{
			{Point: "one-way small tuple, 1 sender", Contender: "truss", Figures: contender.Figures{"rate": 2_000_000}},
			{Point: "one-way small tuple, 1 sender", Contender: "truss", Round: 1, Figures: contender.Figures{"rate": 1_000_000}},
			{Point: "one-way small tuple, 1 sender", Contender: "otp29", Figures: contender.Figures{"rate": 200_000}},
			{Point: "one-way small tuple, 1 sender", Contender: "ergo2", Error: "lost 3 of 10 <messages>"},
			{Point: "round trip", Contender: "truss", Figures: contender.Figures{"rate": 30_000, "p50_us": 30}},
		},
		Machine: report.Machine{CPU: "A & B", Cores: 2},
	}
}

func TestJSONHasBarsAndResults(t *testing.T) {
	var b bytes.Buffer
	if err := sample().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Bars    []map[string]any
		Results []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	bar := got.Bars[0]
	if bar["name"] != "fast enough" || bar["ratio"] != 8.5 || bar["bar"] != 8.0 || bar["met"] != true {
		t.Errorf("bar: %v", bar)
	}
	if ratio, there := got.Bars[1]["ratio"]; !there || ratio != nil || got.Bars[1]["met"] != false {
		t.Errorf("bar that was not measured: %v", got.Bars[1])
	}
	if len(got.Results) != 5 {
		t.Errorf("%d results", len(got.Results))
	}
}

func TestTextPutsRatiosFirst(t *testing.T) {
	var b bytes.Buffer
	if err := sample().Text(&b); err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, part := range []string{"8 to 9", "fast enough (otp29)", "[not measured: package rpc", "1 of 2 bars are met",
		"rate 1500000 (1000000 to 2000000)", "FAILS: lost 3 of 10", "A & B, 2 cores"} {
		at := strings.Index(b.String(), part)
		if at <= last {
			t.Errorf("%q is at %d, after %d:\n%s", part, at, last, b.String())
		}
		last = at
	}
}

func TestSVG(t *testing.T) {
	var b bytes.Buffer
	if err := sample().SVG(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for d := xml.NewDecoder(&b); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{">1.5M<", ">200k<", "fails: lost 3 of 10 &lt;messages&gt;", "A &amp; B"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	if strings.Contains(text, "round trip") || strings.Contains(text, "NaN") {
		t.Errorf("what does not belong there is in\n%s", text)
	}
	if err := (report.Report{}).SVG(&b); err == nil {
		t.Error("a chart of nothing")
	}
}
