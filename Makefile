# The two commands a newcomer needs are `make demo` and `make test`; both work on a bare machine with Python 3.11 and make.
VENV := .venv
BIN  := $(VENV)/bin
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet

# A night starts several processes; without byte code on disk each would compile every library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test bench fuzz lint lock browser clean

demo: browser
	$(BIN)/inspect demo

test: $(VENV)/.installed-test $(VENV)/.installed-replay browser lint
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# SECONDS of each target; what breaks one is kept in build/fuzz.
SECONDS ?= 120
fuzz: $(VENV)/.installed-test
	@for target in page attachment checks; do \
	  $(BIN)/python -m tests.fuzz $$target build/fuzz/$$target -max_total_time=$(SECONDS) || exit 1; done

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks

browser: $(VENV)/.installed
	@scripts/ensure-browser $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml scripts/make-environment
	@PYTHON="$(PYTHON)" scripts/make-environment $(VENV)
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
	  --require-hashes --requirement requirements-test.lock
	@touch $@

# pywb replays exports in a test, from an environment of its own.
$(VENV)/.installed-replay: $(VENV)/.installed requirements-replay.lock
	@$(BIN)/python -m venv --clear $(VENV)/replay
	@$(VENV)/replay/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
	  --require-hashes --requirement requirements-replay.lock
	@touch $@

# linkchecker, and nothing that would change what the product runs with.
$(VENV)/.installed-bench: $(VENV)/.installed-test requirements-bench.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile \
	  --require-hashes --requirement requirements-bench.lock
	@touch $@

# Needs uv. Versions that still fit stay; delete requirements.lock first to take the newest of everything.
lock:
	$(COMPILE) --extra build --output-file requirements.lock
	$(COMPILE) --extra build --extra test --constraint requirements.lock --output-file requirements-test.lock
	$(subst compile pyproject.toml,compile --group pyproject.toml:replay,$(COMPILE)) --output-file requirements-replay.lock
	$(subst compile pyproject.toml,compile --group pyproject.toml:bench,$(COMPILE)) \
	  --constraint requirements-test.lock --output-file requirements-bench.lock

clean:
	rm -rf $(VENV) build *.egg-info  # never data: it holds the evidence
