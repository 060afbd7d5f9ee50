module github.com/truss-beam/truss/bench/ergo3

go 1.26.0

require (
	ergo.services/ergo v1.999.310
	github.com/truss-beam/truss/bench v0.0.0
)

replace (
	ergo.services/ergo => github.com/ergo-services/ergo v1.999.310
	github.com/truss-beam/truss => ../../
	github.com/truss-beam/truss/bench => ../
)
