# The commands of the project. Each says what it does, and doing it twice does no harm.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test bench fuzz model evaluate lint lock

PYTHON := .venv/bin/python
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

# Runs a part of the project that is a folder with a __main__.py, or says that it is not there yet.
define part
if [ -f $(1)/__main__.py ]; then $(PYTHON) $(1) $(2); \
else echo "make $@: $(1) is not part of the project yet" >&2; exit 2; fi
endef

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Install system packages where missing, and .venv with the mailwarden command.
	@deploy/setup.sh run

run: setup ## Start a trial gateway, send it instructive letters, show what became of them and who was told.
	@exec $(PYTHON) deploy/trial

test: ## Install what the tests need and run all of them (ARGS="-k name" to choose).
	@deploy/setup.sh test
	$(PYTHON) -m pytest --numprocesses auto --dist loadscope $(ARGS)

bench: ## Measure speed and memory.
	@deploy/setup.sh bench
	@$(call part,tests/bench,$(ARGS))

fuzz: ## Throw strange bytes at the parsers and sessions for a long time.
	@deploy/setup.sh test
	@$(call part,tests/fuzz,$(ARGS))

model: ## Train the embedded classifiers on a labelled corpus: make model CORPUS=DIR.
	@[ -d "$(CORPUS)" ] || { echo "usage: make model CORPUS=DIR" >&2; exit 2; }
	@deploy/setup.sh test
	@$(call part,deploy/model,"$(CORPUS)" $(ARGS))

evaluate: ## Score the filters on a labelled corpus: make evaluate CORPUS=DIR.
	@[ -d "$(CORPUS)" ] || { echo "usage: make evaluate CORPUS=DIR" >&2; exit 2; }
	@deploy/setup.sh test
	@$(call part,tests/evaluate,"$(CORPUS)" $(ARGS))

lint: ## Check style, types and the direction of imports.
	@deploy/setup.sh test
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

lock: ## Write the lock files anew from pyproject.toml, with the newest versions that it allows.
	@deploy/setup.sh test
	@[ -x .venv/bin/uv ] || $(PYTHON) -m pip install --quiet uv
	printf 'hatchling\neditables\nsetuptools\nwheel\n' | $(LOCK) --upgrade --output-file requirements-build.lock -
	$(LOCK) --upgrade --output-file requirements.lock pyproject.toml
	$(LOCK) --upgrade --constraint requirements.lock --group dev --output-file requirements-dev.lock pyproject.toml
