# Two commands do all set-up on a fresh Debian or Raspberry Pi OS: `make run` and `make test`.
# `make help` lists the rest.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
KIT := packages/servicekit
PACKAGES := $(KIT) packages/osgp packages/nes2mqtt
PRINT := $(KIT) packages/piprint
MODULE := packages/module
FUZZ_SECONDS ?= 600
CONFIG ?= nes2mqtt.toml
PREFIX ?= /opt/nes2mqtt

.DEFAULT_GOAL := help
.PHONY: help simulate run setup run-print module test test-fresh test-newest install install-print homeassistant-venv lint types format bench bench-against coverage fuzz mutation soak screenshots reference lock release clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## Start the gateway (on a simulated meter when nothing is configured)
	@if [ -f "$(CONFIG)" ]; then exec $(BIN)/nes2mqtt run --config "$(CONFIG)"; else exec $(BIN)/nes2mqtt demo --setup "$(CONFIG)"; fi

setup: $(VENV)/run.stamp ## Connect a meter for the first time, in the terminal
	@$(BIN)/nes2mqtt setup --config "$(CONFIG)"

run-print: $(VENV)/print.stamp ## Print from a stand-in for Business Central to a PDF printer of a real CUPS
	@sh tools/system_packages.sh print
	@PATH="$$PATH:/usr/sbin" exec $(BIN)/piprint demo

module: $(VENV)/dev.stamp ## Build the program for the ESP32 module in the meter into build/module
	@$(BIN)/python -m nesmodule_build build/module

test: $(VENV)/dev.stamp ## Run every test (installs the Debian packages they need when root)
	@sh tools/system_packages.sh test
	@$(BIN)/python tools/homeassistant_check.py --install-only
	@$(BIN)/python tools/termineter_environment.py
	@$(BIN)/python tools/al_environment.py
	@$(BIN)/python tools/micropython_32bit.py
	@$(BIN)/python tools/compile_once.py
	@PATH="$$PATH:/usr/sbin" $(BIN)/pytest -n 4 --dist loadgroup --timeout 300 --no-header -q

# Both Debians, or one: FRESH=13. Both commands of the README, or one: FRESH_ONLY=run. Some tests: FRESH_PYTEST=packages/osgp.
FRESH ?= 12 13
FRESH_ONLY ?=
FRESH_PYTEST ?=
FRESH_FOLDER ?= /var/tmp/nes2mqtt-fresh

test-fresh: ## Run the README's two commands in minimal Debian 12 and 13 trees (as root; half an hour)
	@sh tools/system_packages.sh fresh
	@PATH="$$PATH:/usr/sbin:/sbin" $(PYTHON) tools/fresh_debian.py --folder "$(FRESH_FOLDER)" --pytest="$(FRESH_PYTEST)" \
	    $(FRESH_ONLY:%=--only %) $(FRESH)

test-newest: $(VENV)/dev.stamp ## Run the packages' own tests on the newest Python that is found
	@sh tools/system_packages.sh test
	@$(BIN)/python tools/newest_python.py

homeassistant-venv: $(VENV)/dev.stamp ## Install the Home Assistant that the tests run, if a Python 3.13+ is found
	@$(BIN)/python tools/homeassistant_check.py --install-only

install: ## Install the service into PREFIX (/opt/nes2mqtt); as root; starts nothing
	@sh tools/system_packages.sh run
	@test -x $(PREFIX)/bin/python || $(PYTHON) -m venv $(PREFIX)
	@echo "Installing into $(PREFIX) ..."
	@$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
	    --force-reinstall $(PACKAGES:%=./%)
	@install -D -m 644 deploy/systemd/nes2mqtt.service $(DESTDIR)/etc/systemd/system/nes2mqtt.service
	@sed -i 's|/opt/nes2mqtt|$(abspath $(PREFIX))|g' $(DESTDIR)/etc/systemd/system/nes2mqtt.service
	@install -D -m 644 deploy/udev/60-nes2mqtt.rules $(DESTDIR)/etc/udev/rules.d/60-nes2mqtt.rules
	@test -e $(DESTDIR)/etc/nes2mqtt/nes2mqtt.toml || { \
	    install -D -m 644 deploy/nes2mqtt.toml $(DESTDIR)/etc/nes2mqtt/nes2mqtt.toml; \
	    test -n "$(DESTDIR)" || sh tools/name_gateway.sh /etc/nes2mqtt/nes2mqtt.toml "$$(uname -n)"; }
	@echo "Installed. Now edit $(DESTDIR)/etc/nes2mqtt/nes2mqtt.toml; docs/running-for-years.md goes on from here"

PRINT_PREFIX ?= /opt/piprint

install-print: ## Install the print processor into PRINT_PREFIX (/opt/piprint); as root; starts nothing
	@sh tools/system_packages.sh run
	@test -x $(PRINT_PREFIX)/bin/python || $(PYTHON) -m venv $(PRINT_PREFIX)
	@echo "Installing into $(PRINT_PREFIX) ..."
	@$(PRINT_PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/piprint.txt
	@$(PRINT_PREFIX)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
	    --force-reinstall $(PRINT:%=./%)
	@install -D -m 644 deploy/piprint/piprint.service $(DESTDIR)/etc/systemd/system/piprint.service
	@sed -i 's|/opt/piprint|$(abspath $(PRINT_PREFIX))|g' $(DESTDIR)/etc/systemd/system/piprint.service
	@test -e $(DESTDIR)/etc/piprint/piprint.toml || install -D -m 644 deploy/piprint/piprint.toml $(DESTDIR)/etc/piprint/piprint.toml
	@test -e $(DESTDIR)/etc/piprint/client-secret || install -m 600 /dev/null $(DESTDIR)/etc/piprint/client-secret
	@install -d $(DESTDIR)/usr/local/bin && ln -sf $(abspath $(PRINT_PREFIX))/bin/piprint $(DESTDIR)/usr/local/bin/piprint
	@echo "Installed. Now edit $(DESTDIR)/etc/piprint/piprint.toml; docs/printing.md goes on from here"

lint: $(VENV)/dev.stamp ## Check style, types and the arrows between modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp ## Check types only
	MYPYPATH=bench:tools:packages/piprint/tests/acceptance $(BIN)/mypy packages/*/src tools bench
	MYPYPATH=packages/piprint $(BIN)/mypy packages/piprint/al_check
	MYPYPATH=tests/sim $(BIN)/mypy tests/sim fuzz
	$(BIN)/mypy --config-file tests/mypy.toml packages/*/tests tests

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff check --fix-only --quiet . || true
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Measure against the line's limit and the goals, print one table; BENCH_RELEASE=1.4.0 keeps it in bench/results
	@sh tools/system_packages.sh test
	@$(BIN)/python bench/run.py $(if $(BENCH_RELEASE),--release $(BENCH_RELEASE))

# Nothing: the packages' own tests; all: every test, hours; or names of packages: COVERAGE="osgp servicekit".
COVERAGE ?=

coverage: $(VENV)/dev.stamp ## Measure lines and branches that the tests run, against goals; COVERAGE=all for every test, or names of packages
	@sh tools/system_packages.sh test
	@$(BIN)/python tools/coverage_table.py $(COVERAGE)

COMMIT ?= 8b6f199

bench-against: $(VENV)/dev.stamp ## Measure a poll's cost beside that of an older COMMIT (8b6f199), both in the same run
	@sh tools/system_packages.sh test
	@$(BIN)/python bench/against.py $(COMMIT)

fuzz: $(VENV)/dev.stamp ## Run each fuzz target for FUZZ_SECONDS (600)
	@$(BIN)/python tools/run_fuzz.py --seconds $(FUZZ_SECONDS)

SECONDS ?= 600

simulate: $(VENV)/dev.stamp ## Run simulated worlds for SECONDS (600); KINDS= of faults (print: the print processor), or one SEED= (tests/sim/README.md)
	@PYTHONPATH=tests/sim $(BIN)/python -m simulation --seconds $(SECONDS) $(if $(KINDS),--kinds $(KINDS)) $(if $(SEED),--seed $(SEED))

MINUTES ?= 60

mutation: $(VENV)/dev.stamp ## Change links, guard, journal and recovery in small ways and see whether tests notice; MINUTES=60, ONLY=part of a path
	@test -x .venv-mutation/bin/python || $(PYTHON) -m venv .venv-mutation
	@.venv-mutation/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutation.txt
	@.venv-mutation/bin/python tools/mutation.py --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

soak: $(VENV)/dev.stamp ## Kill gateways and print processors again and again, longer than the tests do
	@sh tools/system_packages.sh test
	@NES2MQTT_KILLS=500 $(BIN)/pytest tests/system/test_kill.py -q -rP
	@PATH="$$PATH:/usr/sbin" PIPRINT_KILLS=200 PIPRINT_KILL_JOBS=500 PIPRINT_KILL_LONGEST=20 PIPRINT_SOAK_SECONDS=600 \
	    PIPRINT_SEED=$${PIPRINT_SEED:-$$(date +%s)} $(BIN)/pytest \
	    packages/piprint/tests/acceptance/test_print_03_kill.py packages/piprint/tests/acceptance/test_print_21_soak.py -q -rP

screenshots: $(VENV)/dev.stamp ## Draw the pictures in docs/images
	@sh tools/system_packages.sh pictures
	$(BIN)/python tools/screenshots.py
	$(BIN)/python tools/terminal_pictures.py
	$(BIN)/python tools/print_screenshots.py

reference: $(VENV)/dev.stamp ## Write the generated pages of docs/reference
	$(BIN)/python tools/generate_reference.py
	$(BIN)/python tools/generate_settings.py
	$(BIN)/python tools/generate_topics.py
	$(BIN)/python tools/generate_print_settings.py
	$(BIN)/python tools/generate_print_command.py
	$(BIN)/python -m nesmodule_build --plan

lock: ## Write requirements/*.txt anew (needs uv)
	sh tools/lock.sh

release: $(VENV)/dev.stamp ## Make the release VERSION= (1.4.0) of all packages: wheels, checksums, bill of materials; DRY_RUN=1 commits nothing
	@test -n "$(VERSION)" || { echo "Say which version: make release VERSION=1.4.0 (now it is $$(cat VERSION))" >&2; exit 2; }
	@$(BIN)/python tools/release.py $(if $(DRY_RUN),--dry-run) -- "$(VERSION)"

clean: ## Remove what the other commands made, but no data
	rm -rf $(VENV) .venv-newest .venv-homeassistant .venv-termineter .venv-al .venv-micropython .venv-mutation .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A stamp is newer than its requirements only when everything was installed.
$(VENV)/run.stamp: requirements/runtime.txt VERSION $(PACKAGES:%=%/pyproject.toml)
	@sh tools/system_packages.sh run
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index $(PACKAGES:%=-e %)
	@touch $@

$(VENV)/print.stamp: requirements/piprint.txt VERSION $(PRINT:%=%/pyproject.toml)
	@sh tools/system_packages.sh run
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/piprint.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index $(PRINT:%=-e %)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp $(VENV)/print.stamp $(MODULE)/pyproject.toml
	@echo "Installing the packages for tests into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e $(MODULE)
	@touch $@
