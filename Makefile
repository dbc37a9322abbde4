# Every target does its own set-up: a machine needs Python 3.11+, and either Java 17+ with Maven, or Docker.

.DEFAULT_GOAL := help
.PHONY: help install demo test snapshots properties mutants lint format bench lock clean
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard cpor services schemas tests bench tools)
PYTEST_ARGS ?=
MODULES ?=

help: ## show what can be done here
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## put everything into .venv (does nothing when it is up to date)
	@python=$$(PYTHON="$(PYTHON)" tools/find_python.sh) && "$$python" tools/bootstrap.py $(VENV) requirements.lock

demo: install ## sample claims through their whole way, on real Kafka and S3, in under two minutes
	@$(BIN)/cpor demo

test: install ## the whole test suite (choose with PYTEST_ARGS="-k name")
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

snapshots: install ## accept what the mails say now (look at it first: cpor mail preview)
	@CPOR_WRITE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/unit/notify/test_snapshots.py $(PYTEST_ARGS)

properties: install ## 20,000 worlds at random, in which every invariant must hold (takes half an hour)
	@nice $(BIN)/python -m tests.unit.machine

mutants: ## small faults in the domain, which the tests must see (choose with MODULES="evolve units"; in an environment of its own)
	@python=$$(PYTHON="$(PYTHON)" tools/find_python.sh) && "$$python" tools/bootstrap.py .venv-mutants requirements-mutants.lock
	@nice .venv-mutants/bin/python -m tools.mutants $(MODULES)

lint: install ## style, types, layering, generated files, a test for each rule
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/python -m schemas.generate --check
	@$(BIN)/python -m tools.doc_tables --check
	@$(BIN)/python -m tools.partner_page --check
	@$(BIN)/python -m tools.trace --quiet
	@$(BIN)/python -m tools.catalogue --check

format: install ## bring all files into the project's style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: ## measure intake and review beside a peer (in an environment of its own)
	@python=$$(PYTHON="$(PYTHON)" tools/find_python.sh) && "$$python" tools/bootstrap.py .venv-bench requirements-bench.lock
	@.venv-bench/bin/python -m bench all

lock: install ## choose versions anew and write the lock files
	@tools/lock.sh $(VENV)

clean: ## remove what was installed, built or cached here (the data of `cpor up` in .cpor stays)
	@rm -rf $(VENV) .venv-bench .venv-mutants .mutants .venv*.lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
