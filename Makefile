# make alone prints this help; `make demo` and `make test` do all their own set-up.
.DEFAULT_GOAL := help
.PHONY: help demo docker-demo faults test check reference clean
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

help: ## this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "alpesctl needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(VENV)/bin/pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# The first argument is the command that brings the stack up; the rest is the same on both runtimes.
define run_demo
	$(1)
	@verdict=0; \
	for scenario in performance availability; do \
	    $(VENV)/bin/alpesctl scenario $$scenario || { code=$$?; [ $$verdict = 1 ] || verdict=$$code; }; \
	done; \
	for command in stats 'report --last 2' addresses; do \
	    $(VENV)/bin/alpesctl $$command || { code=$$?; [ $$verdict != 0 ] || verdict=$$code; }; \
	done; \
	$(VENV)/bin/python scenarios/cost.py || { code=$$?; [ $$verdict != 0 ] || verdict=$$code; }; \
	exit $$verdict
endef

demo: export ALPES_RUNTIME ?= local
demo: $(STAMP) ## the stack up, both scenarios with parts killed, the proof, a report, what a post costs; leaves the stack up
	$(call run_demo,$(VENV)/bin/alpesctl up)

docker-demo: export ALPES_RUNTIME = docker
docker-demo: $(STAMP) ## the same on containers; images are pulled, or built here where none can be pulled
	@$(VENV)/bin/alpesctl images list >/dev/null
	$(call run_demo,@if $(VENV)/bin/alpesctl images pull; then $(VENV)/bin/alpesctl up --build --no-stand-ins; \
	    else echo "no registry within reach: stand-ins are built here" >&2; $(VENV)/bin/alpesctl up --build --stand-ins; fi)

faults: $(STAMP) ## the fault matrix: every part killed, stopped, paused, restarted; about 20 minutes
	$(VENV)/bin/alpesctl up
	$(VENV)/bin/alpesctl scenario run $(basename $(notdir $(wildcard scenarios/faults-*.toml)))

test: $(STAMP) ## all tests, on a stack of their own with real Pulsar, PostgreSQL and nginx
	$(VENV)/bin/python -m pytest -n 2

check: $(STAMP) ## formatting, lint, types, layers
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

reference: $(STAMP) ## write docs/commands.md, the command reference, from the command line itself
	$(VENV)/bin/python docs/commands.py

clean: ## stop the stack, delete its data and the environment
	@! test -x $(VENV)/bin/alpesctl || $(VENV)/bin/alpesctl down --volumes --yes
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
