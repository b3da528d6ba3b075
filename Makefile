# Two commands: `make run` and `make test`. Each sets up .venv by itself, once.
#   PYTHON=python3.12 make test     chooses the interpreter (3.11 to 3.13)

VENV ?= .venv
BIN := $(VENV)/bin
CHECK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	if $$p -c '$(CHECK)' >/dev/null 2>&1; then echo $$p; break; fi; done)

.PHONY: run test lint types clean

run: $(VENV)/.installed
	$(BIN)/slimline run configs/digits.yaml

# Two at a time: much of a test's time is a start of TensorFlow, on one core.
WORKERS ?= 2

test: lint types
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-test
	$(BIN)/mypy

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "needs Python 3.11, 3.12 or 3.13; give one: make PYTHON=/path/to/python3.12"; exit 2; }
	@$(PYTHON) -c '$(CHECK)' || { echo "$(PYTHON): needs Python 3.11, 3.12 or 3.13"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
