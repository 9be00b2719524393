# govisor: `make demo` shows it, `make test` proves it, `make check` is what a change must pass.
SHELL       := /bin/bash
GO          ?= go
GOLANGCI    := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# Where git does not answer (no git, another user's checkout) the binaries do without their commit.
BUILDVCS    := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)
VERSION     ?= $(shell scripts/version.sh)
BUILD        = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags='-s -w -X github.com/govisor/govisor/fvctl.version=$(VERSION)' $(BUILDVCS)
TESTFLAGS   ?= -race -shuffle=on -timeout 20m
FUZZTIME    ?= 20s
EQUIVTIME   ?= 60s
SOAKTIME    ?= 60s

.PHONY: help build man run demo test check lint fuzz bench equivalence soak e2e deps clean

help:
	@echo 'make run          build bin/govisor and bin/fvctl, start govisor in this terminal'
	@echo 'make man          manual pages of fvctl into bin/man'
	@echo 'make demo         two slices on one network, in one terminal, no root needed'
	@echo 'make test         every test, with the race detector; as root also Mininet and Open vSwitch'
	@echo 'make check        format, vet, lint, architecture and unit tests'
	@echo 'make fuzz         every fuzz target for FUZZTIME ($(FUZZTIME)) each'
	@echo 'make bench        benchmarks, then the load generator'
	@echo 'make equivalence  random conversations against dedicated switches for EQUIVTIME ($(EQUIVTIME))'
	@echo 'make soak         many clients change things while switches are connected, and kills, for SOAKTIME ($(SOAKTIME)) each'
	@echo 'make e2e          only the Mininet tests, missing tools are a failure'

build:
	$(BUILD) -o bin/ ./cmd/...

man: build
	mkdir -p bin/man
	bin/fvctl man bin/man

run: build
	bin/govisor serve

demo: build
	bin/govisor demo

deps:
	@scripts/install-deps.sh

test:
	@GO='$(GO)' TESTFLAGS='$(TESTFLAGS)' scripts/test.sh

check: lint
	$(GO) test -shuffle=on -short -run 'TestArchitecture|TestPackageDocs|TestSizes|TestNo' .
	$(GO) test -race -shuffle=on -short $$($(GO) list ./... | grep -v /e2e)

lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt needed: $$out" >&2; exit 1; }
	$(GO) vet ./...
	$(GOLANGCI) run

fuzz:
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

bench: build
	$(GO) test -run '^$$' -bench . -benchmem ./...
	bin/govisor bench compare

equivalence:
	GOVISOR_EQUIVALENCE=$(EQUIVTIME) $(GO) test -count=1 -timeout 2h -run Equivalence -v ./...

soak:
	GOVISOR_SOAK=$(SOAKTIME) $(GO) test -race -count=1 -timeout 2h -run 'TestManyAtOnce|TestKillWhileChanging' -v ./internal/hypervisor ./cmd/govisor

e2e: deps
	GOVISOR_E2E=required $(GO) test -count=1 -timeout 30m -v ./internal/e2e/...

clean:
	rm -rf bin
