module github.com/truss-beam/truss/bench/ergo2

go 1.26.0

require (
	github.com/ergo-services/ergo v1.999.224
	github.com/truss-beam/truss/bench v0.0.0
)

replace (
	github.com/truss-beam/truss => ../../
	github.com/truss-beam/truss/bench => ../
)
