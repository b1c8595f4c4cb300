# Everything a fresh machine needs is Python >= 3.11, make and git. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Two small cores: threads that wait for each other cost more than they give.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "loanwatch needs Python 3.11 or newer: make PYTHON=/path/to/python3")'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# A stamp for each set of requirements; the package itself is installed in place.
$(VENV)/runtime: requirements/runtime.lock pyproject.toml | $(VENV)/python
	@echo "installing the locked requirements into $(VENV) (about a minute the first time)"
	@$(PIP) install --require-hashes -r requirements/runtime.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/dev: requirements/dev.lock $(VENV)/runtime
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

.PHONY: install
install: $(VENV)/runtime  ## Install loanwatch and its locked requirements into .venv

.PHONY: demo
demo: $(VENV)/runtime  ## Simulate a lender's year and run the pipeline month by month
	@$(BIN)/loanwatch demo

.PHONY: lint
lint: $(VENV)/dev  ## Check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: test
test: lint  ## Lint, type-check, and run unit tests, integration tests and doctests
	@$(BIN)/pytest -q -n 2 -m "not deep"

DEEP ?= tests/unit tests/integration tests/acceptance

.PHONY: test-deep
test-deep: $(VENV)/dev  ## Run the long checks: acceptance, kill tests, false alarms and power
	@$(BIN)/pytest -q -n 2 -m deep $(DEEP)

# Airflow's environment is its own: its pins and loanwatch's tools do not mix. The locks are complete, so pip resolves nothing.
AIRFLOW_VENV := .venv-airflow
AIRFLOW_BIN := $(AIRFLOW_VENV)/bin

$(AIRFLOW_VENV)/installed: requirements/airflow-test.lock pyproject.toml
	@$(PYTHON) -m venv $(AIRFLOW_VENV)
	@echo "installing Airflow into $(AIRFLOW_VENV) (about two minutes the first time)"
	@$(AIRFLOW_BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --require-hashes -r requirements/airflow-test.lock
	@$(AIRFLOW_BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: airflow
airflow: $(AIRFLOW_VENV)/installed  ## Airflow and the services on this machine, until Ctrl-C (EXECUTOR=celery)
	@exec $(AIRFLOW_BIN)/python -m loanwatch.orchestration.local

.PHONY: test-airflow
test-airflow: $(AIRFLOW_VENV)/installed  ## Test the DAGs on a real Airflow, LocalExecutor and Celery
	@scripts/install-redis.sh
	@OMP_NUM_THREADS=1 $(AIRFLOW_BIN)/python -m pytest -q -c tests/airflow/pytest.ini --rootdir=tests/airflow tests/airflow

.PHONY: lint-containers
lint-containers: $(VENV)/dev  ## Lint the Dockerfile and, where docker is installed, check compose.yaml
	@$(BIN)/hadolint Dockerfile
	@if docker compose version >/dev/null 2>&1; then docker compose config -q; else echo "no docker compose here: compose.yaml is not checked"; fi

.PHONY: compose-test
compose-test: $(VENV)/dev  ## Bring the stack up on the Docker engine, run it once, take it down
	@LOANWATCH_COMPOSE_TEST=1 $(BIN)/pytest -q --timeout 1200 tests/compose

.PHONY: lock
lock: $(VENV)/python  ## Lock the requirements anew
	@$(PIP) install uv
	@for set in "runtime --extra object-store --group build" "airflow --extra airflow --extra object-store --group build" \
	    "airflow-test --extra airflow --extra object-store --group airflow-test --group build" \
	    "dev --extra object-store --group dev --group build"; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" $${set#* } pyproject.toml -o requirements/$${set%% *}.lock; done

.PHONY: clean
clean:  ## Stop the embedded server and remove .venv, caches and demo data
	@for home in .loanwatch .loanwatch/demo; do \
	  if [ -x $(BIN)/loanwatch ] && [ -d $$home ]; then $(BIN)/loanwatch --home $$home db stop || true; fi; done
	@rm -rf $(VENV) $(AIRFLOW_VENV) .loanwatch .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
