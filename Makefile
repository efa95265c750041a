# Every target installs what it needs into .venv.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.venv/made: pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-dev.lock -e '.[dev]'
	@touch .venv/made .venv/program

.venv/program: pyproject.toml requirements-dev.lock
	@echo "installing the program and its stand-in for the service into .venv; nothing else is touched"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check -c requirements-dev.lock -e '.[sandbox]'
	@touch .venv/program

setup: .venv/made ## make .venv with the pinned development tools

demo: .venv/program ## a real import of samples/legacy_cards.csv through the sandbox
	@bash samples/demo.sh

test: setup ## all tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal

lowest: ## the tests at the lowest versions that pyproject.toml declares, in .venv-lowest
	$(PYTHON) -m venv .venv-lowest
	sed -n '/^dependencies/,/^]/p' pyproject.toml | sed -nE 's/^ *"([A-Za-z0-9-]+)>=([0-9.]+)[,"].*/\1==\2/p' \
	  > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet -c .venv-lowest/lowest.txt -e '.[dev]'
	.venv-lowest/bin/python -m pytest -q -n $(WORKERS) --dist worksteal -W default

prove: setup ## the big proofs in full; writes prove.json
	$(BIN)/python -m tests.prove --out prove.json

bench: setup ## beside what people use instead, and against the targets; writes bench.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-dev.lock -c requirements-bench.lock -e '.[bench]'
	$(BIN)/python -m tests.bench --out bench.json $(BENCH)

bench-docs: setup ## the README's performance table from bench.json
	$(BIN)/python -m tests.bench --out bench.json --readme README.md

lint: setup ## ruff, and the format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## rewrite the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only --quiet .

types: setup ## mypy --strict
	$(BIN)/mypy

check: lint types docs-check ## lint, types and generated documentation

docs: setup ## write the generated blocks of README.md
	$(BIN)/python -m tests.readme_blocks

docs-check: setup ## compare the generated blocks of README.md
	$(BIN)/python -m tests.readme_blocks --check

audit: setup ## known vulnerabilities of the dependencies; needs the advisory service
	$(BIN)/pip-audit --skip-editable

samples: setup ## write the files in samples/
	$(BIN)/python -m tests.support.make_samples

lock: ## pin the development tools anew
	rm -rf .venv && $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	$(BIN)/python -m pip freeze --exclude-editable > requirements-dev.lock

dist: setup ## wheel and source archive in dist/
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build

.PHONY: help setup demo test lowest prove bench bench-docs lint format types check docs docs-check audit samples lock dist
.DEFAULT_GOAL := help
