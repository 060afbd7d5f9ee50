package stats_test

import (
	"math"
	"slices"
	"testing"

	"github.com/truss-beam/truss/bench/internal/stats"
)

func TestOf(t *testing.T) {
	tests := []struct {
		values []float64
		want   stats.Spread
	}{
		{nil, stats.Spread{}},
		{[]float64{3}, stats.Spread{Median: 3, Min: 3, Max: 3, N: 1}},
		{[]float64{9, 1, 5}, stats.Spread{Median: 5, Min: 1, Max: 9, N: 3}},
		{[]float64{4, 1, 3, 2}, stats.Spread{Median: 2.5, Min: 1, Max: 4, N: 4}},
	}
	for _, test := range tests {
		given := slices.Clone(test.values)
		if got := stats.Of(test.values); got != test.want {
			t.Errorf("Of(%v) = %+v, want %+v", test.values, got, test.want)
		}
		if !slices.Equal(given, test.values) {
			t.Errorf("Of changed its argument to %v", test.values)
		}
	}
}

func TestRatiosPairRounds(t *testing.T) {
	// The machine was half as fast in the second round; the ratio was not.
	if got := stats.Ratios([]float64{100, 50, 100}, []float64{10, 5, 10}); !slices.Equal(got, []float64{10, 10, 10}) {
		t.Errorf("got %v", got)
	}
	if got := stats.Ratios([]float64{4, math.NaN(), 6, 8}, []float64{2, 2, 0}); !slices.Equal(got, []float64{2}) {
		t.Errorf("incomplete rounds count: %v", got)
	}
}
