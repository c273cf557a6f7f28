# `make demo` and `make test` set up everything they need in .venv: only Python >= 3.11, git and make are asked for.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# No settings of the caller's Python may leak into ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEMO := examples/wedge_sim
PYTEST := $(BIN)/python -m pytest
PARALLEL := --numprocesses=2

.PHONY: help setup demo test soak bench lint types format docs clean

help: ## list the targets
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-8s %s\n", $$1, $$2 }'

setup: $(INSTALLED) ## create .venv with topcook (editable) and the tools in it

# A stamp: set up again only when the project file changes.
$(INSTALLED): pyproject.toml tools/setup_venv.sh
	@sh tools/setup_venv.sh "$(VENV)"
	@touch $@

demo: $(INSTALLED) ## list the schedulers, cook examples/wedge_sim, name the picture it made
	@sh tools/demo.sh "$(BIN)" "$(DEMO)"

test: $(INSTALLED) ## run the core tests (with CI=true in the environment: every tier but soak)
	$(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

soak: $(INSTALLED) ## run the long tests, hours of cooking
	@# pytest's exit status 5 says that no test was chosen: there may be no soak test in this checkout.
	@$(PYTEST) -m soak --timeout=0 $(PYTEST_ARGS) || { test $$? -eq 5 && echo "no soak tests here"; }

bench: $(INSTALLED) ## run the benchmarks
	$(BIN)/python -m benchmarks

lint: $(INSTALLED) ## ruff: check and format check
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED) ## mypy, strict
	$(BIN)/mypy

format: $(INSTALLED) ## let ruff fix and lay out the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(INSTALLED) ## write the pages of docs/ that are read off the code
	$(BIN)/python tools/render_docs.py

clean: ## remove .venv, caches and what the examples made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist examples/*/work
