package etf

import (
	"fmt"
	"reflect"
)

// appendReflect writes the Go values that are no canonical Term.
func appendReflect(e *Encoder, dst []byte, v any) ([]byte, error) {
	return dst, fmt.Errorf("etf: cannot encode %v", reflect.TypeOf(v))
}
