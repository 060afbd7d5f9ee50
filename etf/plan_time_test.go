package etf

import (
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What Elixir and Erlang wrote, see testdata/text/README.md, is read as the
// instant that they say it is.
func TestTimeGolden(t *testing.T) {
	data, err := os.ReadFile("testdata/text/times.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 7 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		form, micros, _ := strings.Cut(line, "\t")
		b, _ := hex.DecodeString(form)
		want, _ := strconv.ParseInt(micros, 10, 64)
		var got time.Time
		if err := Unmarshal(b, &got); err != nil || got.UnixMicro() != want {
			t.Errorf("line %d: %v, %v, want %d", i+1, got, err, want)
		}
		if name, offset := got.Zone(); i == 5 && (name != "CEST" || offset != 7200) {
			t.Errorf("zone %s %d", name, offset)
		} else if i != 5 && got.Location() != time.UTC {
			t.Errorf("line %d is not UTC", i+1)
		}
	}
	// Written, the first and the fourth are the very terms Elixir has.
	at := time.UnixMicro(1709209845678901)
	for i, value := range map[int]any{0: at, 3: struct {
		_ struct{}  `etf:",tuple"`
		T time.Time `etf:",naive"`
	}{T: at.In(time.FixedZone("", 3600))}} {
		b, err := Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if tuple, ok := got.(Tuple); ok {
			got = tuple[0]
		}
		golden, _ := hex.DecodeString(lines[i][:strings.IndexByte(lines[i], '\t')])
		if want, _ := Decode(golden); err != nil || !Equal(got, want) {
			t.Errorf("got %s, want %s", FormatElixir(got), FormatElixir(want))
		}
	}
}

func TestTimeUnits(t *testing.T) {
	type times struct {
		_  struct{}      `etf:",tuple"`
		S  time.Time     `etf:",unix"`
		MS time.Time     `etf:",unix_ms"`
		US time.Time     `etf:",unix_us"`
		NS time.Time     `etf:",unix_ns"`
		D  time.Duration `etf:",us"`
		E  time.Duration
	}
	at := time.Unix(-2, 123456789).UTC()
	in := times{S: at, MS: at, US: at, NS: at, D: -1500 * time.Nanosecond, E: 2500 * time.Microsecond}
	b, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	term, err := Decode(b)
	if want := "{-2,-1877,-1876544,-1876543211,-1,2}"; err != nil || Format(term) != want {
		t.Errorf("got %s, %v, want %s", Format(term), err, want)
	}
	var out times
	if err := Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	want := times{
		S: time.Unix(-2, 0).UTC(), MS: time.Unix(-2, 123e6).UTC(), US: time.Unix(-2, 123456e3).UTC(), NS: at,
		D: -time.Microsecond, E: 2 * time.Millisecond,
	}
	if out != want {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestTimeRefused(t *testing.T) {
	for _, text := range []string{
		"{{2024,4,31},{0,0,0}}", "{{2024,13,1},{0,0,0}}", "{{2024,1,1},{24,0,0}}", "{{2024,1,1},{0,0,60}}",
		"{{2024,1,1}}", "{{2024,1,1},{0,0}}", "{{2024,1,a},{0,0,0}}", "foo", "0", "#{}",
		"#{'__struct__' => 'Elixir.DateTime', calendar => 'Elixir.Calendar.ISO', year => 2024}",
		"#{'__struct__' => 'Elixir.NaiveDateTime', calendar => 'Elixir.Other', year => 2024, month => 1, day => 1, " +
			"hour => 0, minute => 0, second => 0, microsecond => {0,0}}",
		"#{'__struct__' => 'Elixir.NaiveDateTime', calendar => 'Elixir.Calendar.ISO', year => 2024, month => 1, day => 1, " +
			"hour => 0, minute => 0, second => 0, microsecond => {1000000,6}}",
	} {
		var v time.Time
		if err := Unmarshal(external(t, text), &v); !errors.Is(err, ErrKind) {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
}
