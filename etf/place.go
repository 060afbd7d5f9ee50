package etf

import (
	"reflect"
	"unsafe"
)

// place is where a value lies whose Go type a plan knows. Together with box.go
// this is all that the package does with unsafe. Through package reflect a field
// costs some ten nanoseconds of checks that its plan has made once already; a
// place costs none, and the value of an interface need not be copied to be read.
//
// Who has a place knows the type: plans are found by type and never used for
// another. What is reached by offset or as an element lies within what was
// reached, and a place keeps it alive like any pointer.
type place struct{ p unsafe.Pointer }

// iface is an interface value without methods: it has been a word for the type
// and a pointer to the value, or the value if that is a pointer, since Go 1.4.
// TestBoxes and TestPlaces guard that.
type iface struct{ typ, data unsafe.Pointer }

// header is a slice of any type.
type header struct {
	data     unsafe.Pointer
	len, cap int
}

// pointerWord is the word of a pointer to t.
func pointerWord(t reflect.Type) typeID {
	return typeWord(reflect.Zero(reflect.PointerTo(t)).Interface())
}

// typeID tells types apart.
type typeID = unsafe.Pointer

func typeWord(t any) typeID { return (*iface)(unsafe.Pointer(&t)).typ }

// dataWord is the place of the value in v; if the value is itself a pointer (see
// isDirect) the place it points at.
func dataWord(v any) place { return place{(*iface)(unsafe.Pointer(&v)).data} }

// isDirect tells whether an interface holds values of t themselves and not where
// they lie: then the data word of t's zero value is nil.
func isDirect(t reflect.Type) bool {
	return t.Kind() != reflect.Interface && dataWord(reflect.Zero(t).Interface()).p == nil
}

// wordSlot is where a type belongs in a table of n, a power of two.
func wordSlot(typ typeID, n uintptr) uintptr { return uintptr(typ) >> 5 & (n - 1) }

// placeOf is where v lies, which must be addressable.
func placeOf(v reflect.Value) place { return place{v.Addr().UnsafePointer()} }

// at is the value there, which must be a T or differ from it in name only.
func at[T any](p place) *T { return (*T)(p.p) }

// value is the value there for package reflect; it can be set.
func (p place) value(t reflect.Type) reflect.Value { return reflect.NewAt(t, p.p).Elem() }

// valueOf is value by a plan, which knows the type of a pointer to its own: that is what
// reflect.NewAt has to search for.
func (p place) valueOf(pl *plan) reflect.Value {
	v := iface{pl.pointer, p.p}
	return reflect.ValueOf(*(*any)(unsafe.Pointer(&v))).Elem()
}

// field is the place of a struct's field.
func (p place) field(offset uintptr) place { return place{unsafe.Add(p.p, offset)} }

// elem is the place of an element behind the first, which is at p.
func (p place) elem(i int, size uintptr) place { return place{unsafe.Add(p.p, uintptr(i)*size)} }

// slice is the place of the first element of the slice at p, and how many there are.
func (p place) slice() (first place, n int) {
	h := (*header)(p.p)
	return place{h.data}, h.len
}

// capacity is that of the slice at p.
func (p place) capacity() int { return (*header)(p.p).cap }

// setSlice makes the slice at p an empty one with room for so many elements from first on.
func (p place) setSlice(first place, room int) { *(*header)(p.p) = header{first.p, 0, room} }

// lengthen sets the length of the slice at p, if it has room for so many elements.
func (p place) lengthen(n int) bool {
	h := (*header)(p.p)
	if n > h.cap {
		return false
	}
	h.len = n
	return true
}

// pointee is the place that the pointer at p points at.
func (p place) pointee() place { return place{*(*unsafe.Pointer)(p.p)} }

func (p place) isNil() bool { return p.p == nil }

// textOf makes a string of bytes that nobody writes again.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOf lends the bytes of a string, to be read only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
