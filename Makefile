# The two commands a newcomer needs are `make demo` and `make test`; both work on a bare machine with Python 3.11 and make.
VENV := .venv
BIN  := $(VENV)/bin

.PHONY: demo test bench lint lock browser clean

demo: browser
	$(BIN)/inspect demo

test: browser lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

browser: $(VENV)/.installed
	@scripts/ensure-browser $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml scripts/make-environment
	@PYTHON="$(PYTHON)" scripts/make-environment $(VENV)
	@touch $@

# Needs uv. Versions that still fit stay; delete requirements.lock first to take the newest of everything.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --output-file requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info  # never data: it holds the evidence
