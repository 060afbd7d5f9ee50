package etf

import (
	"fmt"
	"reflect"
)

// unmarshal reads the next term into *v.
func (d *Decoder) unmarshal(v any) error {
	return fmt.Errorf("etf: cannot decode into %v", reflect.TypeOf(v))
}
