package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// checkState looks for state that belongs to a package instead of a value.
func (m *module) checkState(p *pkg) []string {
	var bad []string
	complain := func(at token.Pos, id, what string) {
		if _, excused := state[p.folder+"."+id]; !excused {
			pos := m.files.Position(at)
			bad = append(bad, fmt.Sprintf("%s:%d: %s", pos.Filename, pos.Line, what))
		}
	}
	var code []*ast.File
	for _, f := range p.files {
		if f.test {
			continue
		}
		code = append(code, f.tree)
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					complain(d.Pos(), "init", "func init: do it in the constructor of the value that needs it")
				}
			case *ast.GenDecl:
				for _, id := range variables(d) {
					if id.IsExported() && !isErrorName(id) {
						complain(id.Pos(), id.Name, fmt.Sprintf("exported variable %s: anybody can change it for everybody; make it a function, a constant or a Config field", id.Name))
					}
				}
			}
		}
	}
	for _, c := range m.changes(code) {
		complain(c.Pos(), c.Name, fmt.Sprintf("package variable %s is changed here: make it a field of the value it serves (two nodes in one program must not share it)", c.Name))
	}
	return bad
}

// isErrorName says whether a variable is named as error values are.
func isErrorName(id *ast.Ident) bool { return strings.HasPrefix(id.Name, "Err") }

// variables returns the names a declaration makes, if it is one of variables.
func variables(d *ast.GenDecl) []*ast.Ident {
	if d.Tok != token.VAR {
		return nil
	}
	var ids []*ast.Ident
	for _, spec := range d.Specs {
		ids = append(ids, spec.(*ast.ValueSpec).Names...)
	}
	return ids
}

// changes returns every use of a package variable that changes it: assignment to
// it or into it, ++ and --, delete, clear, taking its address, and sending its
// like through a pointer method (mu.Lock, pool.Get). The types are needed only
// to tell a package variable from a local one of the same name, so imports are
// not resolved and type errors not minded.
func (m *module) changes(code []*ast.File) []*ast.Ident {
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	conf := types.Config{Error: func(error) {}, Importer: nothing{}, DisableUnusedImportCheck: true}
	p, _ := conf.Check("p", m.files, code, info)
	var found []*ast.Ident
	add := func(x ast.Expr) {
		id := root(x)
		if v, ok := info.Uses[id].(*types.Var); ok && p != nil && v.Parent() == p.Scope() {
			found = append(found, id)
		}
	}
	for _, f := range code {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				ast.Inspect(fn.Body, func(n ast.Node) bool { eachChanged(n, add); return true })
			}
		}
	}
	return found
}

// eachChanged calls f for what one node of the tree changes.
func eachChanged(n ast.Node, f func(ast.Expr)) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, x := range n.Lhs {
				f(x)
			}
		}
	case *ast.IncDecStmt:
		f(n.X)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			f(n.X)
		}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			f(n.Key)
			f(n.Value)
		}
	case *ast.CallExpr:
		switch fun := n.Fun.(type) {
		case *ast.Ident:
			if (fun.Name == "delete" || fun.Name == "clear") && len(n.Args) > 0 {
				f(n.Args[0])
			}
		case *ast.SelectorExpr:
			if mutators[fun.Sel.Name] {
				f(fun.X)
			}
		}
	}
}

// mutators are the methods of sync and sync/atomic that change their receiver.
var mutators = map[string]bool{
	"Lock": true, "RLock": true, "TryLock": true, "Do": true, "Go": true, "Add": true, "Store": true, "Swap": true,
	"CompareAndSwap": true, "LoadOrStore": true, "LoadAndDelete": true, "Put": true,
}

// root strips indexes, fields, and parentheses down to the variable.
func root(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.IndexExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.SliceExpr:
			x = e.X
		default:
			return nil
		}
	}
}

// nothing imports no package.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	return nil, fmt.Errorf("%s is not looked at", path)
}
