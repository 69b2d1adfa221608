# make demo and make test set everything up in .venv and do their job; `make help` lists the rest.
# Nothing is installed twice: a stamp in .venv is newer than what installation depends on.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
JOBS ?= logical
OBJECT ?= human
# The network that is shown of each object
SHOWN_human := human-medium-structured
SHOWN_dog := dog-small

BIN := $(VENV)/bin
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
PROJECTS := . $(PLUGINS)
TESTS := tests plugins examples

BUILT_FROM := $(wildcard pyproject.toml plugins/*/pyproject.toml plugins/*/setup.py \
	plugins/*/src/*/*.pyx plugins/*/src/*/*.pxd plugins/*/src/*/kernel/*)
TESTED_FROM := $(wildcard requirements-dev.txt examples/*/pyproject.toml examples/*/*.pyx)

empty :=
space := $(empty) $(empty)
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check

.PHONY: help demo test install install-dev lint types examples docs clean

help:
	@echo "make demo      show what the shipped weights do on held-out pictures (OBJECT=dog for dogs; ARGS=... for its options)"
	@echo "make test      run every test (ARGS=... for pytest's options, JOBS=0 for one process)"
	@echo "make lint      check style and types; make examples: run the examples"
	@echo "make docs      build the documentation as a site, docs/_build/html/index.html"
	@echo "make install   set up $(VENV) for use; make install-dev: for development as well"
	@echo "make clean     remove $(VENV) and everything that was built"

demo: install
	$(BIN)/partgraph demo $(or $(SHOWN_$(OBJECT)),$(error OBJECT is human or dog; found $(OBJECT))) $(ARGS)

# A process for each processor, up to four, each with one thread of its own.
test: install-dev
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} \
		$(BIN)/python -m pytest $(TESTS) --numprocesses $(JOBS) --maxprocesses 4 --dist worksteal $(ARGS)

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(subst $(space),:,$(addsuffix /src,$(PLUGINS))) \
		$(BIN)/mypy -p partgraph $(addprefix -p ,$(subst -,_,$(notdir $(PLUGINS))))

examples: install-dev
	@for file in examples/*.py; do echo "--- $$file"; $(BIN)/python $$file || exit 1; done

docs: install-dev
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build/html $(ARGS)
	@echo "open docs/_build/html/index.html"

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

$(BIN)/python:
	$(PYTHON) tools/preflight.py
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BUILT_FROM) | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes some minutes, most of them for torch."
	$(PIP_INSTALL) $(addprefix -e ,$(PROJECTS))
	@touch $@

$(VENV)/.installed-dev: $(BUILT_FROM) $(TESTED_FROM) | $(BIN)/python
	@echo "Installing into $(VENV); the first time takes some minutes, most of them for torch."
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

clean:
	rm -rf docs/_build docs/gallery docs/sg_execution_times.rst
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build plugins/*/build
	find . -name '*.egg-info' -prune -exec rm -rf {} +
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -f plugins/*/src/*/*.so plugins/*/src/*/_*.cpp examples/*/*.so examples/*/*.c
