# `make up` and `make test` are all a stranger needs; the rest is for those who work on Headrace.
PYTHON ?= python3
RUN = .venv/bin

.PHONY: up test check clients fmt fuzz fuzz-api bench bench-peers bench-lists seed types setup e2e clean

up: ## Install what is missing, start everything, load the sample project. ARGS="--detach" and others are passed on.
	@$(PYTHON) -I headrace/bootstrap.py up $(ARGS)

setup: ## Install everything for working on Headrace.
	@$(PYTHON) -I headrace/bootstrap.py develop

test: setup ## Check and test everything: Python, TypeScript, and the running system in a real browser.
	@$(MAKE) --no-print-directory check
	$(RUN)/coverage erase
	$(RUN)/pytest -n 2 --dist loadfile --cov --cov-report= -m "not e2e and not clients" $(ARGS)
	npm --prefix frontend test
	$(RUN)/pytest --cov --cov-append --cov-report= -m e2e tests/e2e
	$(RUN)/pytest -m clients tests/clients
	$(RUN)/coverage report --skip-covered --fail-under 85

check: ## Everything that needs no running system: format, lint, types, imports, generated files.
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/lint-imports
	$(RUN)/pyright
	$(RUN)/python -m control openapi | $(RUN)/python -c "import sys, pathlib; sys.exit(sys.stdin.read() != pathlib.Path('frontend/openapi.json').read_text() and 'frontend/openapi.json is stale: run make types')"
	npm --prefix frontend run check

clients: setup ## Call a gateway with the clients of Triton, KServe and MLServer and with perf_analyzer; installs each.
	$(RUN)/pytest tests/clients $(ARGS)

fmt: ## Format and mend what can be mended by machine.
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

types: ## Regenerate the console's API types from the control plane's OpenAPI document.
	$(RUN)/python -m control openapi > frontend/openapi.json
	npm --prefix frontend run types

fuzz: setup ## Fuzz the parsers for ten minutes, or as ARGS="--minutes 60 --keep http" says.
	$(RUN)/python -m tests.fuzz.run $(ARGS)

fuzz-api: setup ## Try the API against its OpenAPI document for ten minutes, or as SECONDS=3600 says.
	FUZZ_API_S=$(or $(SECONDS),600) $(RUN)/pytest -q tests/control/test_description.py

bench: setup ## Measure the hot path beside its references; writes docs/benchmarks.md.
	$(RUN)/python -m loadtests.bench $(ARGS)

bench-peers: setup ## The same beside MLServer, KServe, BentoML, LitServe, Ray Serve and Triton (installs each; gigabytes).
	$(RUN)/python -m loadtests.bench_peers $(ARGS)

bench-lists: setup ## Time every list and search of the API on a large database; writes docs/benchmarks.md.
	$(RUN)/python -m loadtests.lists $(ARGS)

seed: setup ## Fill the migrated, empty database of HEADRACE_DATABASE_URL with 1,000 organizations, or as ARGS="--scale 0.1" says.
	$(RUN)/python -m loadtests.seed $(ARGS)

clean: ## Remove what was installed and built; never the data.
	rm -rf .venv .tools frontend/node_modules frontend/dist
