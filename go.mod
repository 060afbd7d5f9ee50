module github.com/truss-beam/truss

go 1.26
