package table

import (
	"fmt"
	"math"
	"strings"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/stats"
)

// Sample is one run: what was asked, and its figures or why there are none.
type Sample struct {
	Point     string            `json:"point"`
	Contender string            `json:"contender"`
	Round     int               `json:"round"`
	Count     int               `json:"count"`
	Figures   contender.Figures `json:"figures,omitempty"`
	Error     string            `json:"error,omitempty"`
}

// Verdict is a bar with what was measured.
type Verdict struct {
	Name  string   `json:"name"`
	Ratio *float64 `json:"ratio"` // the median of the rounds; null if not measured
	Bar   float64  `json:"bar"`
	Met   bool     `json:"met"`
	// AtMost tells that the ratio must not exceed the bar.
	AtMost bool          `json:"at_most"`
	Spread *stats.Spread `json:"spread,omitempty"`
	Versus string        `json:"versus,omitempty"` // the rival that counted
	Note   string        `json:"note,omitempty"`
}

// Judge holds the samples against the bars.
func Judge(bars []Bar, samples []Sample) []Verdict {
	verdicts := make([]Verdict, len(bars))
	for i, bar := range bars {
		verdicts[i] = judge(bar, samples)
	}
	return verdicts
}

func judge(bar Bar, samples []Sample) Verdict {
	v := Verdict{Name: bar.Name, Bar: bar.Limit, AtMost: bar.Most}
	if bar.Missing != "" {
		v.Note = "not measured: " + bar.Missing
		return v
	}
	of, failure := Series(bar.Of, samples)
	if failure != "" || len(of) == 0 {
		v.Note = "not measured: " + bar.Of.Contender + missing(failure)
		return v
	}
	if bar.Const != 0 {
		v.measured(bar, constant(of, bar.Const), "")
		return v
	}
	var left []string
	for _, rival := range bar.To {
		to, failure := Series(rival, samples)
		if failure != "" || len(to) == 0 {
			left = append(left, rival.Contender+missing(failure))
			continue
		}
		v.measured(bar, stats.Ratios(of, to), rival.Contender)
	}
	if v.Ratio == nil {
		left = append([]string{"not measured"}, left...)
	}
	if split := programs(bar.Of, samples); split != "" {
		left = append(left, split)
	}
	v.Note = strings.Join(left, "; ")
	return v
}

// programs says that the machine did not allow a mesh in one program.
func programs(f Figure, samples []Sample) string {
	for _, s := range samples {
		if s.Point == f.Point && s.Contender == f.Contender && s.Figures["programs"] > 1 {
			return fmt.Sprintf("in %.0f programs, as the limit on open files allows no fewer", s.Figures["programs"])
		}
	}
	return ""
}

func missing(failure string) string {
	if failure == "" {
		return " did not run"
	}
	return " fails: " + failure
}

func constant(of []float64, by float64) []float64 {
	to := make([]float64, len(of))
	for i := range to {
		to[i] = by
	}
	return stats.Ratios(of, to)
}

// measured keeps the ratios if they are worse than what it has.
func (v *Verdict) measured(bar Bar, ratios []float64, versus string) {
	if len(ratios) == 0 {
		return
	}
	spread := stats.Of(ratios)
	worse := v.Ratio == nil || (spread.Median < *v.Ratio) != bar.Most
	if !worse {
		return
	}
	v.Ratio, v.Spread, v.Versus = &spread.Median, &spread, versus
	v.Met = spread.Median >= bar.Limit
	if bar.Most {
		v.Met = spread.Median <= bar.Limit
	}
}

// Series is a figure round by round, NaN where there is none. A contender that
// failed once at a point has failed.
func Series(f Figure, samples []Sample) (values []float64, failure string) {
	for _, s := range samples {
		if s.Point != f.Point || s.Contender != f.Contender {
			continue
		}
		if s.Error != "" {
			return nil, s.Error
		}
		value, ok := s.Figures[f.Metric]
		if !ok {
			value = math.NaN()
		}
		values = append(values, value)
	}
	return values, ""
}
