package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/truss-beam/truss/bench/internal/table"
)

// Sizes of the chart in its own units, which browsers take as pixels.
const (
	labelWidth = 190.0
	plotWidth  = 560.0
	barHeight  = 13.0
	groupGap   = 30.0
)

// SVG writes a chart of messages per second, one group of bars for each one-way
// point and one bar for each contender, on a logarithmic scale. Whiskers are the
// least and the most of the rounds. A contender that failed is named as failing.
func (r Report) SVG(w io.Writer) error {
	var groups []group
	least, most := math.Inf(1), 0.0
	for _, s := range summarize(r.Results) {
		rate, measured := s.metrics["rate"]
		if !strings.HasPrefix(s.point, "one-way") || !measured && s.failure == "" {
			continue
		}
		if len(groups) == 0 || groups[len(groups)-1].name != s.point {
			groups = append(groups, group{name: s.point})
		}
		g := &groups[len(groups)-1]
		g.bars = append(g.bars, s)
		if s.failure == "" {
			least, most = min(least, rate.Min), max(most, rate.Max)
		}
	}
	if most == 0 {
		return fmt.Errorf("there is nothing to draw")
	}
	c := chart{w: w, low: math.Floor(math.Log10(least)), high: math.Ceil(math.Log10(most))}
	c.draw(groups, r.Machine)
	return c.err
}

type group struct {
	name string
	bars []summary
}

// chart keeps its first error.
type chart struct {
	w         io.Writer
	low, high float64 // powers of ten
	err       error
}

func (c *chart) printf(format string, args ...any) {
	if c.err == nil {
		_, c.err = fmt.Fprintf(c.w, format+"\n", args...)
	}
}

// x is where a rate lies.
func (c *chart) x(rate float64) float64 {
	if rate <= 0 {
		return labelWidth
	}
	return labelWidth + plotWidth*(math.Log10(rate)-c.low)/max(c.high-c.low, 1)
}

func (c *chart) draw(groups []group, m Machine) {
	height := 60.0
	for _, g := range groups {
		height += groupGap + barHeight*float64(len(g.bars))
	}
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="10">`, labelWidth+plotWidth+90, height)
	c.printf(`<rect width="100%%" height="100%%" fill="white"/>`)
	c.printf(`<text x="10" y="18" font-size="14">Messages per second between two processes on loopback (logarithmic)</text>`)
	c.printf(`<text x="10" y="34" fill="#555">%s</text>`, escape(fmt.Sprintf("%s, %d cores, %s", m.CPU, m.Cores, m.Go)))
	for power := c.low; power <= c.high; power++ {
		x := c.x(math.Pow(10, power))
		c.printf(`<line x1="%.1f" y1="42" x2="%.1f" y2="%.0f" stroke="#ddd"/><text x="%.1f" y="52" text-anchor="middle" fill="#555">%s</text>`,
			x, x, height, x, short(math.Pow(10, power)))
	}
	y := 50.0
	for _, g := range groups {
		y += groupGap
		c.printf(`<text x="10" y="%.1f" font-weight="bold">%s</text>`, y-5, escape(g.name))
		for _, s := range g.bars {
			c.bar(s, y)
			y += barHeight
		}
	}
	c.printf(`</svg>`)
}

func (c *chart) bar(s summary, y float64) {
	c.printf(`<text x="%.1f" y="%.1f" text-anchor="end">%s</text>`, labelWidth-6, y+barHeight-3, escape(s.contender))
	if s.failure != "" {
		c.printf(`<text x="%.1f" y="%.1f" fill="#b00">fails: %s</text>`, labelWidth+4, y+barHeight-3, escape(s.failure[:min(80, len(s.failure))]))
		return
	}
	rate := s.metrics["rate"]
	c.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, labelWidth, y+1, c.x(rate.Median)-labelWidth, barHeight-3, color(s.contender))
	middle := y + barHeight/2
	c.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="black"/>`, c.x(rate.Min), middle, c.x(rate.Max), middle)
	c.printf(`<text x="%.1f" y="%.1f">%s</text>`, c.x(rate.Max)+4, y+barHeight-3, short(rate.Median))
}

func color(contender string) string {
	switch {
	case contender == table.Truss:
		return "#1b6ec2"
	case strings.Contains(contender, table.Truss):
		return "#8fbce6"
	case strings.HasPrefix(contender, "otp"):
		return "#a90533"
	case contender == table.TCP:
		return "#999999"
	}
	return "#5aa469"
}

// short prints 1234567 as 1.23M.
func short(f float64) string {
	switch {
	case f >= 1e6:
		return fmt.Sprintf("%.3gM", f/1e6)
	case f >= 1e3:
		return fmt.Sprintf("%.3gk", f/1e3)
	}
	return fmt.Sprintf("%.3g", f)
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
