# Two commands matter: `make report` and `make test`. Both build the environment first, once.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
BIN := .venv/bin
READY := .venv/.ready
# Companies and bare environments keep their certificates with the system.
export UV_SYSTEM_CERTS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Bytecode is the largest single saving at every start, also where the machine switches it off.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
INSTALL := --no-deps --require-hashes -r requirements.lock
PROJECT := --no-deps --no-build-isolation -e .

MINUTES ?= 10

.PHONY: help report test slow proofs fuzz bench lab lock codebook lint clean

help:
	@echo "make report   build the environment and the report of the shipped sample's latest quarter"
	@echo "make test     build the same environment and pass the tests"
	@echo "make lab      open JupyterLab on the notebooks"
	@echo "make slow     the slow proofs: coverage by simulation, scale, faults"
	@echo "make proofs   coverage and false alarms of the tracking study by simulation"
	@echo "make fuzz     change valid files at random against every loader, MINUTES=10 each"
	@echo "make bench    the benchmarks, as ratios in one run"
	@echo "make lock     renew requirements.lock, constraints.txt and environment.yml"
	@echo "make codebook write the codebook into the README"

report: $(READY)
	@$(BIN)/cx report

test: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist loadfile

slow: $(READY)
	@$(BIN)/python -m pytest -m slow

proofs: $(READY)
	@$(BIN)/python bench/tracking.py

fuzz: $(READY)
	@$(BIN)/python tests/fuzz.py --minutes $(MINUTES)

bench: $(READY)
	@$(BIN)/python bench/report.py
	@$(BIN)/python bench/load.py
	@$(BIN)/python bench/topics.py
	@$(BIN)/python bench/tally.py
	@$(BIN)/python bench/roi.py
	@$(BIN)/python bench/effects.py
	@test -x .bench/bin/python || $(BIN)/uv venv -q .bench --python $(BIN)/python
	@$(BIN)/uv pip install -q --python .bench/bin/python --group bench
	@$(BIN)/python bench/drivers.py --peer .bench/bin/python
	@$(BIN)/python bench/thresholds.py --peer .bench/bin/python

lab: $(READY)
	@$(BIN)/jupyter lab --notebook-dir=. notebooks

$(READY): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "This workbook needs Python 3.11 and found '$(PYTHON)' instead. Install python3.11, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Building the environment in .venv (once; about a minute)"
	@rm -rf .venv
	@"$(PYTHON)" -m venv .venv || { echo "Python's venv module is incomplete here: install python3.11-venv, then try again."; exit 1; }
	@{ $(BIN)/python -m pip install -q -c constraints.txt uv \
	  && $(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode $(INSTALL) \
	  && $(BIN)/uv pip install -q --python $(BIN)/python $(PROJECT); } >.venv/uv.log 2>&1 \
	|| { echo "uv could not be had or failed (.venv/uv.log says why): installing with pip, which takes a few minutes."; \
	  $(BIN)/python -m pip install -q --compile $(INSTALL) && $(BIN)/python -m pip install -q $(PROJECT); }
	@$(BIN)/python -m compileall -q cxlib
	@touch $@

lock: $(READY)
	@$(BIN)/python tools/lock.py

codebook: $(READY)
	@$(BIN)/python tools/codebook.py

lint: $(READY)
	@$(BIN)/ruff check .

clean:
	@rm -rf .venv reports/*/ build
