package archtest

import (
	"go/ast"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestArchitecture holds this module to its design.
func TestArchitecture(t *testing.T) {
	m, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".", "etf", "dist", "epmd", "internal/archtest"} {
		if m.packages[folder] == nil {
			t.Errorf("no package found in %s/: is this test looking at the right folder?", folder)
		}
	}
	for _, complaint := range check(m) {
		t.Error(complaint)
	}
}

// TestExceptionsAreNeeded keeps the list of excused state from outliving its reasons.
func TestExceptionsAreNeeded(t *testing.T) {
	m, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for name := range state {
		dot := strings.LastIndexByte(name, '.')
		folder, variable := name[:dot], name[dot+1:]
		p := m.packages[folder]
		if p == nil || !slices.ContainsFunc(p.files, func(f file) bool { return !f.test && declares(f.tree, variable) }) {
			t.Errorf("%s is excused but does not exist: remove it from the table", name)
		}
	}
}

func declares(f *ast.File, variable string) bool {
	for _, d := range f.Decls {
		if d, ok := d.(*ast.GenDecl); ok && slices.ContainsFunc(variables(d), func(id *ast.Ident) bool { return id.Name == variable }) {
			return true
		}
	}
	return false
}

// TestArrowsPointDown holds the table to its own rule.
func TestArrowsPointDown(t *testing.T) {
	var above []string
	for _, l := range layers {
		for _, m := range l.may {
			if m != "..." && !slices.ContainsFunc(above, func(a string) bool { return within(m, a) }) {
				t.Errorf("layer %q may import %q, which no line above it has", l.folder, m)
			}
		}
		if slices.Contains(above, l.folder) {
			t.Errorf("layer %q has two lines", l.folder)
		}
		above = append(above, l.folder)
	}
}

// TestRulesBite breaks each rule in a module made up for it.
func TestRulesBite(t *testing.T) {
	const doc = "// Package p is a tour.\n"
	for _, tt := range []struct{ name, file, src, want string }{
		{"down is fine", "dist/p.go", doc + `package p; import _ "example.org/m/etf"`, ""},
		{"up", "etf/p.go", doc + `package p; import _ "example.org/m"`, `imports example.org/m, but layer "etf" may import nothing of this module`},
		{"sideways", "rpc/x/p.go", doc + `package p; import _ "example.org/m/pg"`, `layer "rpc" may import only etf, .`},
		{"own subfolder", "discovery/dns/p.go", doc + `package p; import _ "example.org/m/discovery"`, ""},
		{"root is not its subfolders", "rpc/p.go", doc + `package p; import _ "example.org/m/discovery"`, "imports example.org/m/discovery"},
		{"other module", "dist/p.go", doc + `package p; import _ "example.com/x"`, "uses the standard library alone"},
		{"other module in a test", "dist/p_test.go", doc + `package p; import _ "example.com/x"`, ""},
		{"other module in discovery", "discovery/p.go", doc + `package p; import _ "example.com/x"`, ""},
		{"kit in code", "p.go", doc + `package p; import _ "example.org/m/internal/simnet"`, "imports example.org/m/internal/simnet"},
		{"kit in a test", "p_test.go", doc + `package p; import _ "example.org/m/internal/simnet"`, ""},
		{"upward test", "etf/p_test.go", doc + `package p; import _ "example.org/m/rpc"`, "imports example.org/m/rpc"},
		{"other system's file", "etf/p_windows.go", doc + `package p; import _ "example.org/m/dist"`, "imports example.org/m/dist"},
		{"unknown folder", "stuff/p.go", doc + "package p", "stuff/: has no line"},
		{"nested module", "bench/p.go", "package p", ""},
		{"testdata", "etf/testdata/p.go", "package p", ""},
		{"no comment", "etf/p.go", "package p", "etf/: no file has a package comment"},
		{"comment of something else", "etf/p.go", "// Copyright.\npackage p", "etf/: no file has a package comment"},
		{"command", "cmd/x/main.go", "// Command x does.\npackage main", ""},
		{"grab bag", "etf/p.go", "// Package util is a bag.\npackage util", "package util says nothing"},
		{"init", "etf/p.go", doc + "package p\nfunc init() {}", "etf/p.go:3: func init"},
		{"method init", "etf/p.go", doc + "package p\ntype T int\nfunc (T) init() {}", ""},
		{"exported variable", "etf/p.go", doc + "package p\nvar Debug, x = true, 1", "exported variable Debug"},
		{"exported error", "etf/p.go", doc + "package p\nvar ErrX error", ""},
		{"constant table", "etf/p.go", doc + "package p\nvar x = []int{1}\nfunc f() int { return x[0] }", ""},
		{"assigned", "etf/p.go", doc + "package p\nvar x int\nfunc f() { x = 1 }", "etf/p.go:4: package variable x is changed"},
		{"assigned into", "etf/p.go", doc + "package p\nvar x map[int]struct{ y []int }\nfunc f() { x[0].y[1]++ }", "variable x is changed"},
		{"deleted from", "etf/p.go", doc + "package p\nvar x map[int]int\nfunc f() { delete(x, 1) }", "variable x is changed"},
		{"pointed at", "etf/p.go", doc + "package p\nvar x int\nfunc f() *int { return &x }", "variable x is changed"},
		{"locked", "etf/p.go", doc + "package p\nimport \"sync\"\nvar x sync.Mutex\nfunc f() { x.Lock() }", "variable x is changed"},
		{"in a closure", "etf/p.go", doc + "package p\nvar x int\nfunc f() { go func() { x += 1 }() }", "variable x is changed"},
		{"local of that name", "etf/p.go", doc + "package p\nvar x = 1\nfunc f() { x := x; x++ }", ""},
		{"field of that name", "etf/p.go", doc + "package p\nvar x = 1\ntype t struct{ x int }\nfunc f(v *t) { v.x++ }", ""},
		{"changed by a test", "etf/p_test.go", doc + "package p\nvar x int\nfunc f() { x = 1 }", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := load(fstest.MapFS{
				"go.mod":       {Data: []byte("module example.org/m\n\ngo 1.26\n")},
				"bench/go.mod": {Data: []byte("module example.org/m/bench\n")},
				tt.file:        {Data: []byte(tt.src)},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := check(m)
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("complains without reason: %q", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("complaints %q, want one with %q", got, tt.want)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"no go.mod":    {"p.go": {Data: []byte("package p")}},
		"no module":    {"go.mod": {Data: []byte("go 1.26\n")}},
		"syntax error": {"go.mod": {Data: []byte("module m\n")}, path.Join("etf", "p.go"): {Data: []byte("package")}},
	} {
		if _, err := load(fsys); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
