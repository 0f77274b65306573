# Everything runs in .venv, which the first target that needs it sets up. `make help` lists the targets; they are short
# names for a few commands of `.venv/bin/sluice`, which does the rest: `sluice run DOMAIN` runs one domain.

PYTHON ?= python3
DOMAINS ?=
# Processes that run tests (more than cores: those of Airflow wait a lot), and further options for pytest:
# make test WORKERS=4 ARGS="-k publish"
WORKERS ?= 3
ARGS ?=

PY := .venv/bin/python
SLUICE := .venv/bin/sluice
UV := .venv/bin/uv
# As pip does: a company's proxy has a certificate that only the system knows.
export UV_SYSTEM_CERTS ?= true
# And from the index that pip is told of.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
# Without a network: a folder with the packages, see docs/settings.md.
ifdef WHEELS
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(abspath $(WHEELS))
export UV_NO_INDEX := true
export UV_FIND_LINKS := $(abspath $(WHEELS))
endif
# The requirements that were installed last. Their content decides whether to install again: dates of
# files change with every checkout. An interrupted set-up leaves no such file and is done again.
INSTALLED := .venv/installed-requirements.txt
ifneq ($(shell cmp requirements.txt $(INSTALLED) 2>&1),)
.PHONY: $(INSTALLED)
endif

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup env run test-fast test test-all run-tests lint lint-python lint-sql preview airflow dashboard docs bench samples lock clean

help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | while IFS='	' read -r target text; do \
		printf '  make %-9s %s\n' "$$target" "$$text"; done

setup: $(INSTALLED) ## Make .venv with the locked requirements and the command sluice (PYTHON=python3.12 chooses the interpreter, WHEELS=folder needs no network)

$(INSTALLED):
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Name a Python 3.11, 3.12 or 3.13: make setup PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Sluice needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
		echo "Name another: make setup PYTHON=python3.12"; exit 1; }
	@rm -f $@
	@echo "Setting up .venv ($$($(PYTHON) -V), $$(grep -c '^[^ ]*==' requirements.txt) packages) …"
	@$(PYTHON) -m venv .venv
	@awk '/^uv==/ {uv = 1} uv {print} uv && !/\\$$/ {exit}' requirements.txt >.venv/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	@# Compiled once: where Python may not keep what it compiles, every start of dbt or Airflow took twice as long.
	@$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(PY) requirements.txt
	@# In place, and without a network: what builds it is among the requirements.
	@$(UV) pip install --quiet --offline --no-deps --no-build-isolation --python $(PY) --editable .
	@cp requirements.txt $@

run: setup ## Run every pipeline in Airflow, from input to published marts; makes sample input if there is none
	@$(SLUICE) samples --if-empty
	@$(SLUICE) airflow run

preview: setup ## Show what a change of the models does to the published data: make preview DOMAINS=ecommerce
	@$(SLUICE) preview $(DOMAINS)

airflow: setup ## Start Airflow and its UI until Ctrl-C
	@$(SLUICE) airflow start

dashboard: setup ## Serve the dashboard of what is published, until Ctrl-C
	@$(SLUICE) dashboard

docs: setup ## Generate the documentation of the models and serve it
	@$(SLUICE) docs

samples: setup ## Write sample input for every domain
	@$(SLUICE) samples

# The first leaves out what takes more than 10 seconds, the second what takes minutes and servers of its own.
test-fast: MARKS = -m "not slow and not long"
test: MARKS = -m "not long"
test-fast: run-tests ## Run the tests for daily work, without Airflow
test: run-tests ## Run the tests: make test ARGS="-k publish"
test-all: run-tests ## Run all tests, also those of every DAG under Airflow, of the deployment and of Spark

run-tests: setup
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(MARKS) $(ARGS)

lint: setup ## Check Python and SQL: rules and format
	@status=0; \
	$(MAKE) lint-python || status=1; \
	$(MAKE) lint-sql || status=1; \
	exit $$status

# Every check runs, also after one that failed.
lint-python: setup
	@status=0; \
	$(PY) -m ruff check --quiet || status=1; \
	$(PY) -m ruff format --check || status=1; \
	.venv/bin/lint-imports >$(INSTALLED:.txt=.imports) || { cat $(INSTALLED:.txt=.imports); status=1; }; \
	$(PY) -m mypy --no-error-summary || status=1; \
	$(SLUICE) generate --check >$(INSTALLED:.txt=.generated) || { cat $(INSTALLED:.txt=.generated); status=1; }; \
	exit $$status

# sqlfluff has dbt compile the models, and dbt opens a warehouse: an empty one, so that the check neither
# waits for a run that writes to the real one nor depends on what it holds.
lint-sql: setup
	@mkdir -p .venv/lint/warehouse
	@SLUICE_DATA_DIR=$(CURDIR)/.venv/lint $(PY) -m sqlfluff lint --disable-progress-bar dbt_project

bench: setup ## Take the measurements
	@$(PY) -m bench

env: ## Write .env, the secrets that docker compose needs, once
	@sh deployment/env.sh

lock: setup ## Lock requirements.in into requirements.txt; versions that still fit stay
	@$(UV) pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate requirements.in -o requirements.txt

clean: ## Remove .venv and what tools leave behind; data/ stays
	@rm -rf .venv *.egg-info .pytest_cache .ruff_cache dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
