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
