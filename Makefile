# make help shows every target.
PYTHON ?= python3
SECONDS ?= 60
AIR ?= 300
WALKS ?= 100000
STREAMS ?= 10000000
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check fix laws walks e2e air long bench fuzz docs lock clean

help: ## Show this list
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime ## A gateway and a fictional town for a minute (SECONDS=0: until Ctrl-C)
	@$(BIN)/sekisho demo --seconds $(SECONDS)

test: $(VENV)/.dev check ## Everything CI runs: checks, then all tests beside each other (WORKERS=n), with counts and seconds per sort
	@$(PYTEST) -m air > $(VENV)/air.log 2>&1 & air=$$!; trap "kill $$air" INT TERM; \
	$(PYTEST) -m "not air"; rest=$$?; wait $$air; ended=$$?; \
	echo "and beside them, in simulated air:"; cat $(VENV)/air.log; exit $$((rest + ended))

check: $(VENV)/.dev ## Format, lint, types, import contracts, spelling
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && echo "ruff      ok"
	@$(BIN)/mypy --no-error-summary && echo "mypy      ok"
	@$(BIN)/lint-imports --no-logo > $(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }; tail -n 1 $(VENV)/imports.log
	@$(BIN)/codespell && echo "codespell ok"

fix: $(VENV)/.dev ## Format, and repair what the linter can
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --fix .

laws: $(VENV)/.dev ## The laws alone, with a thousand examples each
	@$(PYTEST) tests/laws --hypothesis-profile explore

walks: $(VENV)/.dev ## A hundred thousand random walks with drift against the recommended rules (WALKS=n)
	@SEKISHO_WALKS=$(WALKS) $(PYTEST) tests/laws/test_channel_laws.py -k walk --timeout 600

e2e: $(VENV)/.dev ## Real processes and sockets alone
	@$(PYTEST) tests/e2e

bench: $(VENV)/.dev ## CPU per million durable, masked uplinks beside other designs; latency; many connections
	@$(BIN)/python -m benchmarks.intake
	@$(BIN)/python -m benchmarks.clients
	@$(BIN)/python -m benchmarks.calm
	@$(BIN)/python -m benchmarks.latency
	@$(BIN)/python -m benchmarks.lorawan
	@$(BIN)/python -m benchmarks.forwarders
	@$(BIN)/python -m benchmarks.radio
	@$(BIN)/python -m benchmarks.scan
	@$(BIN)/python -m benchmarks.releases

month: $(VENV)/.runtime ## A month of the town as fast as it goes, reconciled to the row (two to three minutes)
	@$(BIN)/sekisho demo --days 30 --folder .month

air: $(VENV)/.dev ## 300 LoRaWAN nodes for five minutes, over UDP and as Basics Stations, kills among them (AIR=seconds)
	@SEKISHO_AIR_S=$(AIR) $(PYTEST) tests/e2e/test_lorawan_air.py

long: laws walks bench month air fuzz ## The long forms: a thousand examples a law, a hundred thousand walks, the benchmark, a month, five minutes of radio, ten million harmed streams

fuzz: $(VENV)/.dev ## Ten million harmed MQTT streams, and as many frames and messages of forwarders (STREAMS=n)
	@$(BIN)/python -m tests.fuzz_mqtt --streams $(STREAMS)
	@$(BIN)/python -m tests.fuzz_radio --inputs $(STREAMS)

docs: $(VENV)/.dev ## Write the generated pages anew (kinds, schemas, formats, rules)
	@$(BIN)/python -m tools.describe_kinds
	@$(BIN)/python -m tools.describe_formats
	@$(BIN)/python -m tools.describe_rules
	@$(BIN)/python -m tools.describe_channels

lock: ## Renew the lock files (needs uv)
	@tools/lock.sh

clean: ## Remove environment, demo and caches
	@rm -rf $(VENV) .demo .month .replay .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sekisho needs Python 3.11 or newer, as python3 or as PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); echo "python3 cannot make an environment. On Debian: sudo apt install python3-venv"; exit 1; }

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing (once) ..."
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing what the tests need (once) ..."
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
