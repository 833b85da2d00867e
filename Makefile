# Everything is installed in .venv/ and kept in var/. Needs Python 3.11 or newer, and make.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
HOST ?= 127.0.0.1
PORT ?= 8000
JOBS ?= 3

BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
DEVELOPMENT := env SUGARADMIN_ENV=development
PYTEST := $(BIN)/python -m pytest -q
PARALLEL := -n $(JOBS) --dist worksteal
# For the checks of production: keys that nobody ever uses, a data directory that nobody keeps.
PRODUCTION := env SUGARADMIN_ENV=production SUGARADMIN_DATA_DIR=.venv/check \
	SUGARADMIN_BASE_URL=https://sugaradmin.example.com \
	SUGARADMIN_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
	SUGARADMIN_ENCRYPTION_KEYS=check:$$($(BIN)/python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())')

.PHONY: help install run demo test check campaign bench pictures clean
help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/runtime ## make .venv with what the product needs

run: .venv/runtime ## start it, empty, for real use on this machine (HOST=, PORT=)
	$(DEVELOPMENT) $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

demo: .venv/runtime ## start it beside a simulated Sugar, with sample connections in every status
	$(DEVELOPMENT) SUGARADMIN_DATA_DIR=var/demo SUGARADMIN_ALLOWED_NETWORKS=127.0.0.0/8 SUGARADMIN_ALLOW_HTTP=yes \
		$(BIN)/python manage.py demo --host $(HOST) --port $(PORT)

# The whole suite on SQLite, then everything that touches the database again on PostgreSQL. Without a browser the rest
# still runs, and the target fails at the end with the command that brings one.
test: .venv/development ## pass the tests: SQLite, PostgreSQL, a real browser
	@browser=$$($(BIN)/python -m tests.chromium) || browser=; \
	if [ -n "$$browser" ]; then marks='not campaign'; else marks='not campaign and not browser'; fi; \
	set -x; \
	CHROMIUM="$$browser" $(PYTEST) $(PARALLEL) -m "$$marks" && \
	$(PYTEST) $(PARALLEL) -m 'not campaign and not browser' --database=postgres && \
	{ set +x; [ -n "$$browser" ] || $(BIN)/python -m tests.chromium; }

check: .venv/development ## lint, types, migrations, settings of production
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy connections sugaradmin manage.py
	$(DEVELOPMENT) $(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py collectstatic --noinput --verbosity 0
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

campaign: .venv/development ## long runs: schedules, crashes, faults (hours)
	$(PYTEST) -m campaign -s

bench: .venv/development ## measure, and print the figures of docs/performance.md
	$(BIN)/python -m bench

pictures: .venv/development ## take the pictures of docs/screenshots anew (PICTURES=directory: of every page)
	@browser=$$($(BIN)/python -m tests.chromium) && CHROMIUM="$$browser" $(PYTEST) tests/browser/pictures.py

clean: ## remove what was installed and built; keeps var/, where the keys are
	rm -rf .venv staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "This Python has no venv; on Debian: apt-get install python3-venv"; exit 1; }

.venv/runtime: requirements.txt | .venv/bin/pip
	$(PIP) install -r requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/runtime
	$(PIP) install -r requirements-dev.txt
	@touch $@
