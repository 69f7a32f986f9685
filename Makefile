# `make demo` and `make test` are all that a fresh machine with Python 3.11 or later and make needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
SEED ?= 0
WORKERS ?= 2

CONFORMANCE := tests/conformance
PEERS := tests/foreign/.venv
BENCH_PEERS := benchmarks/.venv

.PHONY: demo test lint format bench conformance suite peers clean

demo: $(VENV)/core
	@$(BIN)/learner demo --seed $(SEED)

test: $(VENV)/dev
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev $(PEERS)/.stamp $(BENCH_PEERS)/.stamp
	$(BIN)/python -m benchmarks.relay
	$(BIN)/python -m benchmarks.demo
	$(BIN)/python -m benchmarks.checks
	$(BIN)/python -m benchmarks.worlds
	$(BIN)/python -m benchmarks.ste
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.kill
	$(BIN)/python -m benchmarks.soak
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.privacy

# The suite's verdict through the relay must be the one without it. Needs npm, which installs a Node of its own.
conformance: $(VENV)/dev $(CONFORMANCE)/node_modules/.stamp
	$(BIN)/python -m tests.conformance

# What it needs, for whoever wants the tests that do to run.
suite: $(CONFORMANCE)/node_modules/.stamp

# Clients and servers of others, for the tests that skip themselves without them.
peers: $(PEERS)/.stamp $(CONFORMANCE)/node_modules/.stamp

# The stamps are newer than what they were made from, so that a changed dependency is installed again.
$(VENV)/core: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), with what tests need ..."
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/core

$(BENCH_PEERS)/.stamp: benchmarks/requirements.txt
	@echo "Installing into $(BENCH_PEERS) ..."
	@test -x $(BENCH_PEERS)/bin/python || $(PYTHON) -m venv $(BENCH_PEERS)
	@PIP_CONSTRAINT= PIP_BUILD_CONSTRAINT= $(BENCH_PEERS)/bin/python -m pip install --quiet -r $<
	@touch $@

$(CONFORMANCE)/node_modules/.stamp: $(CONFORMANCE)/package.json $(CONFORMANCE)/package-lock.json
	@echo "Installing into $(CONFORMANCE)/node_modules ..."
	@npm --prefix $(CONFORMANCE) ci --silent --no-audit --no-fund
	@touch $@

# An environment of its own: what these require need not agree with what we require.
$(PEERS)/.stamp: tests/foreign/requirements.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@echo "Installing into $(PEERS) ..."
	@PIP_CONSTRAINT= $(PEERS)/bin/python -m pip install --quiet --requirement $<
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) $(CONFORMANCE)/node_modules build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
