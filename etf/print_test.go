package etf

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
)

// goldenLine is a line of testdata/text/golden.tsv; its README tells how OTP and
// Elixir made it.
type goldenLine struct {
	term           Term
	erlang, elixir string
}

func goldenLines(t testing.TB) []goldenLine {
	t.Helper()
	data, err := os.ReadFile("testdata/text/golden.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var lines []goldenLine
	for text := range strings.Lines(string(data)) {
		cols := strings.Split(strings.TrimSuffix(text, "\n"), "\t")
		if len(cols) != 3 {
			t.Fatalf("%q has %d columns", text, len(cols))
		}
		b, err := hex.DecodeString(cols[0])
		if err != nil {
			t.Fatal(err)
		}
		term, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", cols[1], err)
		}
		lines = append(lines, goldenLine{term, cols[1], cols[2]})
	}
	if len(lines) < 250 {
		t.Fatalf("only %d goldens", len(lines))
	}
	return lines
}

func TestFormatGolden(t *testing.T) {
	for _, g := range goldenLines(t) {
		if got := Format(g.term); got != g.erlang {
			t.Errorf("Format = %s, OTP prints %s", got, g.erlang)
		}
	}
}

func TestFormatElixirGolden(t *testing.T) {
	for _, g := range goldenLines(t) {
		if got := FormatElixir(g.term); got != g.elixir {
			t.Errorf("FormatElixir = %s, Elixir prints %s", got, g.elixir)
		}
	}
}

// What OTP prints must parse to the term it printed.
func TestParseGolden(t *testing.T) {
	for _, g := range goldenLines(t) {
		if _, isFun := g.term.(Fun); isFun {
			continue // #Fun<m.1.2> tells too little; TestParseErrors has it
		}
		got, err := Parse(g.erlang)
		if err != nil {
			t.Errorf("Parse(%s): %v", g.erlang, err)
		} else if !Equal(got, g.term) {
			t.Errorf("Parse(%s) = %s", g.erlang, Format(got))
		}
	}
}

func TestFormatIdentifiers(t *testing.T) {
	for _, tt := range []struct {
		term           Term
		erlang, elixir string
	}{
		{Pid{"a@h", 1, 2, 3}, "#Pid<a@h/3.1.2>", "#PID<a@h/3.1.2>"},
		{Pid{"a@10.0.0.1", 1, 2, 3}, "#Pid<'a@10.0.0.1'/3.1.2>", "#PID<'a@10.0.0.1'/3.1.2>"},
		{Port{"a@h", 1 << 40, 3}, "#Port<a@h/3.1099511627776>", "#Port<a@h/3.1099511627776>"},
		{Ref{"a@h", 3, 3, [5]uint32{1, 2, 3}}, "#Ref<a@h/3.3.2.1>", "#Reference<a@h/3.3.2.1>"},
		{Ref{Node: "a@h", Creation: 3}, "#Ref<a@h/3>", "#Reference<a@h/3>"},
	} {
		if got := Format(tt.term); got != tt.erlang {
			t.Errorf("Format = %s, want %s", got, tt.erlang)
		}
		if got := FormatElixir(tt.term); got != tt.elixir {
			t.Errorf("FormatElixir = %s, want %s", got, tt.elixir)
		}
		if back, err := Parse(tt.erlang); err != nil || back != tt.term {
			t.Errorf("Parse(%s) = %v, %v", tt.erlang, back, err)
		}
	}
}

// Values of Go's own types print as the terms they encode to, and fmt uses Format
// for the composite ones.
func TestFormatGoValues(t *testing.T) {
	for _, tt := range []struct {
		value any
		want  string
	}{
		{nil, "nil"},
		{true, "true"},
		{7, "7"},
		{uint16(7), "7"},
		{"é", `<<"é"/utf8>>`},
		{Charlist("é"), `"é"`},
		{float32(0.5), "0.5"},
		{new(big.Int).Lsh(big.NewInt(1), 70), "1180591620717411303424"},
		{Tuple{Atom("ok"), 1, []int{1, 300}}, "{ok,1,[1,300]}"},
		{map[string]bool{"a": true}, `#{<<"a">> => true}`},
		{struct{ UserID int }{5}, "#{user_id => 5}"},
		{Tuple{make(chan int), (*big.Int)(nil)}, "{#Go<chan int>,nil}"},
	} {
		if got := Format(tt.value); got != tt.want {
			t.Errorf("Format(%#v) = %s, want %s", tt.value, got, tt.want)
		}
	}
	if got := fmt.Sprint(Tuple{Atom("Up"), List{int64(1)}, Map{}}); got != "{'Up',[1],#{}}" {
		t.Errorf("fmt prints %s", got)
	}
}

// Conversion to decimal takes more than linear time, so that the size of what a
// peer sends must not decide about it.
func TestFormatHugeInteger(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(-5), 320_000)
	text := Format(huge)
	if want := "-16#5" + strings.Repeat("0", 80_000); text != want {
		t.Errorf("%.20s… of %d", text, len(text))
	}
	if got := FormatElixir(huge); !strings.HasPrefix(got, "-0x5000") {
		t.Errorf("%.20s…", got)
	}
	if back, err := Parse(text); err != nil || !Equal(back, huge) {
		t.Errorf("does not read back: %v", err)
	}
}
