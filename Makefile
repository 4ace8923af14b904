# ZeroWait. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help run venv setup test check format lock clean

# The first of these that runs; PYTHON=/path/to/python3.11 overrides.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do $$p -c "" 2>/dev/null && { echo $$p; break; }; done)
# cpu, or gpu for CUDA. GPU=1 is short for SET=gpu.
SET ?= $(if $(GPU),gpu,cpu)
# Where the CPU build of torch is looked for when pip's configured sources have not got it.
TORCH_CPU_INDEX ?=
# More options for `zerowait run`, for example ARGS="--port 8080".
ARGS ?=
# What `make run` serves, a path. Default: serve_app/configs/one-gpu.yaml with GPU=1, else the packaged demonstration.
CONFIG := $(if $(filter gpu,$(SET)),serve_app/configs/one-gpu.yaml)

export TORCH_CPU_INDEX
BIN := .venv/bin
BOOTSTRAP = $(if $(PYTHON),,$(error no Python found: install Python 3.11 or 3.12, or name one with PYTHON=))$(PYTHON) -m serve_app.bootstrap --set $(SET)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Options: GPU=1 (CUDA set and configuration), CONFIG= (a path), PYTHON=, TORCH_CPU_INDEX=, ARGS= (for zerowait run)"

run: ## set everything up and serve the demo shop on 127.0.0.1:8000
	@$(BOOTSTRAP) --for-run $(ARGS)
	@exec $(BIN)/zerowait run $(if $(CONFIG),--config '$(CONFIG)') $(ARGS)

venv: ## make the environment .venv from the lock files
	@$(BOOTSTRAP)

test: venv ## set up and run every test
	@$(BIN)/python -m pytest -rs

check: venv ## format, lint, types, import contracts; any warning fails
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --warnings
	@$(BIN)/lint-imports --no-cache

format: venv ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## make the lock files anew (needs uv)
	@uv --version >/dev/null || { echo "make lock needs uv" >&2; exit 1; }
	uv pip compile $(LOCKING) --overrides requirements/cpu-overrides.txt -o requirements/cpu.txt requirements/cpu.in
	uv pip compile $(LOCKING) -o requirements/gpu.txt requirements/gpu.in
LOCKING := --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-package zerowait

clean: ## remove the environment and every cache of this folder; the data folder stays
	rm -rf .venv .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
