# xen_dom0less: a GRUB module that boots a dom0less Xen machine under UEFI.
#
#     make                            GRUB for arm64-efi with the module, in build/grub-$(GRUB)/install
#     make install prefix=DIR         the same as an ordinary GRUB installation in DIR
#     make deb                        Debian packages for the distribution's own GRUB, in build/deb
#     make run                        the demonstration: Xen and two Linux domains in QEMU
#     make check                      all tests; check-lint, -unit, -fuzz, -tools, -grub, -boot are its parts
#     make check-matrix               every GRUB, firmware and Xen with one domain and several
#     make mutations                  which tests find each of some deliberate bugs
#     make fuzz SECONDS=N             each fuzzer of the pure half for so long, and what they reached
#     make bench                      how fast files are loaded, beside other ways; QUICK=1 for some of it
#     make docs                       the manual for info and as HTML, in build/docs; make pdf for paper
#     make lint                       what tools find in the sources without running them
#     make upstream-patch             patches for GRUB's own tree, in build/upstream-patch
#     make check-upstream             apply them to GRUB as released, build that, run its tests of ours
#     make clean                      remove what was built; distclean also what was fetched
#
# Each can be told by variables:
#
#     GRUB      2.06 (Debian 12's), 2.12 or 2.14
#     XEN       4.17 (Debian 12's), 4.20, or 4.20-static: 4.20 with static memory compiled in
#     FIRMWARE  edk2 or uboot
#     ROUNDS    of `make bench`, 3
#     MEMORY    what `make run` gives the machine, in MiB
#     BUGS      which of tests/mutations/list `make mutations` tries, not all
#     prefix    where `make install` installs, and DESTDIR in front of that
#
# Whatever is missing is installed (scripts/setup), fetched (scripts/fetch) or built first.

GRUBS = 2.06 2.12 2.14
XENS = 4.17 4.20 4.20-static
FIRMWARES = edk2 uboot

GRUB ?= 2.06
XEN ?= 4.17
FIRMWARE ?= edk2
MEMORY ?= 2048
ROUNDS ?= 3
prefix = /usr/local
DESTDIR =

# choice VARIABLE,VALUES: a wrong word is an error before anything is done.
choice = $(if $(filter $($(1)),$(2)),,$(error $(1)=$($(1)): choose one of $(2)))
$(call choice,GRUB,$(GRUBS))
$(call choice,XEN,$(XENS))
$(call choice,FIRMWARE,$(FIRMWARES))

# An installed GRUB stands for its module, the last file that scripts/build touches. It is made
# of every file of these folders; the folders themselves tell when one has come or gone.
module = build/grub-$(1)/install/lib/grub/arm64-efi/xen_dom0less.mod
sources := $(shell find grub-core include util Makefile.util.def) $(wildcard tests/*.in) scripts/build

# The last file that scripts/build-deb leaves stands for its packages.
packages = build/deb/grub-$(1)/debian/files
packaging := $(shell find debian docs/man) build/docs/xen_dom0less.info scripts/build-deb

linux = build/guest/vmlinuz build/guest/busybox

all: $(call module,$(GRUB))

$(foreach grub,$(GRUBS) 2.14-plain,$(eval $(call module,$(grub)): $(sources) | setup-build; @scripts/build $(grub)))

install: all
	@scripts/install $(GRUB) "$(abspath $(prefix))" "$(if $(DESTDIR),$(abspath $(DESTDIR)))"

deb: $(call packages,$(GRUB))

$(foreach grub,$(GRUBS),$(eval $(call packages,$(grub)): $(call module,$(grub))))
$(call packages,%): $(packaging) | setup-deb
	@scripts/build-deb $*

# What others wrote. It comes whole or not at all, and never again.
build/src/% build/guest/%: | setup-fetch
	@scripts/fetch $*

# Of the very version of that source.
build/guest/grub-efi-2.06 build/guest/debian-2.06.tar: | build/src/grub-2.06
build/guest/debian-2.06.tar: | setup-tools

build/guest/xen-4.20-static.efi: scripts/build-xen | setup-build
	@scripts/build-xen

# The tests' own guest, which stands on libfdt.
build/guest/small: $(wildcard tests/guest/*) | build/src/dtc setup-build
	@$(MAKE) --no-print-directory -C tests/guest

run: $(call module,$(GRUB)) build/guest/xen-$(XEN).efi $(linux) | setup-boot
	@GRUB=$(GRUB) GRUB_DIR=build/grub-$(GRUB)/install XEN=$(XEN) FIRMWARE=$(FIRMWARE) MEMORY=$(MEMORY) scripts/run-demo

# Each suite leaves its results as JUnit files in build/results/SUITE, to be added up.
check: suite-lint-needs suite-unit-needs suite-fuzz-needs suite-tools-needs suite-grub-needs suite-boot-needs
	@for suite in lint unit fuzz tools grub boot; do \
	  $(MAKE) --no-print-directory suite-$$suite; ended="$$ended $$suite=$$?"; \
	done; scripts/count-results $$ended

check-lint check-unit check-fuzz check-tools check-grub check-boot: check-%: suite-%-needs
	@$(MAKE) --no-print-directory suite-$*; scripts/count-results $*=$$?

lint: check-lint

suite-lint-needs: $(call module,2.12) build/src/dtc setup-lint
suite-lint: suite-lint-needs
	@rm -rf build/results/lint
	/usr/bin/python3 -m pytest --junitxml=build/results/lint/pytest.xml tests/lint

suite-unit-needs: setup-unit
suite-unit: suite-unit-needs
	@rm -rf build/results/unit
	@$(MAKE) -C tests/unit check

suite-fuzz-needs: build/src/dtc setup-fuzz
suite-fuzz: suite-fuzz-needs
	@rm -rf build/results/fuzz
	@$(MAKE) --no-print-directory -C tests/fuzz check

suite-tools-needs: $(call module,2.12) build/guest/xen-4.17.efi build/guest/xen-4.20.efi $(linux) | setup-tools
suite-tools-needs: $(call packages,2.06) build/guest/grub-efi-2.06
# Packages are installed in a folder, which takes root; without it those tests say so.
suite-tools-needs: $(if $(filter 0,$(shell id -u)),build/guest/debian-2.06.tar)
suite-tools: suite-tools-needs
	@rm -rf build/results/tools
	/usr/bin/python3 -m pytest --junitxml=build/results/tools/pytest.xml tests/tools

# Of the three versions only 2.14's grub-shell knows today's firmware for arm64.
suite-grub-needs: $(call module,2.14) | setup-grub
suite-grub: suite-grub-needs
	@rm -rf build/results/grub
	@tests/grub/run build/grub-2.14/obj build/results/grub

suite-boot-needs: $(foreach grub,$(GRUBS),$(call module,$(grub)))
suite-boot-needs: $(call packages,2.06) build/guest/grub-efi-2.06
suite-boot-needs: $(foreach xen,$(XENS),build/guest/xen-$(xen).efi) build/guest/small $(linux) | setup-boot setup-places
suite-boot: suite-boot-needs
	@rm -rf build/results/boot
	/usr/bin/python3 -m pytest -n 2 --junitxml=build/results/boot/pytest.xml tests/boot

# What each suite stands on has been built from the sources without bugs.
mutations: suite-unit-needs suite-tools-needs suite-boot-needs
	@tests/mutations/run $(BUGS)

check-matrix: suite-boot-needs $(call module,2.14-plain)
	@rm -rf build/results/matrix
	@MATRIX=all /usr/bin/python3 -m pytest -n 2 --junitxml=build/results/matrix/pytest.xml tests/boot/test_matrix.py; \
	status=$$?; /usr/bin/python3 tests/boot/matrix.py build/results/matrix/pytest.xml; scripts/count-results matrix=$$status

fuzz: suite-fuzz-needs
	@$(MAKE) --no-print-directory -C tests/fuzz run; status=$$?; $(MAKE) --no-print-directory -C tests/fuzz coverage \
	&& exit $$status

# Of GRUB 2.12 unless told otherwise: that is what most have.
bench_grub = $(if $(filter file,$(origin GRUB)),2.12,$(GRUB))
bench: $(call module,$(bench_grub)) build/guest/xen-4.17.efi build/guest/small $(linux) | setup-bench
	@/usr/bin/python3 tests/bench/bench.py --grub $(bench_grub) --rounds $(ROUNDS) $(if $(QUICK),--quick)

# The manual: one file for info, one for a browser, one for paper.
manual = build/docs/xen_dom0less
docs: $(manual).info $(manual).html
pdf: $(manual).pdf

$(manual).info $(manual).html: $(wildcard docs/*.texi) | setup-docs
	@mkdir -p $(@D)
	makeinfo $(if $(filter %.html,$@),--html --no-split) -I docs -o $@ docs/xen_dom0less.texi

$(manual).pdf: $(wildcard docs/*.texi) | setup-pdf
	@mkdir -p $(@D)/pdf
	cd $(@D)/pdf && texi2pdf --quiet -I $(CURDIR)/docs -o ../$(@F) $(CURDIR)/docs/xen_dom0less.texi

upstream-patch: build/src/grub-2.14-plain build/src/dtc
	@scripts/upstream-patch

check-upstream: upstream-patch | setup-build setup-docs setup-grub
	@scripts/check-upstream; scripts/count-results upstream=$$?

# setup-GROUP: the packages of that group in scripts/packages.
setup-build: setup-fetch
setup-%:
	@scripts/setup $*

clean:
	rm -rf build/grub-* build/xen-* build/results build/boot build/demo build/unit build/fuzz build/dts build/deb build/docs
	rm -rf build/upstream-* build/mutations

distclean:
	rm -rf build

.PHONY: all install deb run check check-lint check-unit check-fuzz check-tools check-grub check-boot check-matrix
.PHONY: bench docs pdf fuzz lint mutations upstream-patch check-upstream clean distclean
.PHONY: suite-lint suite-lint-needs suite-unit suite-unit-needs suite-fuzz suite-fuzz-needs suite-tools suite-tools-needs
.PHONY: suite-grub suite-grub-needs suite-boot suite-boot-needs
# GRUB's builds use all processors themselves, and their reports are read one after the other.
.NOTPARALLEL:
