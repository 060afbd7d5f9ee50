package archtest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// module is the parsed source of one Go module.
type module struct {
	path     string
	files    *token.FileSet
	packages map[string]*pkg // by folder
}

// pkg is one folder's files.
type pkg struct {
	folder string
	files  []file
}

type file struct {
	name    string // from the module root
	test    bool
	imports []string
	tree    *ast.File
}

// load parses every package of the module whose root is fsys.
func load(fsys fs.FS) (*module, error) {
	mod := &module{files: token.NewFileSet(), packages: make(map[string]*pkg)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && skipped(fsys, name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		return mod.add(fsys, name)
	})
	if err != nil {
		return nil, err
	}
	mod.path, err = modulePath(fsys)
	return mod, err
}

// skipped says whether the go command would leave a folder out of this module.
func skipped(fsys fs.FS, name string) bool {
	base := path.Base(name)
	if base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_' {
		return true
	}
	_, err := fs.Stat(fsys, path.Join(name, "go.mod"))
	return err == nil
}

func (m *module) add(fsys fs.FS, name string) error {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	tree, err := parser.ParseFile(m.files, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := file{name: name, test: strings.HasSuffix(name, "_test.go"), tree: tree}
	for _, spec := range tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		f.imports = append(f.imports, p)
	}
	folder := path.Dir(name)
	if m.packages[folder] == nil {
		m.packages[folder] = &pkg{folder: folder}
	}
	m.packages[folder].files = append(m.packages[folder].files, f)
	return nil
}

func modulePath(fsys fs.FS) (string, error) {
	src, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return "", err
	}
	for lines := bufio.NewScanner(bytes.NewReader(src)); lines.Scan(); {
		if p, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(p), nil
		}
	}
	return "", errors.New("go.mod names no module")
}

// folderOf returns the folder of this module an import path stands for.
func (m *module) folderOf(importPath string) (string, bool) {
	if importPath == m.path {
		return ".", true
	}
	return strings.CutPrefix(importPath, m.path+"/")
}

// standard says whether an import path is the standard library's: those have
// no dot in their first element.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
