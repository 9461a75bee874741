# Python 3.11+ and make are all a fresh machine needs; uv and everything else come from the lock.
.DEFAULT_GOAL := help
VENV := .venv
SPARK := .venv-spark
PYTHON ?= python3
BENCH := measure_marts whole_rounds late_file analyst_query read_round gate publish_round write_reports

.PHONY: help setup run test test-long test-spark test-faults lint format bench sbom audit lock clean

help:           ## show this
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: $(VENV)/.ready    ## install everything into .venv

$(VENV)/.ready: pyproject.toml uv.lock
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python deploy/locked.py uv > $(VENV)/uv.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps -r $(VENV)/uv.txt
	@$(VENV)/bin/uv sync --quiet --frozen --inexact
	@touch $@

run: setup      ## load, check, build and publish the landing zone (raw/, or NNS_RAW)
	@$(VENV)/bin/nns run

test: setup     ## run all tests
	@$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

test-long: setup    ## run the tests that take minutes
	@$(VENV)/bin/python -m pytest -n 2 --maxschedchunk 1 -m long -vv --durations 15 \
		-o faulthandler_timeout=900 tests    # the log says what is slow, and where it hangs

test-faults: setup  ## kills, write errors, many at once, no network (as root, Linux)
	@$(VENV)/bin/python -m pytest -n 2 --maxschedchunk 1 -m faults -vv --durations 15 tests/faults

test-spark: setup $(SPARK)/.ready    ## build the marts on Spark too and compare every row (Java 17)
	@$(VENV)/bin/python -m pytest -m spark -vv --durations 0 tests/spark

$(SPARK)/.ready: pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=$(SPARK) $(VENV)/bin/uv sync --quiet --frozen --only-group spark \
		--python $(VENV)/bin/python
	@touch $@

lint: setup     ## lint, types and format, as CI does
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

format: setup   ## format the code
	@$(VENV)/bin/ruff check --fix --quiet .
	@$(VENV)/bin/ruff format .

bench: setup    ## measure what the claims of speed rest on: all of it, or BENCH="late_file gate"
	@$(VENV)/bin/uv sync --quiet --frozen --inexact --group bench
	@for name in $(BENCH); do $(VENV)/bin/python benchmarks/$$name.py || exit 1; done

sbom: setup     ## write what the program is made of to dist/sbom.cdx.json (CycloneDX), offline
	@$(VENV)/bin/python deploy/sbom.py dist/sbom.cdx.json

audit: setup    ## ask the OSV database whether what is locked has known vulnerabilities
	@$(VENV)/bin/uv audit --frozen --preview-features audit-command

lock: setup     ## resolve the dependencies anew
	@$(VENV)/bin/uv lock --upgrade

clean:          ## remove what is made, the environment included
	rm -rf $(VENV) $(SPARK) .nns dbt_project/target
