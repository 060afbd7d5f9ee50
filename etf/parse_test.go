package etf

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for _, tt := range []struct {
		text string
		want Term
	}{
		{"foo", Atom("foo")},
		{" a_B1@ . ", Atom("a_B1@")},
		{"été", Atom("été")},
		{"maybe", Atom("maybe")},
		{`'a\'b\\\n\x{65E5}\x41\101\^a'`, Atom("a'b\\\n日AA\x01")},
		{"''", Atom("")},
		{"0", int64(0)},
		{"-5", int64(-5)},
		{"- 5", int64(-5)},
		{"+7", int64(7)},
		{"1_000_000", int64(1000000)},
		{"16#fF", int64(255)},
		{"-16#1_0", int64(-16)},
		{"36#Zz", int64(35*36 + 35)},
		{"$a", int64('a')},
		{`$\n`, int64('\n')},
		{`$\\`, int64('\\')},
		{`$\s`, int64(' ')},
		{`$\x{1F600}`, int64(0x1F600)},
		{`$日`, int64('日')},
		{"-$a", int64(-'a')},
		{"9223372036854775807", int64(math.MaxInt64)},
		{"-9223372036854775808", int64(math.MinInt64)},
		{"123456789012345678901234567890", huge},
		{"1.5", 1.5},
		{"-0.0", math.Copysign(0, -1)},
		{"1_0.2_5e-3", 10.25e-3},
		{"1.0E22", 1e22},
		{`"abc"`, List{int64('a'), int64('b'), int64('c')}},
		{`""`, List{}},
		{"\"a\" % comment\n \"é\"", List{int64('a'), int64('é')}},
		{`~"é\n"`, []byte("é\n")},
		{`~B"a\n"`, []byte(`a\n`)},
		{`~b"x"`, []byte("x")},
		{`~s"a"`, List{int64('a')}},
		{`~S"\"`, List{int64('\\')}},
		{"{}", Tuple{}},
		{"{ok, {a , 1}}", Tuple{Atom("ok"), Tuple{Atom("a"), int64(1)}}},
		{"[]", List{}},
		{"[1,[2]]", List{int64(1), List{int64(2)}}},
		{"[a|b]", ImproperList{List{Atom("a")}, Atom("b")}},
		{"[a|[b]]", List{Atom("a"), Atom("b")}},
		{"[a|[b|c]]", ImproperList{List{Atom("a"), Atom("b")}, Atom("c")}},
		{"#{}", Map{}},
		{`#{a => 1, "b" => <<"c">>}`, Map{{Atom("a"), int64(1)}, {List{int64('b')}, []byte("c")}}},
		{"#{1 => a, 1.0 => b}", Map{{int64(1), Atom("a")}, {1.0, Atom("b")}}},
		{"fun lists:map/2", Export{"lists", "map", 2}},
		{"fun 'Elixir.Enum' : map / 2", Export{"Elixir.Enum", "map", 2}},
		{"#r:pt{x = 1, 'Y'=[]}", Record{true, "r", "pt", []Atom{"x", "Y"}, []Term{int64(1), List{}}}},
		{"#r:em{}", Record{true, "r", "em", []Atom{}, []Term{}}},
		{"#Pid<a@h/3.1.2>", Pid{"a@h", 1, 2, 3}},
		{"#Pid<'a@10.0.0.1'/3.1.2>", Pid{"a@10.0.0.1", 1, 2, 3}},
		{"#Port<a@h/3.18446744073709551615>", Port{"a@h", math.MaxUint64, 3}},
		{"#Ref<a@h/4.3.2.1>", Ref{"a@h", 4, 3, [5]uint32{1, 2, 3}}},
		{"#Ref<a@h/4>", Ref{"a@h", 4, 0, [5]uint32{}}},
	} {
		got, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%s): %v", tt.text, err)
		} else if !reflect.DeepEqual(got, tt.want) || Format(got) != Format(tt.want) {
			t.Errorf("Parse(%s) = %#v, want %#v", tt.text, got, tt.want)
		}
	}
}

// The wanted bytes are what OTP 29 makes of the same text; see testdata/text.
func TestParseBinary(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Term
	}{
		{`<<>>`, []byte{}},
		{`<<"b">>`, []byte("b")},
		{`<<"é">>`, []byte{0xe9}},
		{`<<"é"/utf8>>`, []byte("é")},
		{`<<1,2,"abc"/utf8,3:4,0:16/little>>`, Bitstring{[]byte{1, 2, 'a', 'b', 'c', 0x30, 0, 0}, 4}},
		{`<<256, -1>>`, []byte{0, 255}},
		{`<<1:16/little, 1:16>>`, []byte{1, 0, 0, 1}},
		{`<<16#abc:12/little>>`, Bitstring{[]byte{0xbc, 0xa0}, 4}},
		{`<<1:1, 16#abc:12/little, 1:3>>`, []byte{0xde, 0x51}},
		{`<<"ab":16/little>>`, []byte{'a', 0, 'b', 0}},
		{`<<"é"/utf16, "😀"/utf16-little, $a/utf32>>`, []byte{0, 0xe9, 0x3d, 0xd8, 0, 0xde, 0, 0, 0, 'a'}},
		{`<<1.0/float, 1.5:32/float-little>>`, []byte{0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0x3f}},
		{`<<2/float>>`, []byte{0x40, 0, 0, 0, 0, 0, 0, 0}},
		{`<<(<<1,2>>)/binary>>`, nil},
		{`<< <<1,2>>/binary, <<5:3>>/bits>>`, Bitstring{[]byte{1, 2, 0xa0}, 3}},
		{`<< <<1,2,3>>:2/bytes >>`, []byte{1, 2}},
		{`<<3:2/unit:4>>`, []byte{3}},
		{`<<1:0>>`, []byte{}},
		{`<<123456789012345678901234567890:96/signed-big>>`, []byte{1, 0x8e, 0xe9, 0x0f, 0xf6, 0xc3, 0x73, 0xe0, 0xee, 0x4e, 0x3f, 0x0a, 0xd2}[1:]},
	} {
		got, err := Parse(tt.text)
		if tt.want == nil {
			if err == nil {
				t.Errorf("Parse(%s) = %s, want an error", tt.text, Format(got))
			}
		} else if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%s) = %#v, %v, want %#v", tt.text, got, err, tt.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct {
		text         string
		line, column int
		msg          string
	}{
		{"", 1, 1, "expected a term, found the end of the text"},
		{"{a,", 1, 4, "expected a term, found the end of the text"},
		{"{a,\n  Foo}", 2, 3, "Foo is a variable; as an atom it is written 'Foo'"},
		{"[1 2]", 1, 4, "expected , or | or ], found 2"},
		{"{1 2]", 1, 4, "expected , or }, found 2"},
		{"#{a = 1}", 1, 5, "expected =>, found '='"},
		{"#{a => 1, b => 2, a => 3}", 1, 19, "the key a is there twice"},
		{"#{\"a\" => 1, [97] => 3}", 1, 13, `the key "a" is there twice`},
		{"a b", 1, 3, "expected the end of the text, found b"},
		{"a. b", 1, 4, "expected the end of the text, found b"},
		{"end", 1, 1, "end is a reserved word; as an atom it is written 'end'"},
		{"日本", 1, 1, "expected a term, found '日'"},
		{"'é", 1, 1, "this ' is never closed"},
		{"[é, \"a", 1, 5, `this " is never closed`},
		{`"""`, 1, 1, "triple-quoted strings are not read"},
		{"1.0e999", 1, 2, "this float is out of range"},
		{"1.", 0, 0, ""},
		{"1e5", 1, 2, "expected the end of the number, found e5"},
		{"37#1", 1, 3, "a base is 2 to 36"},
		{"16#xyz", 1, 4, "expected a digit of base 16, found xyz"},
		{"--5", 1, 2, "expected a number, found '-'"},
		{"<0.1.2>", 1, 1, "<0.1.2> does not name its node; a pid is written #Pid<node@host/creation.id.serial>"},
		{"#Fun<a.1.2>", 1, 1, "#Fun<…> does not say what the fun is made of; only fun m:f/1 can be read"},
		{"#rec{}", 1, 5, "expected :, found '{'"},
		{"#m:r{a=1,a=2}", 1, 10, "the field a is there twice"},
		{"<<\"日\">>", 1, 3, `the character 日 does not fit a byte; write "…"/utf8`},
		{"<<1.5>>", 1, 3, "a float in a binary needs /float"},
		{"<<a>>", 1, 3, "a binary holds integers, strings, floats and binaries"},
		{"<<1/what>>", 1, 5, "expected a segment type such as utf8 or little, found what"},
		{"<<55296/utf8>>", 1, 3, "55296 is not a Unicode character"},
		{"<<0:99999999999>>", 1, 5, "expected a number up to 8388608"},
		{"<<0:8388608, 0:8>>", 1, 14, "segments with a size, and binaries in binaries, may have 1 MiB in all"},
		{`"\x{D800}"`, 1, 10, `\x{D800} is not a Unicode character`},
		{`"\xg"`, 1, 2, `expected \xHH or \x{H…} up to 10FFFF`},
		{"fun a/1", 1, 6, "expected :, found '/'"},
		{"fun a:b/256", 1, 9, "expected a number up to 255"},
		{"a\xff", 1, 2, "the text is not UTF-8"},
		{strings.Repeat("[", 2000), 1, 1001, "nested deeper than 1000"},
		{strings.Repeat("a", 256), 1, 1, "an atom has at most 255 characters"},
		{strings.Repeat("1", 100_002), 1, 1, "a number has at most 100000 digits"},
		{"~x\"\"", 1, 1, `expected a sigil ~"…", ~b"…", ~B"…", ~s"…" or ~S"…"`},
	} {
		got, err := Parse(tt.text)
		if tt.line == 0 {
			if err != nil {
				t.Errorf("Parse(%s): %v", tt.text, err)
			}
			continue
		}
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("Parse(%.40s) = %v, %v, want a ParseError", tt.text, got, err)
		} else if pe.Line != tt.line || pe.Column != tt.column || pe.Msg != tt.msg {
			t.Errorf("Parse(%.40s):\n got %v\nwant line %d, column %d: %s", tt.text, err, tt.line, tt.column, tt.msg)
		}
		if got != nil {
			t.Errorf("Parse(%.40s) gives %v with an error", tt.text, got)
		}
	}
}

// Whatever Parse takes must print, and what prints must read back the same.
func FuzzParse(f *testing.F) {
	for _, line := range goldenLines(f) {
		f.Add(line.erlang)
	}
	f.Add("<<1:1, 16#abc:12/little, \"ab\":16/little, <<5:3>>/bits>>")
	f.Add("{#Pid<a@h/3.1.2>, #Ref<'a@10.0.0.1'/4.3.2.1>, #Port<a@h/1.2>, ~s\"x\", $\\x{41}} .")
	f.Add("[1_0.5e-3, 36#zz | -$a]")
	f.Fuzz(func(t *testing.T, text string) {
		term, err := Parse(text)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Line < 1 || pe.Column < 1 {
				t.Fatalf("bad error %v", err)
			}
			return
		}
		FormatElixir(term)
		printed := Format(term)
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, printed, err)
		}
		if reprinted := Format(again); reprinted != printed {
			t.Fatalf("%q prints as %q, which prints as %q", text, printed, reprinted)
		}
		if !Equal(term, again) {
			t.Fatalf("%q prints as %q, which is another term", text, printed)
		}
	})
}
