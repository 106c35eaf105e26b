# The doors to the project: each target installs what it needs, builds and runs. `make help` lists them.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help up test test-long test-setup sanitize lint fuzz bench bundle clean

export JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 30
MODEL ?=
BUNDLE ?=

release := build/release
program := $(release)/meshai
ctest := ctest --output-on-failure --no-tests=error -j $(JOBS)

help:
	@echo 'make up                  build, fetch engine and model, start the node and ask it one question'
	@echo 'make up MODEL=file.gguf  the same with a model of your own as the default'
	@echo 'make up BUNDLE=folder    the same without network, from a folder that make bundle filled'
	@echo 'make test                build, and run every test of the usual round'
	@echo 'make test-long           all of them at full scale, and the set-up in fresh Debian 12 and 13 roots'
	@echo 'make sanitize            unit, simulation and conformance tests under ASan with UBSan, then under TSan'
	@echo 'make lint                clang-tidy over the sources, shellcheck over the scripts'
	@echo 'make fuzz                each fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS)) seconds'
	@echo 'make bench               the measurements, beside haproxy and nginx'
	@echo 'make bundle BUNDLE=dir   packages, engine and model for this release and architecture (build/bundle)'
	@echo 'make clean               remove build/; the engine and the models in the data folder stay'

# A build folder that is there keeps its options, so that `make up` after `make test` builds nothing anew.
up: export MESHAI_BUNDLE := $(abspath $(BUNDLE))
up:
	@$(if $(BUNDLE),tools/setup/bundle check "$(abspath $(BUNDLE))")
	@tools/setup/packages build $(if $(BUNDLE),,model)
	@tools/setup/build $(release) $(if $(wildcard $(release)/build.ninja),,MESHAI_TESTS=OFF) -- meshai
	@tools/setup/engine
	@models/fetch
	@$(if $(MODEL),$(program) models add "$(abspath $(MODEL))" --default)
	@$(program) up

test-setup:
	@tools/setup/packages build model test
	@tools/setup/build $(release) MESHAI_TESTS=ON -- all
	@tools/setup/engine
	@models/fetch

test: test-setup
	@$(ctest) --test-dir $(release) -LE '^(long|bench)$$'

test-long: test-setup
	@tools/setup/packages roots
	@MESHAI_TEST_LONG=1 $(ctest) --test-dir $(release) -LE '^bench$$'

sanitize:
	@tools/setup/packages build model test
	@tools/setup/engine
	@models/fetch
	@tools/setup/build build/asan MESHAI_TESTS=ON MESHAI_SANITIZE=address -- all
	@$(ctest) --test-dir build/asan -L '^(unit|simulation|conformance)$$'
	@tools/setup/build build/tsan MESHAI_TESTS=ON MESHAI_SANITIZE=thread -- all
	@TSAN_OPTIONS=suppressions=$(CURDIR)/test/tsan.supp $(ctest) --test-dir build/tsan -L '^(unit|simulation|conformance)$$'

lint:
	@tools/setup/packages build test lint
	@shellcheck -x $$(git ls-files | xargs grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell')
	@CXX=clang++-19 tools/setup/build build/lint MESHAI_TESTS=ON MESHAI_NO_PCH=ON
	@tools/lint build/lint

fuzz:
	@tools/setup/packages build test fuzz
	@CXX=clang++-19 tools/setup/build build/fuzz MESHAI_TESTS=ON MESHAI_FUZZ=ON -- $(basename $(notdir $(wildcard test/fuzz/fuzz_*.cpp)))
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

bench:
	@tools/setup/packages build model test bench
	@tools/setup/engine
	@models/fetch
	@tools/setup/build $(release) MESHAI_TESTS=ON MESHAI_BENCH=ON -- meshai bench_fake bench_load bench_switch bench_micro
	@tools/setup/rivals build/rivals
	@$(ctest) --test-dir $(release) -L '^bench$$' -j 1 --verbose

bundle:
	@tools/setup/packages build model
	@tools/setup/bundle fill "$(abspath $(or $(BUNDLE),build/bundle))"

clean:
	rm -rf build
