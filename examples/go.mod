module github.com/truss-beam/truss/examples

go 1.26.0

require github.com/truss-beam/truss v0.0.0

require (
	github.com/miekg/dns v1.1.73 // indirect
	golang.org/x/net v0.57.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/truss-beam/truss => ../
