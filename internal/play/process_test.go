package play

import (
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		writes []string
		want   []string
	}{
		{[]string{"a\nb\n"}, []string{"a", "b"}},
		{[]string{"a", "b\r\n", "", "c\nd"}, []string{"ab", "c"}},
		{[]string{"\n\n"}, []string{"", ""}},
		{[]string{strings.Repeat("x", maxLine), "y\n"}, []string{strings.Repeat("x", maxLine), "y"}},
	} {
		var got []string
		l := &lines{each: func(line []byte) { got = append(got, string(line)) }}
		for _, w := range c.writes {
			if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%d %v", n, err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%.40q gives %.40q, want %.40q", c.writes, got, c.want)
		}
	}
}

func TestParseLine(t *testing.T) {
	for _, c := range []struct {
		line string
		want report
	}{
		{`{"event":"ready","node":"a@b","port":9}`, report{Event: "ready", Node: "a@b", Port: 9}},
		{`{"event":"ready","node":"a@b","otp":"27"}`, report{Event: "ready", Node: "a@b", OTP: "27"}},
		{`{"event":"nodedown","node":"a@b","reason":"r"}`, report{Event: "nodedown", Node: "a@b", Reason: "r"}},
		{`{"event":"exit"}`, report{Event: "log", Reason: `{"event":"exit"}`}}, // that is not for a machine to say
		{`{"event":"nodeup","node":[]}`, report{Event: "log", Reason: `{"event":"nodeup","node":[]}`}},
		{`{"event":"message","topic":"t","etf":"g2gCdwFhYQE="}`, report{Event: "message", Topic: "t", Term: "{a,1}"}}, // as a BEAM says it
		{`{"event":"message","topic":"t","etf":"AAAA"}`, report{Event: "log", Reason: `{"event":"message","topic":"t","etf":"AAAA"}`}},
		{`boom`, report{Event: "log", Reason: "boom"}},
	} {
		if got := parseLine([]byte(c.line)); got != c.want {
			t.Errorf("%s is %+v, want %+v", c.line, got, c.want)
		}
	}
}

func TestReadable(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"time":"t","level":"INFO","msg":"node up","node":"a@b","peer":"c@d","hidden":false}`, "node up hidden=false peer=c@d"},
		{`{"time":"t","level":"WARN","msg":"odd"}`, "WARN odd"},
		{"panic: x", "panic: x"},
		{`{"a":1}`, `{"a":1}`},
	} {
		if got := readable(c.line); got != c.want {
			t.Errorf("%s is %q, want %q", c.line, got, c.want)
		}
	}
}
