# `make` alone prints this help. Everything sets itself up on first use; the second run does no set-up again.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .tools/uv/bin/uv
READY := $(VENV)/.ready
JARS := $(VENV)/.jars

.PHONY: help setup demo test unit scenarios check fmt up down bench faults wheel lock scan what-if bundle-validate deploy

help: ## print this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(READY) ## install Python 3.13 if there is none, and the pinned packages into .venv

# Any Python 3 that runs will do to fetch uv, which then finds or fetches Python 3.13.
$(UV):
	@for python in $(PYTHON) python3.13 python3.12 /usr/bin/python3 python; do \
	  $$python -c 'import ensurepip, venv' 2>/dev/null || continue; \
	  $$python -m venv .tools/uv && .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==0.13.9" && exit 0; \
	done; echo "no Python 3 here can make a virtual environment: on Debian, 'apt install python3-venv' brings what is missing" >&2; exit 1

$(READY): pyproject.toml requirements-dev.lock | $(UV)
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python 3.13 $(VENV)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .
	@touch $@

# Delta's jars for JVM Spark, once; without a Java the tests say themselves what is skipped.
$(JARS): $(READY)
	@java -version 2>/dev/null && $(BIN)/python -m sparkjobs.storage.jars; touch $@

demo: $(READY) ## settle a month on this machine, from the HTTP call to the post office
	@$(BIN)/python -m local demo

up: $(READY) ## start the local stack (STACK_DIR, default .local)
	@$(BIN)/python -m local up

down: $(READY) ## end the local stack
	@$(BIN)/python -m local down

test: $(READY) $(JARS) ## every test, Spark on Sail and again on JVM Spark
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

unit: $(READY) ## the unit tests: seconds
	@$(BIN)/python -m pytest tests/unit

scenarios: $(READY) $(JARS) ## the worked calculations and their like
	@$(BIN)/python -m pytest -n 2 --dist loadfile tests/scenarios

check: $(READY) ## format, lint, types, imports, dead links
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest tests/architecture

fmt: $(READY) ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) $(JARS) ## measure; writes docs/performance.md
	@$(BIN)/python -m bench

faults: $(READY) ## break the local stack 2 000 times and look that nothing is lost
	@$(BIN)/python -m tests.faults

wheel: $(READY) ## the wheel that Databricks installs
	@$(UV) build --quiet --wheel

lock: $(UV) ## pin every package again, after a change of pyproject.toml
	@$(UV) pip compile --quiet --universal --python-version 3.13 --group dev --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock pyproject.toml
	@$(UV) pip compile --quiet --universal --python-version 3.13 --group app \
	  --no-emit-index-url --no-header --no-annotate -o requirements.txt pyproject.toml

scan: $(READY) ## known holes in dependencies, secrets in the repository
	@$(BIN)/pip-audit --require-hashes --disable-pip --requirement requirements-dev.lock
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

ENVIRONMENT ?= dev
what-if: ## what a deployment would change (ENVIRONMENT, LOCATION, ENTRA_AUDIENCE; needs az)
	@az deployment sub what-if --location "$(LOCATION)" --template-file bicep/main.bicep \
	  --parameters @bicep/parameters/$(ENVIRONMENT).json location="$(LOCATION)" entraAudience="$(ENTRA_AUDIENCE)"

bundle-validate: $(READY) ## whether the Databricks bundle is valid (ENVIRONMENT; needs databricks)
	@cd sparkjobs && databricks bundle validate --target $(ENVIRONMENT)

deploy: $(READY) ## into Azure (ENVIRONMENT; needs azd, az, databricks)
	@azd env select $(ENVIRONMENT) 2>/dev/null || azd env new $(ENVIRONMENT) --no-prompt
	@azd env set BUNDLE_TARGET $(ENVIRONMENT)
	@azd up --no-prompt
