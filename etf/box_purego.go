//go:build purego

package etf

// boxes leaves it to Go to allocate what a Term points to. See box.go.
type boxes struct{}

func (boxes) int(i int64, _ int) Term     { return i }
func (boxes) float(f float64, _ int) Term { return f }
func (boxes) tuple(v Tuple, _ int) Term   { return v }
func (boxes) list(v List, _ int) Term     { return v }
func (boxes) assoc(v Map, _ int) Term     { return v }
func (boxes) binary(v []byte, _ int) Term { return v }
