# Everything a newcomer runs. The first command makes .venv and installs (minutes); later ones start at once.
# Another Python: make demo PYTHON=python3.12

VENV   ?= .venv
GOOD   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
            $$p -c '$(GOOD)' 2>/dev/null && echo $$p && break; done)
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
FUZZ   := $(VENV)-fuzz
AUDIT  := $(VENV)-audit
MINUTES ?= 10
SECONDS ?= 60
TARGETS ?= packaged manifest tokenizer lexical adapter escalation golden normalise masking

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench publish model figures fuzz atheris soak audit format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(STAMP) ## make .venv and install what constraints.txt pins

$(STAMP): pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c '$(GOOD)' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/it"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(STAMP) ## start the real service, score the sample posts over HTTP, print the alerts
	$(BIN)/yujing demo

serve: $(STAMP) ## serve POST /score on 127.0.0.1:3000 until Ctrl-C
	$(BIN)/yujing serve

test: check ## the same as check

check: $(STAMP) ## lint, format, types and tests, as CI runs them
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -q

bench: $(STAMP) ## time engines, the whole path and the service against their peers, into runs/bench.json (minutes)
	-$(BIN)/python -c 'import litserve' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,bench]"
	$(BIN)/python -m serving.benchmarks

publish: $(STAMP) ## take the figures of the last make bench over into the README and beside it
	$(BIN)/python -m serving.benchmarks.publish

model: $(STAMP) ## train the shipped models anew from ../shared/data: teacher, student, annotations, both escalation heads (hours)
	$(BIN)/yujing train text --set 'annotated=[]' --set 'split_of="models/bundle"' --out runs/teacher
	$(BIN)/yujing train text --set 'annotated=[]' --set 'teacher="runs/teacher/bundle"' --set epochs=6 \
	  --set perturbed_share=0.15 --out runs/student
	$(BIN)/yujing train text --set 'start="runs/student/bundle"' --set epochs=4 --set learning_rate=4e-4 \
	  --set perturbed_share=0.25 --set surrounded_share=0.2 --set start_share=0.2 --out runs/latest
	$(BIN)/yujing train escalation --out runs/latest
	$(BIN)/yujing train escalation --head hotlist --out runs/latest
	$(BIN)/yujing self-test --bundle runs/latest/bundle --write
	$(BIN)/yujing drift reference ../shared/data/posts.jsonl --bundle runs/latest/bundle

figures: $(STAMP) ## measure the shipped bundle on its held-out posts and write the README's tables (10 to 40 minutes)
	$(BIN)/yujing evaluate --robustness --engines --evidence 100 --set draws=200 --set 'series=[]' --set 'record=""'
	$(BIN)/python -m training.readme

fuzz: $(STAMP) ## thousands of hostile requests against the live service (schemathesis, in a venv of its own)
	test -x $(FUZZ)/bin/st || { $(BIN)/python -m venv $(FUZZ) && $(FUZZ)/bin/pip install -q schemathesis==4.32.5; }
	YUJING_SCHEMATHESIS=$(abspath $(FUZZ))/bin/st $(BIN)/pytest -q -s -m slow tests/test_service_fuzz.py

atheris: $(STAMP) ## coverage-guided fuzzing of file readers, normaliser and masking
	test -d $(FUZZ)-atheris || $(BIN)/python -m pip install --quiet --target $(FUZZ)-atheris atheris==3.0.0
	for target in $(TARGETS); do \
	  PYTHONPATH=.:$(FUZZ)-atheris $(BIN)/python tests/fuzz_parsers.py $$target $(SECONDS) || exit 1; done

soak: $(STAMP) ## the real service at 1.5 x its capacity, MINUTES=10, into runs/soak.json and soak.svg
	$(BIN)/python tests/soak_service.py --minutes $(MINUTES)

audit: $(STAMP) ## pins against known advisories, tracked files for secrets, pip-audit (which needs pypi.org)
	test -x $(AUDIT)/bin/pip-audit || \
	  { $(BIN)/python -m venv $(AUDIT) && $(AUDIT)/bin/pip install -q pip-audit==2.10.1 detect-secrets==1.5.0; }
	$(BIN)/pytest -q tests/test_advisories.py
	git ls-files -z | xargs -0 $(AUDIT)/bin/detect-secrets-hook --baseline .secrets.baseline
	$(AUDIT)/bin/pip-audit --strict --requirement constraints.txt --no-deps --disable-pip || \
	  { echo "pip-audit found something, or could not reach its data: see above"; exit 1; }

format: $(STAMP) ## let ruff repair and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove caches; .venv stays
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find data models training serving tests -name __pycache__ -type d -prune -exec rm -rf {} +
