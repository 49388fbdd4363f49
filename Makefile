# `make` alone lists what there is. Every target creates what it needs; repeating one is instant.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all:
GAMELAKE := $(BIN)/gamelake
RUN_READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-dev
STACK_READY := $(VENV)/.ready-stack
ARGS ?=
# Compose v2 where there is one, else docker-compose 1.29.
COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
EVERYTHING := COMPOSE_PROFILES=all,schedule,jobs
GOES := deletes the volumes minio (raw, tables), postgres (runs, branches), dremio, lake (spool, logs)
STAYS := what stays: .env, the image gamelake:local, and lake-stack/ (spool and logs of this machine)
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup

.PHONY: help setup up dremio-setup down logs demo ingest etl run sql status verify check-services simulate \
	check static format format-check lint types imports docs docs-check test test-spark test-integration test-compose test-nightly bench lock clean

help: ## list the targets
	@echo 'make TARGET [ARGS="..."]; for example: make ingest ARGS="--from 2024-01 --to 2024-03"'
	@awk -F ':.*## ' '/^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gamelake needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

# Wheels only, each checked against the hash in the lock; the project itself is linked, not copied.
$(RUN_READY): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): requirements-dev.lock $(RUN_READY)
	$(PIP) --require-hashes --requirement requirements-dev.lock
	@touch $@

# PySpark comes as a source archive alone, and is pure Python.
$(STACK_READY): requirements-stack.lock $(DEV_READY)
	$(PIP) --no-binary pyspark --require-hashes --requirement requirements-stack.lock
	@touch $@

setup: $(DEV_READY) ## create .venv with everything, tools for development included

##@ The stack: MinIO, Nessie, PostgreSQL, Dremio (docs/runbook.md)
up: $(RUN_READY) ## write .env, start the servers, wait, say where everything is
	@$(BIN)/python -m gamelake.stack_env .env
	@$(COMPOSE) build --quiet minio-setup
	@$(COMPOSE) up --detach $(ARGS); $(BIN)/python -m gamelake.stack_wait $$? $(COMPOSE)

dremio-setup: $(RUN_READY) ## sources and documented views in Dremio; make up and etl do it too
	@$(GAMELAKE) dremio-setup $(ARGS)

down: ## stop the servers, data stays; ARGS=--volumes deletes all of it
	@$(if $(filter -v --volumes,$(ARGS)),echo '$(GOES)'; echo '$(STAYS)')
	@$(EVERYTHING) $(COMPOSE) down $(ARGS)

logs: ## what the servers say: make logs ARGS="--follow nessie"
	@$(EVERYTHING) $(COMPOSE) logs --tail 100 $(ARGS)

##@ Use
demo: $(RUN_READY) ## from nothing to five answers: simulated source, no key, no server
	@$(GAMELAKE) demo $(ARGS)

ingest: $(RUN_READY) ## fetch what is new or changed
	@$(GAMELAKE) ingest $(ARGS)

etl: $(RUN_READY) ## build the star and publish it
	@$(GAMELAKE) etl $(ARGS)

run: $(RUN_READY) ## ingest, then etl
	@$(GAMELAKE) run $(ARGS)

sql: $(RUN_READY) ## query the lake: make sql ARGS="'SELECT ...'"; without ARGS a shell
	@$(GAMELAKE) sql $(ARGS)

status: $(RUN_READY) ## where things stand
	@$(GAMELAKE) status $(ARGS)

verify: $(RUN_READY) ## check the lake's invariants on what is stored
	@$(GAMELAKE) verify $(ARGS)

check-services: $(RUN_READY) ## is every configured service up
	@$(GAMELAKE) check-services $(ARGS)

simulate: $(RUN_READY) ## start the RAWG simulator
	@$(GAMELAKE) simulate $(ARGS)

##@ Develop
check: static test ## everything a change must pass that needs no server

static: format-check lint types imports docs-check ## all of it but the tests

format: $(DEV_READY) ## format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix --select I .

format-check: $(DEV_READY)
	@$(BIN)/ruff format --check --quiet .

lint: $(DEV_READY) ## ruff
	@$(BIN)/ruff check --quiet .

types: $(DEV_READY) ## mypy --strict
	@$(BIN)/mypy

imports: $(DEV_READY) ## imports point down
	@$(BIN)/lint-imports --no-cache

docs: $(RUN_READY) ## write the data dictionary from the schemas
	@$(BIN)/python -m gamelake.dictionary docs/data-dictionary.md

docs-check: $(RUN_READY)
	@$(BIN)/python -m gamelake.dictionary --check docs/data-dictionary.md

test: $(DEV_READY) ## the tests: ARGS="-k name" picks some
	@$(PYTEST) -m "not nightly and not stack and not spark and not compose" $(ARGS)

test-spark: $(STACK_READY) ## the tests on Spark that need no server: Java, which it obtains, is enough
	@$(BIN)/python -m testbed install java
	@$(BIN)/python -m pytest -m "spark and not stack and not nightly" $(ARGS)

test-integration: $(STACK_READY) ## the tests on MinIO, Nessie and PostgreSQL, which it obtains and starts
	@$(BIN)/python -m testbed install
	@$(PYTEST) --maxprocesses 4 -m "stack and not nightly" $(ARGS)

test-compose: $(STACK_READY) ## the shipped compose files on a real Docker engine, which it obtains and starts
	@$(BIN)/python -m testbed install
	@$(BIN)/python -m pytest -m compose $(ARGS) tests/compose

test-nightly: $(STACK_READY) ## the long sweeps, on real servers too
	@$(BIN)/python -m testbed install
	@$(PYTEST) --maxprocesses 4 -m nightly $(ARGS)

bench: $(DEV_READY) ## measure: ours, peers and the floor on the same input
	@$(BIN)/python -m bench $(ARGS)

lock: $(DEV_READY) ## resolve the dependencies again (needs pip-tools: PIP_COMPILE=...)
	$(or $(PIP_COMPILE),pip-compile) --quiet --output-file requirements.lock pyproject.toml
	$(or $(PIP_COMPILE),pip-compile) --quiet --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	$(or $(PIP_COMPILE),pip-compile) --quiet --extra dev --extra stack --constraint requirements-dev.lock --output-file requirements-stack.lock pyproject.toml

clean: ## remove the demo lake and caches; .venv and lake/ stay
	rm -rf lake-demo build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
