package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// check returns what is wrong with a module, sorted, one complaint a line.
func check(m *module) []string {
	var all []string
	for _, p := range m.packages {
		all = append(all, m.checkImports(p)...)
		all = append(all, checkComment(p)...)
		all = append(all, checkName(p)...)
		all = append(all, m.checkState(p)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkImports holds a package to its line of the table.
func (m *module) checkImports(p *pkg) []string {
	l, ok := layerOf(p.folder)
	if !ok {
		return []string{fmt.Sprintf("%s/: has no line in internal/archtest/layers.go: add one that says what it may import", p.folder)}
	}
	var bad []string
	for _, f := range p.files {
		for _, imp := range f.imports {
			if folder, ours := m.folderOf(imp); ours {
				isKit := slices.ContainsFunc(kits, func(k string) bool { return within(folder, k) })
				if !l.allows(folder) && !(f.test && isKit) {
					bad = append(bad, fmt.Sprintf("%s: imports %s, but layer %q may import %s: turn the arrow round with a small interface declared here, or move the code to the layer above",
						f.name, imp, l.folder, may(l)))
				}
			} else if l.std && !f.test && !standard(imp) {
				bad = append(bad, fmt.Sprintf("%s: imports %s, but layer %q uses the standard library alone", f.name, imp, l.folder))
			}
		}
	}
	return bad
}

func may(l layer) string {
	if len(l.may) == 0 {
		return "nothing of this module"
	}
	return "only " + strings.Join(l.may, ", ")
}

// checkComment wants the package comment that go doc shows.
func checkComment(p *pkg) []string {
	for _, f := range p.files {
		want := "Package " + strings.TrimSuffix(f.tree.Name.Name, "_test") + " "
		if f.tree.Name.Name == "main" {
			want = "Command "
		}
		if f.tree.Doc != nil && strings.HasPrefix(f.tree.Doc.Text(), want) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s/: no file has a package comment (\"// Package NAME ...\" or \"// Command NAME ...\"): write one in doc.go that is worth reading as a tour", p.folder)}
}

// checkName refuses grab bags.
func checkName(p *pkg) []string {
	for _, f := range p.files {
		if name := strings.TrimSuffix(f.tree.Name.Name, "_test"); slices.Contains(badNames, name) {
			return []string{fmt.Sprintf("%s/: package %s says nothing about what is in it: move each part to the package it serves, or name it after the one concept", p.folder, name)}
		}
	}
	return nil
}
