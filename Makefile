# make demo: set everything up, then do the main job on rendered actors.
# make test: set everything up if needed, then pass the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
TORCH := https://download.pytorch.org/whl/cpu
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: setup demo test docs notebooks clean

setup: .venv/ready

# torch comes first and pinned: asked for together with packages that admit newer releases, pip
# takes another. PyPI's own build for Linux brings gigabytes of CUDA libraries; the index of builds
# for processors is its makers'. Where that cannot be reached pip says so and takes PyPI's. What
# torch needs comes with the rest.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt --no-deps --extra-index-url $(TORCH) torch
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/changeling demo

test: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest

docs: setup
	$(BIN)/python -m tests.test_docs --write

# Each within five minutes on two cores.
notebooks: setup
	$(BIN)/python -m notebooks

clean:
	rm -rf .venv build src/*.egg-info .mypy_cache .ruff_cache .pytest_cache
