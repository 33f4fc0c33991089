# Moneta. On a machine with Python 3.11+ (with venv), make and git: `make serve`, `make test`.
# Every path is relative and every tool runs as `python -m`: the checkout may be moved, and its path may hold spaces.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test lint bench schema clean lock web

PYTHON := .venv/bin/python
# What runs, and beside it what only tests and measures. A stamp is touched last: an installation that was interrupted is
# taken up again.
SERVE := .venv/.serve
DEV := .venv/.dev
NODE_MODULES := web/node_modules/.installed
WEB := web/dist/.built
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

# Where Node is old or absent the API runs all the same, and /ide says how to get it.
HAS_NODE := $(shell command -v npm >/dev/null 2>&1 && \
	node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' >/dev/null 2>&1 && echo yes)

# Sets $$python to the first Python that will do, or has any other say what is missing.
FIND_PYTHON = for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
		"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' \
			>/dev/null 2>&1 && break; \
		python=; \
	done; \
	[ -n "$$python" ] || { \
		for any in python3 python; do \
			"$$any" -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1 && exec "$$any" app/dev/install.py; \
		done; \
		echo "moneta: Moneta needs Python 3.11 to 3.14 with the venv module, and there is none." >&2; exit 1; \
	}

help:
	@echo "make serve   install what runs, start everything on http://127.0.0.1:8000 (PORT, HOST), run until Ctrl-C"
	@echo "make test    install the tools as well, check the code, run every test"
	@echo "make lint    formatting, types, and the law of imports"
	@echo "make bench   measure"
	@echo "make schema  write schema.graphql from the code"
	@echo "make lock    resolve requirements/*.lock again (UPGRADE=1: to the newest versions)"
	@echo "make clean   remove all that was built or stored here, the data of 'make serve' included"

serve: $(SERVE) web
	@exec $(PYTHON) -m app dev

test: lint web
	$(PYTHON) -m pytest -n 2 $(PYTEST_ARGS)

lint: $(DEV)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy --strict app tests bench
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

bench: $(DEV)
	$(PYTHON) -m bench

schema: $(SERVE)
	@$(PYTHON) -m app export-schema > schema.graphql.new || { rm -f schema.graphql.new; exit 1; }
	@mv schema.graphql.new schema.graphql

$(SERVE): requirements/serve.lock
	@$(FIND_PYTHON); "$$python" app/dev/install.py serve
	@touch $@

$(DEV): requirements/dev.lock $(SERVE)
	@$(FIND_PYTHON); "$$python" app/dev/install.py dev
	@touch $@

ifeq ($(HAS_NODE),yes)
web: $(WEB)
else
web:
	@echo "Node 20 or newer was not found: going on without the web pages (/ide)."
endif

$(NODE_MODULES): web/package.json web/package-lock.json
	@echo "Installing the packages of the web pages into web/node_modules"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(WEB): $(NODE_MODULES) $(WEB_SOURCES)
	@cd web && npm run --silent build
	@touch $@

clean:
	@home="$${MONETA_HOME:-.moneta}"; \
	if [ -d "$$home" ]; then $(FIND_PYTHON); "$$python" -m app.dev.discard "$$home"; fi
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache web/dist web/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each lock is a part of the next one above it: one version of a package, whichever is installed.
lock:
	@set -e; $(FIND_PYTHON); \
	tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; trap 'exit 130' INT TERM; \
	"$$python" -m venv "$$tools"; \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv; \
	compile() { \
		"$$tools/bin/uv" pip compile --quiet $(if $(UPGRADE),--upgrade) "$$@" \
			--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header; \
	}; \
	compile pyproject.toml --extra dev -o requirements/dev.lock; \
	compile pyproject.toml --extra embedded -c requirements/dev.lock -o requirements/serve.lock; \
	compile pyproject.toml -c requirements/serve.lock -o requirements/production.lock; \
	compile requirements/postgres-17.in -o requirements/postgres-17.lock
