# Every target sets up .venv from the lock files first. Only Python 3.11+, make and git are required.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1

.PHONY: help demo serve pictures test simulate faults outages guilds fuzz mutate bench check catalogues lock upgrade clean
help:
	@echo "make demo        play the demo on a real community's record (no token, no network)"
	@echo "make serve       the same in a browser, where you use Spade yourself"
	@echo "make test        run the tests"
	@echo "make check       formatting, lint, types, layers, rooms, lock files"
	@echo "make simulate    eleven years in every time zone, with downtime and clock jumps: no nudge or digest missed or doubled"
	@echo "make faults      kill and disconnect the bot under load, with SEEDS= random seeds: nothing lost or counted twice"
	@echo "                 (HIDE=1: permissions are removed, too; KILLS=: kills per seed; HOSTILE=1: instead of that, in one"
	@echo "                 run from SEED=, MUTATIONS= events and answers of Discord that are not well formed); then RUNS= random"
	@echo "                 histories from SEED=, and stories with every kill there can be, unless RUNS=0: whole, or known what is missing"
	@echo "make outages     let the gateway fail in every way at every moment, TIMES= times each: alive, and back within a minute"
	@echo "make guilds      fifty guilds for WEEKS= weeks, five of them in trouble: all others get every nudge and digest on time"
	@echo "make fuzz        random files, settings, messages, names and options, for FUZZ_SECONDS= from SEED=: no traceback"
	@echo "make mutate      plant COUNT= defects, drawn by SEED=, in domain, store and services, one at a time: does a test fail?"
	@echo "make bench       how much work Spade is, as ratios to yardsticks in the same run; ten minutes (QUICK=1: two)"
	@echo "make pictures    take the screenshots of the README (needs Chromium)"
	@echo "make catalogues  update the translations in bot/locale from the sentences in the code"
	@echo "make lock        update the lock files from pyproject.toml, keeping locked versions"
	@echo "make upgrade     update the lock files to the newest versions"
	@echo "make clean       delete .venv and the caches"

# A stamp file for each set of packages; a newer lock file triggers the installation.
$(VENV)/.packages: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Spade's own modules are compiled here: whoever runs it may not be allowed to write beside them, and would compile them
# at every start.
$(VENV)/.run: $(VENV)/.packages $(shell find bot cogs -name '*.py')
	$(BIN)/python -m compileall -q bot cogs
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.run
	$(BIN)/spade demo

serve: $(VENV)/.run
	$(BIN)/spade demo --serve

pictures: $(VENV)/.dev
	$(BIN)/python tools/pictures.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 4 --dist worksteal

simulate: $(VENV)/.dev
	$(BIN)/python -m tests.simulate

SEEDS ?= 20
RUNS ?= 2000
MUTATIONS ?= 5000
faults: $(VENV)/.dev
ifdef HOSTILE
	$(BIN)/python -m tests.faults --hostile --mutations $(MUTATIONS) --seed $(SEED)
else
	CATCH_UP_MESSAGES=100000 $(BIN)/python -m pytest -s tests/e2e/test_catch_up.py
	$(BIN)/python -m tests.faults_outbox $(if $(KILLS),--kills $(KILLS))
	$(BIN)/python -m tests.faults --seeds $(SEEDS) $(if $(KILLS),--kills $(KILLS)) $(if $(HIDE),--hide) --jobs 4
	$(if $(filter 0,$(RUNS)),,$(BIN)/python -m tests.histories --runs $(RUNS) --seed $(SEED) --kills --jobs 2)
endif

TIMES ?= 100
outages: $(VENV)/.dev
	$(BIN)/python -m tests.faults_gateway --times $(TIMES) --jobs 2

WEEKS ?= 3
guilds: $(VENV)/.dev
	$(BIN)/python -m tests.faults_guilds --weeks $(WEEKS)

FUZZ_SECONDS ?= 60
SEED ?= 1
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --seed $(SEED)

COUNT ?= 200
mutate: $(VENV)/.dev
	$(BIN)/python -m tests.mutate --count $(COUNT) --seed $(SEED) --jobs 2

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/structure.py --check
	mkdir -p $(VENV)/locks && cp $(LOCKS) $(VENV)/locks
	$(call resolve,$(VENV)/locks)
	@for lock in $(LOCKS); do cmp -s $$lock $(VENV)/locks/$$lock \
		|| { echo "$$lock does not fit pyproject.toml: run \`make lock\`." >&2; exit 1; }; done

# uv resolves for every platform and for Python 3.11 and newer; more of its options are in [tool.uv.pip]. A lock file
# holds versions and hashes only and names no package registry: pip uses the one that the machine is configured for.
# Locked versions are kept, except by `make upgrade`.
LOCKS := requirements.lock requirements-dev.lock
UV_COMPILE = $(BIN)/uv pip compile --quiet --python-version 3.11 pyproject.toml --group build --extra postgres
define resolve
	$(UV_COMPILE) --output-file $(1)/requirements.lock >/dev/null
	$(UV_COMPILE) --extra dev --output-file $(1)/requirements-dev.lock >/dev/null
endef

catalogues: $(VENV)/.dev
	$(BIN)/python tools/catalogues.py

lock: $(VENV)/.dev
	$(call resolve,.)

upgrade: UV_COMPILE += --upgrade
upgrade: lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
