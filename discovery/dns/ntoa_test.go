package dns

import (
	"bufio"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// OTP's own output; see testdata/README.md.
func TestNtoaIsErlangs(t *testing.T) {
	f, err := os.Open("testdata/ntoa.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		in, want, _ := strings.Cut(lines.Text(), "\t")
		if got := ntoa(netip.MustParseAddr(in)); got != want {
			t.Errorf("ntoa(%s) is %s, OTP prints %s", in, got, want)
		}
	}
	if n < 256 {
		t.Errorf("%d lines: the file is not whole", n)
	}
}
