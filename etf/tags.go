// # Structs and their tags
//
// What [Marshal] writes for a Go type, and [Unmarshal] reads into it:
//
//	bool                  true, false
//	int and uint kinds    integer; one that does not fit is an error
//	float32, float64      float; an integer is read too if it is exact
//	*big.Int, big.Int     integer
//	string                binary; reads a binary, a charlist, or chardata (lists of both)
//	Atom, Charlist, Pid   and the other types of this package: what they are
//	[]byte, [N]byte       binary; reads iodata too
//	slice, array          list; an array wants exactly its length
//	map                   map; keys must be what Go can compare
//	pointer               nil, or what it points at; reads nil and undefined as nil
//	interface             what is in it; reads the dynamic term
//	time.Time             %DateTime{} in UTC; reads %NaiveDateTime{} and
//	                      {{Y,M,D},{H,Mi,S}} too, both as UTC
//	time.Duration         integer of milliseconds, as Erlang's timeouts
//	struct                see below
//	TermMarshaler,        what its methods say
//	TermUnmarshaler
//
// Nothing else goes into anything else: no atom into a string, no float into an
// int, no tuple into a slice. nil and undefined also make a slice or map nil.
//
// A struct is a map whose keys are atoms: its exported fields' names in snake_case
// (UserID is user_id). Keys that it has no field for are ignored, fields that come
// no key for are left as they are. The fields of embedded structs count as its
// own, by the rules of encoding/json. A field's tag is its key and options:
//
//	etf:"-"              not a field
//	etf:"key"            that key
//	etf:",omitempty"     not written if false, 0, "", nil or of length 0
//	etf:",required"      missing it is an error when reading
//	etf:",binary"        the key is a binary, as in decoded JSON
//	etf:",atom"          strings are atoms
//	etf:",charlist"      strings are charlists
//	etf:",naive"         a time.Time is a %NaiveDateTime{}
//	etf:",unix"          a time.Time is an integer of seconds; also unix_ms, unix_us, unix_ns
//	etf:",s"             a Duration is an integer of seconds; also ms, us, ns
//
// atom to ns reach through pointers, to the elements of slices and arrays, and to
// the keys of Go maps. The tag of a blank field is about the struct itself:
//
//	_ struct{} `etf:",tuple"`                      {X, Y}
//	_ struct{} `etf:"point,tuple"`                 {point, X, Y}, as an Erlang record
//	_ struct{} `etf:"Elixir.MyApp.User,struct"`    %MyApp.User{x: X, y: Y}
//	_ struct{} `etf:",proplist"`                   [{x, X}, {y, Y}], a keyword list
//
// What such a tag names is checked when reading, and so is a tuple's size. A
// keyword list is read as the module proplists does: an atom alone is true, the
// first of several counts, and other elements are skipped.
//
// Reading into a value that holds something already has the rules of
// encoding/json: structs and maps are added to, slices replaced in place,
// pointers followed, everything else is overwritten. Unlike there the first
// mismatch ends it, with an [UnmarshalError]; what was read before it stays.
//
// Encoding does not allocate for a struct's fields, except inside Go maps and for
// types with methods. Decoding an input of over 1 KiB puts its short strings (up to
// 256 bytes) into shared allocations of 1 KiB: who keeps one for long should clone it.
package etf

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// form says which of several terms a Go value stands for: the option of a field's
// tag. It reaches through pointers to what they point at, through slices and
// arrays to their elements, and in Go maps to the keys.
type form uint8

const (
	formDefault  form = iota
	formAtom          // strings are atoms
	formCharlist      // strings are charlists
	formNaive         // time.Time is an Elixir NaiveDateTime
	formSeconds       // time.Time is Unix time in seconds, a Duration seconds
	formMillis
	formMicros
	formNanos
)

var formOptions = map[string]form{
	"atom": formAtom, "charlist": formCharlist, "naive": formNaive,
	"unix": formSeconds, "unix_ms": formMillis, "unix_us": formMicros, "unix_ns": formNanos,
	"s": formSeconds, "ms": formMillis, "us": formMicros, "ns": formNanos,
}

// shape is the term that a struct as a whole stands for.
type shape uint8

const (
	shapeMap      shape = iota
	shapeTuple          // {A, B}, or {Tag, A, B}
	shapeStruct         // an Elixir struct, Tag its module
	shapeProplist       // [{a, A}, {b, B}]
)

// fieldTag is what a field's tag says.
type fieldTag struct {
	name      string // the key; "" if none is given
	tagged    bool   // the name is from the tag, not from the field
	skip      bool
	omitEmpty bool
	binary    bool // the key is a binary
	required  bool
	form      form
}

// parseTag reads a field's etf tag. Options it does not know are errors: a
// misspelt one would change what is on the wire.
func parseTag(f reflect.StructField) (fieldTag, error) {
	text := f.Tag.Get("etf")
	if text == "-" {
		return fieldTag{skip: true}, nil
	}
	name, options, _ := strings.Cut(text, ",")
	tag := fieldTag{name: name}
	if options == "" {
		return tag, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			tag.omitEmpty = true
		case "binary":
			tag.binary = true
		case "required":
			tag.required = true
		default:
			form, ok := formOptions[option]
			if !ok {
				return tag, fmt.Errorf("field %s: unknown option %q in its etf tag", f.Name, option)
			}
			tag.form = form
		}
	}
	return tag, nil
}

// parseShape reads the tag of a struct's blank field, which is about the whole
// struct.
func parseShape(f reflect.StructField) (s shape, name Atom, err error) {
	text, option, _ := strings.Cut(f.Tag.Get("etf"), ",")
	name = Atom(text)
	switch option {
	case "", "map":
		s = shapeMap
	case "tuple":
		return shapeTuple, name, nil
	case "struct":
		if name == "" {
			return 0, "", fmt.Errorf("an Elixir struct needs its module: etf:\"Elixir.MyApp.User,struct\"")
		}
		return shapeStruct, name, nil
	case "proplist":
		s = shapeProplist
	default:
		return 0, "", fmt.Errorf("unknown option %q in the etf tag of the blank field", option)
	}
	if name != "" {
		return 0, "", fmt.Errorf("the name %q in the etf tag of the blank field is for tuples and structs", name)
	}
	return s, "", nil
}

// snakeCase makes user_id of UserID, and http_server of HTTPServer: a run of
// capitals is a word, whose last letter begins the next word if a small letter
// follows, except the s of a plural (UserIDs gives user_ids).
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && runes[i-1] != '_' {
			next := rune(0)
			if i+1 < len(runes) {
				next = runes[i+1]
			}
			plural := next == 's' && (i+2 == len(runes) || unicode.IsUpper(runes[i+2]))
			if !unicode.IsUpper(runes[i-1]) || unicode.IsLower(next) && !plural {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
