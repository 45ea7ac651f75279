# `make forecast` and `make test` do all the set-up themselves; nothing has to be installed before them but Python.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export UV_PYTHON_PREFERENCE := system
export PYTHONUTF8 := 1

UV := $(shell command -v uv 2>/dev/null)
ifeq ($(UV),)
UV := .bootstrap/bin/uv
UV_FIRST := .bootstrap/bin/uv
endif
WHEELS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/scenariocast/wheels
BIN := .venv/bin

# A warm cache answers without a network; only a cold one goes to the package index.
define install
"$(UV)" venv --quiet --allow-existing .venv 2>/dev/null || "$(UV)" venv --quiet --allow-existing --python ">=3.12,<3.14" .venv
"$(UV)" pip install --quiet --offline --python .venv --require-hashes -r $(1) 2>/dev/null \
  || "$(UV)" pip install --python .venv --require-hashes -r $(1)
"$(UV)" pip install --quiet --offline --python .venv --no-deps --no-build-isolation --editable .
endef

.PHONY: help forecast test lint lock bench bench-peers sbc release-check images clean

help:
	@echo "make forecast   install, run the frontier forecast on the bundled data, print the headline"
	@echo "make test       install and run the tests"
	@echo "make lint       style, format and types"
	@echo "make lock       write the hashed locks again"
	@echo "make bench      the stages of a run, cold and warm, and its memory"
	@echo "make bench-peers   one posterior by every road in Python, side by side, in an environment of its own"
	@echo "make sbc        simulation-based calibration: MODEL=switching-level SIMS=1000; goes on where it stopped"
	@echo "make release-check   the certificates of calibration are of this code"
	@echo "make images     page one of the last frontier run as the picture of the README"

forecast: .venv/run.stamp
	@"$(BIN)/forecast" run --theatre frontier --output workspace

test: .venv/development.stamp
	"$(BIN)/pytest" -q --numprocesses 2 --dist loadfile

lint: .venv/development.stamp
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"

.venv/run.stamp: requirements/run.txt pyproject.toml $(UV_FIRST)
	$(call install,requirements/run.txt)
	@touch $@

.venv/development.stamp: requirements/development.txt pyproject.toml $(UV_FIRST)
	$(call install,requirements/development.txt)
	@touch .venv/run.stamp $@

.bootstrap/bin/uv:
	python3 -m venv .bootstrap
	@.bootstrap/bin/pip install --quiet --no-index --find-links "$(WHEELS)" uv 2>/dev/null \
	  || { .bootstrap/bin/pip download --quiet --dest "$(WHEELS)" uv \
	       && .bootstrap/bin/pip install --quiet --no-index --find-links "$(WHEELS)" uv; }

sbc: .venv/development.stamp
	"$(BIN)/python" tests/calibration/sbc.py "$(MODEL)" $(SIMS)

release-check: .venv/development.stamp
	"$(BIN)/python" tests/calibration/sbc.py check

bench: .venv/run.stamp
	"$(BIN)/python" bench/stages.py

bench-peers: .venv-peers/stamp
	.venv-peers/bin/python -m bench.peers

.venv-peers/stamp: requirements/peers.txt $(UV_FIRST)
	"$(UV)" venv --quiet --allow-existing .venv-peers
	"$(UV)" pip install --quiet --python .venv-peers --require-hashes -r requirements/peers.txt
	"$(UV)" pip install --quiet --offline --python .venv-peers --no-deps --no-build-isolation --editable .
	@touch $@

images: forecast
	mkdir -p docs/images
	pdftoppm -png -singlefile -r 110 -f 1 -l 1 "$$(ls -d workspace/runs/*/ | tail -n 1)report.pdf" docs/images/report

COMPILE = "$(UV)" pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.12 pyproject.toml
lock: $(UV_FIRST)
	$(COMPILE) --extra build --output-file requirements/run.txt
	$(COMPILE) --extra build --extra development --constraints requirements/run.txt --output-file requirements/development.txt
	$(COMPILE) --extra build --extra peers --constraints requirements/run.txt --output-file requirements/peers.txt

clean:
	rm -rf .venv .venv-peers .bootstrap workspace build dist
