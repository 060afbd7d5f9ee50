package dns

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var dnsCluster = flag.String("dns_cluster", "", "record testdata/dns_cluster.json with the dns_cluster in this directory (needs elixir)")

// The same zone asked by dns_cluster, on OTP's resolver, and by us: the same names. Its answers are recorded; see
// testdata/README.md.
func TestSameNamesAsDNSCluster(t *testing.T) {
	const golden = "testdata/dns_cluster.json"
	t.Setenv("ERL_EPMD_PORT", "")
	zone := []string{
		"app.internal. 5 A 10.0.0.2", "app.internal. 5 A 10.0.0.3",
		"app.internal. 5 AAAA fdaa:0:1:0::3", "app.internal. 5 AAAA ::ffff:10.0.0.9", "app.internal. 5 AAAA ::10.0.0.9",
		"app.internal. 5 AAAA 1:0:2:3:4:5:6:7", "app.internal. 5 AAAA 2001:DB8:0:0:1::1",
		"other.internal. 5 A 10.0.0.3", "other.internal. 5 A 10.0.0.4",
		"alias.internal. 5 CNAME app.internal.",
		"short.svc.example. 5 A 10.0.0.5",
		"_app._tcp.internal. 5 SRV 1 2 4369 one.internal.", "_app._tcp.internal. 5 SRV 3 4 9001 two.internal.",
		"_app._tcp.internal. 5 SRV 3 4 9002 two.internal.", "_app._tcp.internal. 5 SRV 3 4 9002 none.internal.",
		"one.internal. 5 A 10.0.0.6", "two.internal. 5 A 10.0.0.7", "two.internal. 5 A 10.0.0.8",
		"two.internal. 5 AAAA fdaa::8",
		"nothing.internal. 5 TXT nothing",
	}
	server := newZone(t, zone...).serve(t)
	recorded := make(map[string][]string)
	if *dnsCluster == "" {
		readJSON(t, golden, &recorded)
	}
	for _, tt := range []struct {
		types   []Type
		queries string
	}{
		{[]Type{A, AAAA}, "app.internal"},
		{[]Type{A}, "app.internal"},
		{[]Type{AAAA}, "app.internal"},
		{[]Type{A}, "app.internal,other.internal"},
		{[]Type{A}, "app.internal,jobs@app.internal,jobs@other.internal"},
		{[]Type{A, AAAA}, "alias.internal"},
		{[]Type{A}, "short"},
		{[]Type{SRV}, "_app._tcp.internal"},
		{[]Type{SRV}, "jobs@_app._tcp.internal"},
		{[]Type{A, AAAA, SRV}, "app.internal,_app._tcp.internal"},
		{[]Type{A, AAAA}, "missing.internal"},
		{[]Type{A, AAAA}, "nothing.internal"},
		{[]Type{A, AAAA}, "missing.internal,other.internal"},
	} {
		key := fmt.Sprint(tt.types, " ", tt.queries)
		if *dnsCluster != "" {
			recorded[key] = askDNSCluster(t, server, tt.types, tt.queries)
		}
		conf := resolvConf(t, "nameserver "+server+"\nsearch svc.example\n")
		u := once(t, Strategy{Query: tt.queries, Types: tt.types, ResolvConf: conf}, "app@10.0.0.1")
		got := []string{}
		for _, p := range u.Peers {
			got = append(got, p.Name)
		}
		slices.Sort(got)
		want, ok := recorded[key]
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%s:\n  ours        %v\n  dns_cluster %v (recorded: %v)", key, got, want, ok)
		}
	}
	if *dnsCluster != "" {
		writeJSON(t, golden, recorded)
	}
}

func askDNSCluster(t *testing.T, server string, types []Type, queries string) []string {
	t.Helper()
	_, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatal(err)
	}
	inetrc := filepath.Join(t.TempDir(), "inetrc")
	conf := "{resolv_conf,\"\"}.\n{hosts_file,\"\"}.\n{lookup,[dns]}.\n{nameserver,{127,0,0,1}," + port + "}.\n{search,[\"svc.example\"]}.\n"
	if err := os.WriteFile(inetrc, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	var lower []string
	for _, ty := range types {
		lower = append(lower, strings.ToLower(string(ty)))
	}
	cmd := exec.CommandContext(t.Context(), "elixir", "testdata/dns_cluster.exs", *dnsCluster, "app", strings.Join(lower, ","), queries)
	cmd.Env = append(os.Environ(), "ERL_INETRC="+inetrc)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("elixir: %v\n%s", err, &stderr)
	}
	names := append([]string{}, strings.Fields(string(out))...)
	slices.Sort(names)
	return names
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func writeJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
