# Everything a developer types. `make help` lists it; each target sets up what it needs.

BIN := .venv/bin
NOT_RUN := .pytest_cache/not-run

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- set-up: a local virtual environment, made again only when the lock changes

.PHONY: setup
setup: .venv/.installed ## Make .venv from requirements.lock (all other targets do this by themselves)

.venv/.installed: pyproject.toml .venv/.locked
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.locked: requirements.lock
	@python=$$(for name in python3 python3.13 python3.12 python3.11; do \
		"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; \
	done) || true; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11 or later found (python3, python3.13, .12, .11). Install one, then run make again." >&2; \
		exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		version=$$("$$python" -c 'import sys; print("{}.{}".format(*sys.version_info))'); \
		echo "$$python cannot make virtual environments: its venv or ensurepip module is missing." >&2; \
		echo "On Debian and Ubuntu: apt-get install python$$version-venv. Then run make again." >&2; \
		exit 1; \
	fi; \
	echo "Setting up .venv from requirements.lock (once; a minute or two)"; \
	"$$python" -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@touch $@

.PHONY: assets
assets: setup ## Fetch what the console's pages load beside their own files: font, pictures that move, live news
	@$(BIN)/python -m exchange.console.assets

.PHONY: lock
lock: setup ## Resolve requirements.lock again: names, versions and hashes; UPGRADE=1 takes newer versions
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --no-header --all-extras --group dev $(if $(UPGRADE),--upgrade) \
		--output-file requirements.lock pyproject.toml
	@$(MAKE) lock-image LOCK="$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --constraint requirements.lock"

.PHONY: lock-image
lock-image:
	$(LOCK) --extra object-storage --extra otel --extra postgresql --output-file docker/requirements.lock pyproject.toml
	$(LOCK) --group build --output-file docker/build.lock

.PHONY: clean
clean: ## Remove .venv and everything that tools left in the tree
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* build dist mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- use

.PHONY: demo
demo: setup ## Letters between nine bodies over real Kafka, from nothing to a table; KEEP=1 goes on, with the console
	@$(if $(KEEP),test -d exchange/console/static/vendor || $(BIN)/python -m exchange.console.assets || true)
	@$(BIN)/exchange demo $(if $(KEEP),--keep)

.PHONY: bench
bench: setup ## Measure; ONLY=router runs one. A JSON object per line
	@$(BIN)/python -m bench $(ONLY)

.PHONY: chaos
chaos: setup ## Break an exchange at random and check its promises; SEED=1 FAULTS=100
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --faults $(or $(FAULTS),100)

.PHONY: fuzz
fuzz: setup ## Feed every parser what nobody would send; SECONDS=20 for each, ONLY=format-medo-2.6
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),20) $(ONLY)

# --- checks

STATIC := lint format types layers docstrings dependencies
RULES := tests/domain tests/wire tests/security
PROCESSES := tests/cli tests/agent tests/services tests/archive tests/bus tests/adapters/test_plugins.py
PAGES := tests/verify tests/console tests/config tests/store tests/embedded tests/attacks tests/chaos tests/demo
FAST := tests-forms tests-rules
REST := tests-processes tests-pages
OWN := tests/chaos tests/embedded tests/faults/test_deadlines.py tests/adapters tests/java
BROKEN := tests/faults
SEEN := tests/demo tests/console tests/config
SERVERS := servers-seen servers-whole servers-broken servers-own

PYTEST := $(BIN)/pytest
COVERED_BY = $(PYTEST)
TWO := @$(MAKE) --jobs=2 --keep-going --output-sync=target
FOUR := @$(MAKE) --jobs=4 --keep-going --output-sync=target
AT_THE_END := PYTEST="$(BIN)/pytest --not-run-list=$(NOT_RUN)" \
  COVERED_BY="$(BIN)/coverage run -m pytest --not-run-list=$(NOT_RUN)"

.PHONY: check
check: setup ## In a minute: the code's form, and tests of rules, records, formats and logs
	$(TWO) $(FAST) $(STATIC)

.PHONY: test
test: setup ## Everything: check first, then all other tests, on real servers too; then what could not be run
	@rm -f $(NOT_RUN)
	@$(BIN)/coverage erase
	$(TWO) $(FAST) $(STATIC) $(AT_THE_END)
	$(BIN)/coverage report
	$(FOUR) $(SERVERS) $(REST) $(AT_THE_END)
	@if [ -s $(NOT_RUN) ]; then echo; echo "NOT RUN, this machine lacks:"; sort -u $(NOT_RUN); fi
	@if [ -s $(NOT_RUN) ] && [ "$$CI" = true ]; then exit 1; fi

.PHONY: tests
tests: setup ## Every test that needs no server
	$(TWO) $(REST) $(FAST)

.PHONY: tests-rules
tests-rules: setup ## Those of domain, wire and security, whose every line they are to reach
	$(COVERED_BY) --quiet -m "not server" $(RULES)

.PHONY: tests-forms
tests-forms: setup ## Those of formats, connectors, journal, log and the project itself
	$(PYTEST) --quiet -m "not server" $(RULES:%=--ignore=%) $(PROCESSES:%=--ignore=%) $(PAGES:%=--ignore=%)

.PHONY: tests-processes
tests-processes: setup ## Those of commands and of what runs behind them
	$(PYTEST) --quiet -m "not server" $(PROCESSES)

.PHONY: tests-pages
tests-pages: setup ## Those of verifier, console and database, of installations and attacks on them
	$(PYTEST) --quiet -m "not server" $(PAGES)

.PHONY: servers-broken
servers-broken: setup ## Tests on servers that break them
	$(PYTEST) --quiet -m server $(OWN:%=--ignore=%) $(BROKEN)

.PHONY: servers-own
servers-own: setup ## Two minutes of faults at random, then those that share no exchange with others
	$(PYTEST) --quiet -m server $(OWN)

.PHONY: servers-seen
servers-seen: setup ## Those of what people see: demo, console, monitoring
	$(PYTEST) --quiet -m server $(OWN:%=--ignore=%) $(SEEN)

.PHONY: servers-whole
servers-whole: setup ## All others of them
	$(PYTEST) --quiet -m server $(OWN:%=--ignore=%) $(BROKEN:%=--ignore=%) $(SEEN:%=--ignore=%)

.PHONY: lint
lint: setup ## ruff: all rules but those that pyproject.toml names with a reason
	$(BIN)/ruff check

.PHONY: format
format: setup ## ruff format, as a check; `ruff format` writes
	$(BIN)/ruff format --check

.PHONY: types
types: setup ## mypy, strict
	$(BIN)/mypy

.PHONY: layers
layers: setup ## import-linter: imports point down the layers of docs/design.md
	$(BIN)/lint-imports

.PHONY: docstrings
docstrings: setup ## interrogate: everything public says what it is
	$(BIN)/interrogate --quiet exchange adapters bench verify

.PHONY: dependencies
dependencies: setup ## deptry: what is imported is declared, what is declared is imported
	$(BIN)/deptry .

.PHONY: mutants
mutants: setup ## Faults put into domain, wire and security, and which no test notices; ONLY='exchange.domain.*'
	@$(if $(ONLY),,rm -rf mutants)
	$(BIN)/mutmut run $(if $(ONLY),'$(ONLY)')
	@$(BIN)/mutmut results

.PHONY: schemas
schemas: setup ## Write schemas/json and docs/api/ from the types that read what they describe
	$(BIN)/python -m adapters.schemas
	$(BIN)/python -m exchange.wiring.api > docs/api/openapi.json
	$(BIN)/python -m exchange.console.api.document > docs/api/console.json

.PHONY: dashboards
dashboards: setup ## Write config/grafana/*.json from the table of panels beside them
	$(BIN)/python -m config.grafana.dashboards

.PHONY: golden
golden: setup ## Write golden records for schemas that have none; never changes one that is there
	$(BIN)/python -m tests.golden.write
