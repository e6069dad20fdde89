# Flash Payouts, task by task. `make` alone says what there is.
# Everything runs in .venv; a stamp beside it says which lock was installed last, and for which
# folder, so that a copied or moved tree gets an environment of its own.

SECONDS ?= 60
ARGS ?=

python := .venv/bin/python
home := $(shell pwd | cksum | cut -d' ' -f1)
runtime := .venv/.runtime-$(home)
dev := .venv/.dev-$(home)
code := app components services models tests
pip_install := PIP_USER=0 $(python) -m pip install --quiet --quiet --progress-bar off --no-input \
	--disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install install-dev run test check lint types format bench soak points damage lock clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(runtime)  ## make .venv; its bin/flash-payouts is the command
install-dev: $(dev)  ## the same, with what tests and checks need

$(python):
	@sh .ci/venv

# Wheels are compiled afterwards on all cores at once, which pip does on one.
$(runtime): requirements.lock pyproject.toml .ci/venv $(python)
	@sh .ci/venv
	@echo "Installing requirements.lock (under a minute)"
	@$(pip_install) --require-hashes -r requirements.lock
	@$(pip_install) --no-deps --no-build-isolation --editable .
	@$(python) -m compileall -q -j 0 .venv/lib || true
	@touch $@
	@echo "Ready: .venv/bin/flash-payouts"

$(dev): requirements-dev.lock $(runtime)
	@echo "Installing requirements-dev.lock"
	@$(pip_install) --require-hashes -r requirements-dev.lock
	@$(python) -m compileall -q -j 0 .venv/lib || true
	@touch $@

run: install  ## the demo, with money moving, on this machine only
	@exec $(python) -m app run-demo $(ARGS)

test: install-dev  ## all tests, on up to four cores; ARGS="-k name" picks some
	@$(python) -m pytest $(or $(ARGS),-n logical --maxprocesses 4 --dist worksteal)

check: lint types test  ## format, lint, types and tests

lint: install-dev  ## format and lint, changing nothing
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .

types: install-dev  ## mypy, strict
	@$(python) -m mypy

format: install-dev  ## format, and mend what lint can mend
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

bench: install-dev  ## measure, beside the machine's own limits
	@$(python) -m tests.load $(ARGS)

soak: install-dev  ## kill it again and again for SECONDS=60
	@$(python) -m tests.crash --seconds $(SECONDS) $(ARGS)

points: install-dev  ## end every story at every commit and call, on both databases
	@$(python) -m tests.crash.points $(ARGS)

damage: install-dev  ## strike what reads strangers' texts a million times
	@$(python) -m tests.damage $(ARGS)

model: install-dev  ## every interleaving on paper, then the real service at random for SECONDS=60
	@$(python) -m tests.model
	@$(python) -m tests.stateful --seconds $(SECONDS) $(ARGS)

lock:  ## renew both lock files; ARGS=--upgrade takes newer versions
	@sh .ci/venv
	@bash .ci/lock $(ARGS)

clean:  ## remove what can be made again; data/ stays
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(code) -name __pycache__ -type d -prune -exec rm -rf {} +
