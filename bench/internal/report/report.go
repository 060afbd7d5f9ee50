package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/truss-beam/truss/bench/internal/stats"
	"github.com/truss-beam/truss/bench/internal/table"
)

// Report is a whole comparison.
type Report struct {
	Bars    []table.Verdict `json:"bars"`
	Results []table.Sample  `json:"results"`
	Machine Machine         `json:"machine"`
	Rounds  int             `json:"rounds"`
	Quick   bool            `json:"quick"`
	Seconds float64         `json:"seconds"`
}

// JSON writes the report as one object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Text writes the ratios, then the absolute figures, then the machine.
func (r Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	met := 0
	fmt.Fprintln(t, "RATIO\tSPREAD\tBAR\t\tWHAT\t")
	for _, v := range r.Bars {
		if v.Met {
			met++
		}
		fmt.Fprintln(t, verdict(v))
	}
	fmt.Fprintf(t, "\n%d of %d bars are met.\n\n", met, len(r.Bars))
	fmt.Fprintln(t, "WHAT\tCONTENDER\tFIGURES: MEDIAN (LEAST TO MOST)\t")
	for _, s := range summarize(r.Results) {
		fmt.Fprintf(t, "%s\t%s\t%s\t\n", s.point, s.contender, s.text())
	}
	m := r.Machine
	fmt.Fprintf(t, "\n%s, %d cores, %s memory, Linux %s, %s, OTP %v\n", m.CPU, m.Cores, m.MemoryKB, m.Kernel, m.Go, m.OTPs)
	fmt.Fprintf(t, "load average before %s, after %s; %d rounds, %.0f s\n", m.LoadBefore, m.LoadAfter, r.Rounds, r.Seconds)
	return t.Flush()
}

func verdict(v table.Verdict) string {
	sign, state, ratio, spread := "≥", "MISSED", "-", "-"
	if v.AtMost {
		sign = "≤"
	}
	if v.Met {
		state = "met"
	}
	if v.Ratio != nil {
		ratio = fmt.Sprintf("%.3g", *v.Ratio)
		spread = fmt.Sprintf("%.3g to %.3g", v.Spread.Min, v.Spread.Max)
	} else {
		state = "-"
	}
	name := v.Name
	if v.Versus != "" {
		name += " (" + v.Versus + ")"
	}
	if v.Note != "" {
		name += " [" + v.Note + "]"
	}
	return fmt.Sprintf("%s\t%s\t%s %.3g\t%s\t%s\t", ratio, spread, sign, v.Bar, state, name)
}

// summary is one contender at one point.
type summary struct {
	point, contender string
	metrics          map[string]stats.Spread
	failure          string
}

// shown are the metrics in the order they are printed; others are in the JSON.
func shown() []string {
	return []string{"rate", "mb_per_s", "p50_us", "p99_us", "trips", "allocs_each", "bytes_each", "rss_bytes_each", "inuse_bytes_each",
		"us_per_link", "form_cpu_ms_per_node", "heal_cpu_ms_per_node", "bytes_per_link", "bytes_per_node"}
}

func (s summary) text() string {
	if s.failure != "" {
		return "FAILS: " + s.failure
	}
	text := ""
	for _, name := range shown() {
		if m, ok := s.metrics[name]; ok {
			text += fmt.Sprintf("%s %s (%s to %s)  ", name, number(m.Median), number(m.Min), number(m.Max))
		}
	}
	return text
}

func number(f float64) string {
	if f >= 100 || f <= -100 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.3g", f)
}

// summarize groups samples by point and contender, in the order they first come.
func summarize(samples []table.Sample) []summary {
	var all []summary
	for _, s := range samples {
		same := func(o summary) bool { return o.point == s.Point && o.contender == s.Contender }
		if slices.ContainsFunc(all, same) {
			continue
		}
		sum := summary{point: s.Point, contender: s.Contender, metrics: make(map[string]stats.Spread)}
		for _, metric := range shown() {
			values, failure := table.Series(table.Figure{Point: s.Point, Contender: s.Contender, Metric: metric}, samples)
			sum.failure = failure
			values = slices.DeleteFunc(values, func(f float64) bool { return f != f })
			if len(values) > 0 {
				sum.metrics[metric] = stats.Of(values)
			}
		}
		all = append(all, sum)
	}
	return all
}
