# The two commands a newcomer needs: `make run` and `make test`. The others are for daily work.
PYTHON ?= python3
CITY ?= toronto
BIN := .venv/bin
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
SCREENS := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print 2>/dev/null)

.DELETE_ON_ERROR:
.PHONY: run test test-clients check drill bless bench bench-api bench-etl bench-heat bench-live types lock dist screens provision-run provision-test provision-clients

run: provision-run screens
	ONEMAP_CITY=$(CITY) $(BIN)/onemap up

test: provision-test check
	$(BIN)/pytest --numprocesses=2 --dist=loadfile

# With the clients of Debian that `make test` does without: QGIS, and GDAL's own commands.
test-clients: provision-test provision-clients .venv/ready
	$(BIN)/pytest -rs tests/mapserver/clients

check: screens
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports
	mkdir -p build && $(BIN)/onemap api > build/openapi.json
	cd frontend && $(NODE) npm run --silent types -- --check
	cd frontend && $(NODE) npm run --silent check
	cd frontend && $(NODE) npm run --silent test

# What `make test` does a few times, many times: processes are killed at random moments, and the API is asked everything.
drill: provision-test
	ONEMAP_DRILL_ROUNDS=30 $(BIN)/pytest tests/drill
	ONEMAP_EXAMPLES=200 $(BIN)/pytest tests/mapserver/clients/test_schemathesis.py

# Accept the present SQL and tiles as the new golden files, then read the difference.
bless: .venv/ready
	ONEMAP_BLESS=1 $(BIN)/pytest -q tests/golden
	git --no-pager diff --stat tests/golden

bench: bench-etl bench-heat bench-live bench-api

bench-etl: .venv/ready
	PYTHONPATH=. $(BIN)/python tests/bench/bench_etl.py

bench-heat: .venv/ready build/bench-venv/ready
	PYTHONPATH=. $(BIN)/python tests/bench/bench_heat.py

bench-live: .venv/ready
	PYTHONPATH=. $(BIN)/python tests/bench/bench_live.py

bench-api: .venv/ready build/bench-venv/ready
	PYTHONPATH=. $(BIN)/python tests/bench/bench_api.py

# Peers to measure against, in an environment of their own; the project does not depend on them.
build/bench-venv/ready: Makefile | .venv/ready
	$(BIN)/uv venv --quiet --allow-existing build/bench-venv
	$(BIN)/uv pip install --quiet --python build/bench-venv duckdb numpy tipg uvicorn
	touch $@

# The screens' types follow the server's OpenAPI document.
types: .venv/ready frontend/node_modules/ready
	mkdir -p build
	$(BIN)/onemap api > build/openapi.json
	cd frontend && $(NODE) npm run --silent types

lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
	  --no-header --output-file requirements.lock pyproject.toml

# One wheel with the screens and the sample city in it: `pip install` it anywhere, then `onemap up`.
dist: screens
	$(BIN)/hatchling build --target wheel --directory build

screens: frontend/dist/ready

provision-run:
	@PYTHON="$(PYTHON)" .ci/provision run

provision-clients:
	@PYTHON="$(PYTHON)" .ci/provision clients

provision-test:
	@PYTHON="$(PYTHON)" .ci/provision test

.venv/ready: requirements.lock pyproject.toml | provision-run
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/pip install --quiet "$$(grep -o '^uv==[0-9.]*' requirements.lock)"
	$(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Not `npm ci`: it refuses a lock without the optional packages of platforms that a registry does not carry.
# `npm install --no-save` takes the locked versions all the same, and leaves the lock alone.
frontend/node_modules/ready: frontend/package-lock.json .venv/ready
	cd frontend && $(NODE) npm install --silent --no-save --no-audit --no-fund
	touch $@

frontend/dist/ready: $(SCREENS) frontend/node_modules/ready
	cd frontend && $(NODE) npm run --silent build
	touch $@
