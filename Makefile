PYTHON ?= $(firstword $(shell command -v python3.12 >/dev/null 2>&1 && python3.12 -c '' 2>/dev/null && echo python3.12) $(shell command -v python3.11 >/dev/null 2>&1 && python3.11 -c '' 2>/dev/null && echo python3.11) python3)
PORT ?= 8000

# Recipes take these from their environment: whatever is in them, blanks and quotes too, is one word.
override DATA := $(value DATA)
override URL := $(value URL)
export DATA URL

FRONT := .venv/front
RUNNERS := .venv/runners
DEV := .venv/dev
# Where there is an NVIDIA driver, models are trained with TensorFlow for CUDA.
TRAIN := $(if $(wildcard /dev/nvidiactl),.venv/train-gpu,$(DEV))

.PHONY: help run hospital setup test bench-hospital test-hospital test-browser test-chart cluster-test pictures images edge edge-wheel chart operations lint train train-quick train-progression evaluate tune bench verify lock clean fuzz fuzz-http costly kills signed-in

help: ## say what there is
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(FRONT)/.ready $(RUNNERS)/.ready ## serve http://127.0.0.1:$(PORT) until Ctrl-C
	@OSTEOSERVE_PORT=$(PORT) exec $(FRONT)/bin/python -m service run

hospital: $(FRONT)/.ready $(RUNNERS)/.ready ## the same with a PACS, an interface engine and a record around it: var/hospital.json
	HOSPITAL=required hospital/install
	@OSTEOSERVE_PORT=$(PORT) exec $(FRONT)/bin/python -m hospital

setup: $(FRONT)/.ready $(RUNNERS)/.ready $(DEV)/.ready ## make all three environments

# A file's tests stay together, on one processor; the order is the files' own, since those of the real
# processes, which mostly wait, come early.
JOBS ?= 2
test: setup ## run the whole test suite, JOBS=2 files at a time; fetches Prometheus and a PACS where it can
	tests/operations/install
	tests/e2e/install
	hospital/install pacs
	$(DEV)/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

bench-hospital: $(DEV)/.ready ## what a running `make hospital` takes, and how soon it answers
	$(DEV)/bin/python -m hospital.benchmark

test-hospital: setup ## a round trip through a whole hospital, and HAPI's validator on what is sent
	HOSPITAL=required hospital/install
	$(DEV)/bin/python -m pytest tests/hospital -m hospital

FUZZ ?= 100000
fuzz: $(DEV)/.ready ## read FUZZ=100000 damaged files of every encoding; findings are kept in var/fuzz
	$(DEV)/bin/python -m tests.fuzz --count $(FUZZ)
	FUZZ=$(FUZZ) $(DEV)/bin/python -m pytest tests/fuzz/test_mutation.py -k searched

fuzz-http: $(DEV)/.ready ## send FUZZ=100000 damaged uploads to a front, or to the one at URL=; findings in var/fuzz-http
	$(DEV)/bin/python -m tests.fuzz.http --count $(FUZZ) $(if $(URL),--url "$$URL")

costly: $(DEV)/.ready ## send a front all that is made to cost, EDGE=1: an edge, and measure what others notice; let nothing else run
	$(DEV)/bin/python -m tests.e2e.costly $(if $(EDGE),--edge)

kills: $(DEV)/.ready ## 200 times kill -9 of gateway, front, database, PACS or engine while four send, on SQLite and PostgreSQL
	HOSPITAL=required hospital/install
	HOSPITAL=required $(DEV)/bin/python -m pytest tests/service/integration -m kills -s

signed-in: setup ## measure within five minutes what it costs to know who asks, beside a front that does not; let nothing else run
	$(DEV)/bin/python -m tests.e2e.signed_in

test-browser: setup ## drive every page in Chromium, which is installed where it is missing and may be
	tests/browser/install
	$(DEV)/bin/python -m pytest tests/browser -m browser

test-chart: $(DEV)/.ready ## lint, render and validate the Helm chart (part of test)
	$(DEV)/bin/python -m pytest tests/chart

cluster-test: $(DEV)/.ready ## try the chart on the cluster that KUBECONFIG names; images: REGISTRY and TAG
	$(DEV)/bin/python -m pytest tests/cluster -m cluster

chart: $(DEV)/.ready ## write what of the chart is generated: schema's settings, README table, k8s/base; and docs/dicom.md
	$(DEV)/bin/python -m k8s

operations: chart ## write Prometheus' rules and Grafana's dashboards from the table of objectives

images: ## build the container images with buildah, podman or docker
	k8s/images/build

edge: ## build the edge's image: all in one process, for a machine without a network (docs/edge.md)
	k8s/images/build edge

edge-wheel: $(DEV)/.ready ## the same as one wheel for amd64 and arm64, into var/wheel (docs/edge.md)
	$(DEV)/bin/python -m k8s.wheel

pictures: setup ## make the README's pictures anew
	tests/browser/install
	$(DEV)/bin/python -m pytest tests/browser -m pictures

lint: $(DEV)/.ready ## ruff, mypy, import contracts; licences of what is handed on, and its SBOMs into var/sbom
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports
	$(DEV)/bin/python -m k8s.packages

train: $(TRAIN)/.ready ## train all models on DATA=folder, or on phantoms; into var/artifacts
	$(TRAIN)/bin/python -m models train $(if $(DATA),--data "$$DATA")

train-quick: $(DEV)/.ready ## the same in minutes, with models that are too small to serve
	$(DEV)/bin/python -m models train --quick $(if $(DATA),--data "$$DATA")

train-progression: $(DEV)/.ready ## train how BMD goes on, on DATA=visits.csv or on simulated patients; into var/artifacts
	$(DEV)/bin/python -m models train-progression $(if $(DATA),--data "$$DATA")

evaluate: $(DEV)/.ready ## score a labelled folder, DATA=folder, with what is served
	$(if $(DATA),,$(error evaluate needs DATA=folder: one sub-folder a label, or a list as README.md says))
	$(DEV)/bin/python -m models evaluate --data "$$DATA" --out var/evaluation

BENCH := $(foreach name,plain ray litserve mlserver,.venv/bench-$(name)/.ready)

tune: $(DEV)/.ready ## measure how runners should batch on this machine: var/tuning.json and docs/tuning.svg
	$(DEV)/bin/python -m loadtests.tuning --picture docs/tuning.svg

bench: setup $(BENCH) ## measure this project, other servers and the bare runtime within the hour, into docs/benchmarks
	$(DEV)/bin/python -m loadtests.benchmark --out docs/benchmarks

verify: $(DEV)/.ready ## checksums of what is served, and every runtime against Keras
	$(DEV)/bin/python -m models verify $(if $(DATA),--data "$$DATA")

SHAPE ?= steady
.PHONY: load
load: $(FRONT)/.ready $(RUNNERS)/.ready $(DEV)/.ready ## put load on one of its own, or on URL=; SHAPE= RATE= SCALE= RUNS= WORKERS=
	@$(DEV)/bin/python -m loadtests run --shape $(SHAPE) $(if $(URL),--url "$$URL") $(if $(RATE),--rate $(RATE)) \
		$(if $(SCALE),--scale $(SCALE)) $(if $(RUNS),--runs $(RUNS)) $(if $(WORKERS),--workers $(WORKERS))

lock: $(DEV)/.ready ## compile requirements/*.txt anew from pyproject.toml
	requirements/compile $(DEV)/bin/uv

clean: ## remove environments and caches; state in var/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache

# An environment is made anew when its lock changes, and marked ready only when it is whole.
.venv/%/.ready: requirements/%.txt
	@echo "osteoserve: installing $< into .venv/$*"
	@rm -rf .venv/$*
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13) and "osteoserve needs Python 3.11 or 3.12; name one with PYTHON=")'
	@$(PYTHON) listener/python.py
	@$(PYTHON) -m venv .venv/$*
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@
