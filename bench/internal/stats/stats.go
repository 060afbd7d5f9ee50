// Package stats has the little arithmetic that the comparison rests on: medians
// and spreads of repeated rounds, and ratios that pair the rounds.
package stats

import "slices"

// Spread is the middle and the ends of some repetitions.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

// Of returns the spread of the values; the zero Spread if there are none. The
// median of an even number of values is the mean of the middle two.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{
		Median: (sorted[(n-1)/2] + sorted[n/2]) / 2,
		Min:    sorted[0],
		Max:    sorted[n-1],
		N:      n,
	}
}

// Ratios divides round by round: what disturbs the machine for a while disturbs
// both sides of a round, and much of it cancels out, as it does not in the ratio
// of two medians. A round that either side lacks (NaN or 0) is left out.
func Ratios(of, to []float64) []float64 {
	var ratios []float64
	for i := range min(len(of), len(to)) {
		if of[i] > 0 && to[i] > 0 {
			ratios = append(ratios, of[i]/to[i])
		}
	}
	return ratios
}
