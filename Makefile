# Every target is one script or one go command; `make help` lists them.
# TRUSS_INTEROP=require turns a missing Erlang/OTP from a loud note into a failure.

.DEFAULT_GOAL := help
.PHONY: help test unit interop check fuzz bench cover golden peers

FUZZTIME ?= 5s

help: ## Print these sentences.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## Vet, then every test: the unit tests, and those against the real Erlang/OTP releases this machine has or can install.
	@scripts/test.sh unit interop

unit: ## Only the tests that need nothing but Go (about a minute).
	@scripts/test.sh unit

interop: ## Only the tests against real Erlang/OTP.
	@scripts/test.sh interop

check: ## What needs no run: gofmt, vet, staticcheck, tidy modules, and builds for macOS, Windows and 32 bits.
	@scripts/check.sh

fuzz: ## Run every fuzz target for FUZZTIME (5s each unless told otherwise).
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## Run every benchmark ten times, which shows that it works and not how fast it is.
	@scripts/bench.sh

cover: ## Write cover.out and print the coverage of each package's own tests and the whole.
	@go test -coverprofile=cover.out $$(scripts/packages.sh unit)
	@go tool cover -func=cover.out | tail -n 1

golden: ## Record the golden files again, from the Erlang and Elixir on PATH; read the diff before you commit it.
	@scripts/golden.sh

peers: ## Set up the Erlang/OTP releases of the support matrix (as root on Debian) and list them.
	@scripts/peers.sh
