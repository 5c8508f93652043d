# Evertill. `make demo` and `make test` are all a newcomer needs; see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
RUN := $(VENV)/.run-installed
TEST := $(VENV)/.test-installed

# Python keeps what it has compiled, whatever the shell says: the hundreds of programs that the
# tests start would each compile all they import anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test check bench mutants simulate torture api-cases run-till run-server lock clean

setup: $(RUN)

# uv is brought in by pip at a pinned hash; it then installs the hashed lock, and the project
# goes in last with --no-deps, because a hashed install refuses editables.
$(UV): requirements/uv.txt
	$(PYTHON) installer/prerequisites.py venv
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	touch $(UV)

$(RUN): $(UV) requirements/run.txt pyproject.toml
	$(PYTHON) installer/prerequisites.py run
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/run.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(RUN)

$(TEST): $(RUN) requirements/test.txt
	$(PYTHON) installer/prerequisites.py run test
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --require-hashes -r requirements/test.txt
	touch $(TEST)

demo: $(RUN)
	$(BIN)/evertill demo

# Four on two processors: tests wait for each other's processes. What they write lies in memory
# where there is room, and what passed is cleared away at once; with TEMPROOT= it lies on the disk.
# Files go to the workers in their order: those with few long tests first, the many short ones last.
TEMPROOT = $(shell $(BIN)/python -m tests.support.scratch)
KEEP := -o tmp_path_retention_policy=failed -o tmp_path_retention_count=1
test: $(TEST) check
	PYTEST_DEBUG_TEMPROOT=$(TEMPROOT) $(BIN)/python -m pytest -n 4 --dist loadgroup --no-loadscope-reorder $(KEEP) $(PYTEST_ARGS)

check: $(TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(TEST)
	$(BIN)/python -m tests.bench $(ONLY)

# Plants known bugs one by one; goes on where it was stopped.
mutants: $(TEST)
	$(BIN)/python -m tests.mutants $(MUTANTS)

# Tills and a server in a world of faults; goes on where it was stopped. A failing seed is told.
SEEDS ?= 100
SEED ?= 1
simulate: $(TEST)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --seed $(SEED) $(SHAPE)

# Power cuts, kills, broken files and bad lines, case by case; goes on where it was stopped.
# TORTURE='--list' names the parts, '--part NAME' plays one, '--part NAME --case CASE' one case.
torture: $(TEST)
	$(BIN)/python -m tests.torture $(TORTURE)

# Requests made from the server's own description, on both databases; goes on where it was stopped.
CASES ?= 100000
api-cases: $(TEST)
	$(BIN)/python -m tests.api_cases --cases $(CASES)

run-till: $(RUN)
	$(BIN)/evertill run

SERVER_DATA ?= build/server
run-server: $(RUN)
	test -d $(SERVER_DATA) || $(BIN)/evertill-server init --data $(SERVER_DATA)
	$(BIN)/evertill-server serve --data $(SERVER_DATA)

# Writes the locks anew from pyproject.toml; they name no index host.
COMPILE := $(UV) pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-header --quiet
lock: $(UV)
	$(COMPILE) --extra build -o requirements/run.txt
	$(COMPILE) --extra build --extra test -o requirements/test.txt

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .import_linter_cache
