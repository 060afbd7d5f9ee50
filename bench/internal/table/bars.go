package table

import "fmt"

// Bar is one thing that must hold: the ratio of two figures, taken round by
// round, must be at least, or at most, the limit.
type Bar struct {
	Name  string
	Of    Figure
	To    []Figure // all of these; the one that is worst for Of counts
	Const float64  // instead of To: a fixed quantity
	Limit float64
	Most  bool // at most instead of at least
	// Missing says why it cannot be measured yet.
	Missing string
}

// Figure names one number of one contender at one point.
type Figure struct{ Point, Contender, Metric string }

func each(point, metric string, contenders ...string) []Figure {
	var all []Figure
	for _, c := range contenders {
		all = append(all, Figure{point, c, metric})
	}
	return all
}

// Bars lists the rows of the table of the project's requirements, one for each
// size and each rival. What a quick comparison leaves out is missing.
func Bars(otps []string, quick bool) []Bar {
	bars := oneWayBars(otps)
	bars = append(bars, roundTripBars(otps)...)
	bars = append(bars, crossBars(otps)...)
	bars = append(bars, codecBars(otps)...)
	for _, point := range []string{localBroadcast, clusterBroadcast} {
		for _, kind := range []struct{ name, contender string }{{"functions", Truss}, {"processes", Procs}} {
			bars = append(bars, Bar{Name: point + ", " + kind.name + ", rate of OTP's Registry and pg",
				Of: Figure{point, kind.contender, "rate"}, To: each(point, "rate", otps...), Limit: 5})
		}
	}
	return append(bars, scaleBars(quick)...)
}

func oneWayBars(otps []string) []Bar {
	var bars []Bar
	add := func(of Figure, name string, limit float64, rivals ...string) {
		bars = append(bars, Bar{Name: of.Point + ", rate of " + name, Of: of, To: each(of.Point, "rate", rivals...), Limit: limit})
	}
	for _, kind := range kinds() {
		for _, senders := range []int{1, 8} {
			of := Figure{oneWayName(kindName(kind), senders), Truss, "rate"}
			switch {
			case kind.Size < 1<<10:
				add(of, "OTP", 8, otps...)
				add(of, "the best Go peer (Ergo)", 5, Ergo2, Ergo3)
				add(of, "NATS", 5, NATS)
			case kind.Size == 1<<10:
				add(of, "OTP", 4, otps...)
			default:
				add(of, "raw TCP", 0.8, TCP)
				add(of, "OTP", 1, otps...)
			}
		}
	}
	return bars
}

func roundTripBars(otps []string) []Bar {
	p50 := Figure{"round trip", Truss, "p50_us"}
	p99 := Figure{"round trip", Truss, "p99_us"}
	mixed := "round trip beside 10 MB messages"
	return []Bar{
		{Name: "round trip p50, of raw TCP's", Of: p50, To: each("round trip", "p50_us", TCP), Limit: 1.5, Most: true},
		{Name: "round trip p50, of OTP's", Of: p50, To: each("round trip", "p50_us", otps...), Limit: 1. / 3, Most: true},
		{Name: "round trip p99, of OTP's p50", Of: p99, To: each("round trip", "p50_us", otps...), Limit: 1, Most: true},
		{Name: "erpc sequential p50, of OTP's", Of: Figure{erpcName(1), Truss, "p50_us"}, To: each(erpcName(1), "p50_us", otps...), Limit: 1. / 3, Most: true},
		{Name: "erpc from 64 callers, rate of OTP's", Of: Figure{erpcName(64), Truss, "rate"}, To: each(erpcName(64), "rate", otps...), Limit: 6},
		{Name: mixed + " p99, of OTP's", Of: Figure{mixed, Truss, "p99_us"}, To: each(mixed, "p99_us", otps...), Limit: 0.1, Most: true},
	}
}

func crossBars(otps []string) []Bar {
	var bars []Bar
	for _, kind := range kinds() {
		kind.Senders = 1
		if !crossed(kind) {
			continue
		}
		point := oneWayName(kindName(kind), 1)
		for _, otp := range otps {
			for _, pair := range []Contender{{otp, Truss}, {Truss, otp}} {
				bars = append(bars, Bar{Name: fmt.Sprintf("%s, %s, rate of %s to itself", point, pair, otp),
					Of: Figure{point, pair.String(), "rate"}, To: each(point, "rate", otp), Limit: 1})
			}
		}
	}
	return bars
}

func codecBars(otps []string) []Bar {
	var bars []Bar
	for _, op := range []struct{ name, builtin string }{{"encode", "term_to_binary"}, {"decode", "binary_to_term"}} {
		point := op.name + " 50 KB term"
		bars = append(bars,
			Bar{Name: point + ", dynamic, rate of " + op.builtin, Of: Figure{point, Dynamic, "rate"}, To: each(point, "rate", otps...), Limit: 2},
			Bar{Name: point + ", typed, rate of " + op.builtin, Of: Figure{point, Truss, "rate"}, To: each(point, "rate", otps...), Limit: 4})
	}
	point := "decode 50 KB term"
	return append(bars, Bar{Name: point + ", typed, allocations of those the struct holds",
		Of: Figure{point, Truss, "allocs_each"}, To: each(point, "allocs_held", Truss), Limit: 1, Most: true})
}

func scaleBars(quick bool) []Bar {
	simulated := Bar{Name: "1,000 simulated nodes form and heal", Of: Figure{simnet(1000), "simnet", "formed_and_healed"}, Const: 1, Limit: 1}
	if quick {
		simulated.Missing = "takes 5 minutes alone, with -only 'simnet 1000'"
	}
	return []Bar{
		{Name: "memory of an idle connection, of 40 KB", Of: Figure{"idle connection", Truss, "rss_bytes_each"}, Const: 40_000, Limit: 1, Most: true},
		{Name: "memory of an idle process, of 3 KB", Of: Figure{"idle process", Truss, "rss_bytes_each"}, Const: 3_000, Limit: 1, Most: true},
		{Name: "full mesh of 200 nodes, time per link of 50 BEAMs'", Of: Figure{"mesh", Truss, "us_per_link"}, To: each("mesh", "us_per_link", Beams), Limit: 0.1, Most: true},
		simulated,
	}
}
