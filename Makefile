# SPDX-License-Identifier: Apache-2.0
#
# A thin door to meson: each target is one script or one meson command.
# `make run` and `make test` work on a fresh machine; what they install is
# listed before it is installed.  See docs/building.md.

MESON   ?= meson
NINJA   ?= ninja
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
ARGS    ?=

export BUILD

.DEFAULT_GOAL := help
.PHONY: help build run test lab-full bench soak fuzz size install uninstall clean

help:
	@echo "vmtime: the right time in every KVM guest"
	@echo
	@echo "  make build      compile into $(BUILD)/"
	@echo "  make run        boot a real KVM host and guest, keep the guest's clock, show how well"
	@echo "                  (make run ARGS=--shell: stay in the guest's console)"
	@echo "  make test       build and run every suite; the last line counts them"
	@echo "  make lab-full   all that can happen to a guest in the lab, half an hour, and a table"
	@echo "  make bench      print the figures that the project promises"
	@echo "  make soak       hold the invariant in random worlds for 100000 simulated hours"
	@echo "                  (make soak ARGS='HOURS SEED')"
	@echo "  make fuzz       fuzz each parser for FUZZ_SECONDS (default 60)"
	@echo "  make size       build the static daemon and print its size"
	@echo "  make install    build for release and install under PREFIX (default /usr/local)"
	@echo "  make uninstall  remove what make install put there"
	@echo "  make clean      remove what was built (downloads of the lab stay in its cache)"
	@echo
	@echo "build, run, test, lab-full, bench, soak, fuzz and install first install the packages that are"
	@echo "missing, after listing them: as root, or by sudo."

build:
	@scripts/need.sh build
	@scripts/build.sh $(BUILD)

run:
	@scripts/need.sh build lab
	@scripts/build.sh $(BUILD)
	@tests/lab/run.sh $(ARGS)

test:
	@scripts/test.sh

lab-full:
	@scripts/need.sh build lab
	@scripts/build.sh $(BUILD)
	@tests/lab/full.sh $(ARGS)

bench:
	@scripts/need.sh build lab
	@scripts/build.sh $(BUILD)
	@scripts/size.sh
	@python3 tests/system/cost.py $(BUILD)/src/guestd/vmtimed $(BUILD)/src/cli/vmtime \
		$(BUILD)/tests/system/libplay.so $(BUILD)/tests/system/sleeper
	@tests/lab/bench.sh $(ARGS)

soak:
	@scripts/need.sh build
	@scripts/soak.sh $(ARGS)

fuzz:
	@scripts/need.sh build fuzz
	@scripts/fuzz.sh $(ARGS)

size:
	@scripts/need.sh build
	@scripts/size.sh

install:
	@scripts/need.sh build
	@scripts/build.sh build-release --buildtype=release --prefix=$(PREFIX) \
		--sysconfdir=/etc --localstatedir=/var
	$(MESON) install -C build-release --no-rebuild $(if $(DESTDIR),--destdir $(DESTDIR))

uninstall:
	$(NINJA) -C build-release uninstall

clean:
	rm -rf $(BUILD) build-asan build-fuzz build-release build-static
