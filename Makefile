# Needs Python 3.11 or newer with venv, make and git. Everything lands in .venv and var; nothing global, no root.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
export SAMLAD_HOME ?= $(CURDIR)/var
# Every worker of the tests would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check bench soak lighthouse pictures docs lock clean
.DEFAULT_GOAL := help

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

# Compiled while installing, because a start takes twice as long where Python may not keep what it compiled.
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
COMPILE := @$(BIN)/python -m compileall -q src

$(VENV)/uv: locks/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Samlad needs Python 3.11 or newer; say which with: make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bootstrap.txt
	@touch $@

$(VENV)/run: $(VENV)/uv locks/run.txt pyproject.toml
	@echo "Installing what Samlad needs into $(VENV) …"
	@$(UV) --require-hashes -r locks/run.txt
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/develop: $(VENV)/run locks/develop.txt
	@echo "Installing what its tests and checks need …"
	@$(UV) --require-hashes -r locks/develop.txt
	@touch $@

demo: $(VENV)/run ## a running shop with a year of real trade (ARGS=--once: do it all, check it, stop)
	$(COMPILE)
	$(BIN)/samlad demo $(ARGS)

test: $(VENV)/develop ## every test
	$(COMPILE)
	$(BIN)/python -m pytest -n auto --dist worksteal --durations 20 --durations-min 5 $(ARGS)

check: $(VENV)/develop ## format, lint, types, floors, texts, docs
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/uv pip check --quiet --python $(BIN)/python
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir var/site

bench: $(VENV)/run ## what things cost, as ratios measured in one run
	$(COMPILE)
	$(BIN)/samlad bench $(ARGS)

soak: $(VENV)/develop ## the tests that take longer than the suite may
	$(COMPILE)
	$(BIN)/python -m pytest -m soak --timeout 3600 $(ARGS)

lighthouse: $(VENV)/develop ## four scores of the shop's pages on a phone (needs Node and Chromium)
	$(BIN)/python -m pytest -m soak -n 0 -s --timeout 1800 tests/faces/storefront/test_lighthouse.py $(ARGS)

pictures: $(VENV)/develop ## pictures of every page at three widths, light and dark, in var/pictures (needs Chromium)
	$(COMPILE)
	PYTHONPATH=tests:tests/faces $(BIN)/python tests/faces/take_pictures.py $(ARGS)

lock: $(VENV)/uv ## lock the dependencies anew, at their newest
	@mkdir -p locks
	@for name in run develop bootstrap; do case $$name in \
		run) what="--group build pyproject.toml" ;; \
		develop) what="--group build --group dev pyproject.toml" ;; \
		bootstrap) what="--group bootstrap" ;; esac; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
			--no-emit-index-url --custom-compile-command "make lock" $$what -o locks/$$name.txt || exit 1; done

clean: ## remove what make made
	rm -rf $(VENV) var site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
