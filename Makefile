# Locard. `make demo` shows it, `make install` prepares .venv with the `locard` command,
# `make check` is fast and runs before each commit, `make test` is everything.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do command -v $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes
# A parsing worker may write nothing, so that each would compile anew what stands uncompiled. pandas is
# hidden from workers, and the tests of packages are not theirs.
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/(pandas|pip|setuptools|tests?)/'
SOURCES := $(shell find src web -name node_modules -prune -o -path src/locard/web -prune -o -type f -print 2>/dev/null)

.PHONY: help install demo demo-respond serve check test fix docs golden bench lock clean system

help: ## This list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: .make/bytecode ## Prepare .venv with the `locard` command.

demo: .make/bytecode ## Write the simulated incident, add it as a case, serve it on loopback.
	@$(BIN)/locard demo

demo-respond: .make/demo ## Start a simulated account under attack, and serve the page to respond in.
	@$(BIN)/locard demo respond

serve: .make/bytecode ## Serve the page on loopback.
	@$(BIN)/locard serve

.venv/bin/uv: requirements/uv.lock.txt
	@scripts/make-venv "$(PYTHON)"
	@touch $@

.make/install: .venv/bin/uv requirements/run.lock.txt requirements/build.lock.txt pyproject.toml hatch_build.py web/package-lock.json $(filter web/%,$(SOURCES))
	@mkdir -p .make
	$(PIP) -r requirements/run.lock.txt -r requirements/build.lock.txt
	$(BIN)/python hatch_build.py
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps -e .
	-$(COMPILE) .venv/lib
	@touch $@

.make/bytecode: .make/install $(filter %.py,$(SOURCES))
	$(COMPILE) src
	@touch $@

.make/demo: .make/bytecode requirements/demo.lock.txt
	$(PIP) -r requirements/demo.lock.txt
	@touch $@

.make/dev: .make/bytecode requirements/dev.lock.txt
	$(PIP) -r requirements/dev.lock.txt -r requirements/build.lock.txt
	@touch $@

.make/system: scripts/install-system
	@mkdir -p .make
	@scripts/install-system
	@touch $@

check: .make/dev ## Format, lint, types, layers, fast tests and the page's own checks.
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -x -n 2 -m "not evidence and not browser and not server"
	scripts/npm run check

test: .make/dev .make/system ## Everything, the browser included.
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports
	scripts/npm run check
	$(BIN)/python -m pytest -n 2

fix: .make/dev ## Format and mend what can be mended by itself.
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench
	scripts/npm run format

# Once installed, nothing is built first: the page may not build before its types are written.
docs: $(if $(wildcard .make/dev),,.make/dev) ## Write the generated reference, openapi.json and the page's types again.
	$(BIN)/python -m locard.api.openapi > .make/openapi.json
	mv .make/openapi.json openapi.json
	scripts/npm run types
	$(BIN)/python scripts/reference.py

golden: .make/dev ## Write the expected rows of all parser samples again; then read the diff.
	$(BIN)/python -m tests.contracts.golden

bench: .make/dev ## The benchmarks, each beside its floor or peer (long).
	$(BIN)/python bench/ingest_cloudtrail.py
	$(BIN)/python bench/search.py
	$(BIN)/python bench/custody.py
	$(BIN)/python bench/disk_image.py
	$(BIN)/python bench/alert.py

lock: .venv/bin/uv ## Resolve the dependencies again into hashed lock files that name no host.
	@scripts/lock

clean: ## Remove what was built and installed here. Evidence in LOCARD_HOME stays.
	rm -rf .venv .make src/locard/web web/node_modules
