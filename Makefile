# xen_dom0less: a GRUB module that boots a dom0less Xen machine under UEFI.
#
#     make                            GRUB for arm64-efi with the module, in build/grub-$(GRUB)/install
#     make install prefix=DIR         the same as an ordinary GRUB installation in DIR
#     make deb                        Debian packages for the distribution's own GRUB, in build/deb
#     make run                        the demonstration: Xen and two Linux domains in QEMU
#     make check                      all tests; check-lint, -unit, -fuzz, -tools, -judge, -grub, -boot are its parts
#     make check-targets              each target in this list, the long ones in a short form
#     make check-matrix               every GRUB, firmware and Xen, with one domain and with several
#     make judge N=100 SEED=1         random trees: compare the check's verdict with what Xen does
#     make check-boards               run the check on all boards' device trees from several kernels
#     make check-machines             boot on every firmware, processor, bus and size of machine
#     make mutations                  insert deliberate bugs, and list the tests that find them
#     make fuzz SECONDS=N             run each fuzzer for N seconds, and print the coverage
#     make bench                      measure how fast files load, compared with others; QUICK=1 for a part
#     make docs                       the manual for info and as HTML, in build/docs; make pdf for paper
#     make lint                       static analysis of the sources
#     make upstream-patch             series of patches for GRUB's own tree, in build/upstream-patch
#     make check-upstream             apply them to GRUB as released, build and test it after each patch
#     make layers                     a layer for Yocto and an external tree for Buildroot, in build/layers
#     make check-layers               build GRUB as the layer would, and boot two domains with it
#     make clean                      remove what was built; distclean also what was fetched
#
# Variables select the details:
#
#     GRUB      one of scripts/things; 2.06, which is Debian 12's, if nothing is chosen
#     XEN       the same; 4.17 if nothing is chosen
#     FIRMWARE  edk2 or uboot
#     ROUNDS    of `make bench`, 3
#     MEMORY    the memory of the machine of `make run`, in MiB
#     BUGS      the bugs of tests/mutations/list that `make mutations` inserts; default: all
#     BOARDS    the number of boards for `make check-boards`; default: all
#     CELLS     the cells that `make check-matrix` boots, as an expression for pytest's -k
#     SECTIONS  the parts of `make bench` to run
#     VERSIONS  the versions for `make upstream-patch` and `make check-upstream`, of which `own' is the
#               tree that GRUB_SOURCE names; default: 2.14 2.12
#     SERIES    the series that `make check-upstream` tries, such as 01-loader; default: all
#     N, SEED   for `make judge`: the number of trees, and of the first tree; default of SEED: the time
#     prefix    the directory for `make install`; DESTDIR is prepended to it
#
# Or bring your own, for `make run`, `check-boot` and `check-matrix`:
#
#     GRUB_SOURCE=DIR    a source tree of GRUB        XEN=FILE.efi       a Xen
#     FIRMWARE=FILE.fd   a firmware                   XEN_SOURCE=DIR     a source tree of Xen
#     QEMU=PROGRAM       a QEMU
#
# Whatever is missing is installed (scripts/setup), fetched (scripts/fetch) or built first. If
# something is not available that only some tests need, these tests are skipped.
# UNAVAILABLE="NAME..." treats NAME as not available.

suites = lint unit fuzz tools judge grub boot targets

# All groups of packages.
groups := $(shell awk '/^[a-z]/ { print $$1 }' scripts/packages | uniq)

# The versions, and what else is fetched, are in scripts/things.
named = $(shell awk '$$1 == "$(1)" { print $$2 }' scripts/things)
GRUBS := $(call named,grub)
XENS := $(call named,xen)
FIRMWARES = edk2 uboot

choices = GRUB XEN FIRMWARE
# What is chosen at all; the rest is for whoever takes the first that can be had.
told := $(foreach name,$(choices),$(if $(filter undefined,$(origin $(name))),,$(name)))

GRUB ?= $(firstword $(GRUBS))
XEN ?= $(firstword $(XENS))
FIRMWARE ?= edk2
MEMORY ?= 2048
ROUNDS ?= 3
prefix = /usr/local
DESTDIR =

# A name of a file, seen from everywhere.
absolute = $(if $(findstring /,$(1))$(filter %.efi %.fd,$(1)),$(abspath $(1)),$(1))
override XEN := $(call absolute,$(XEN))
override FIRMWARE := $(call absolute,$(FIRMWARE))
ifdef XEN_SOURCE
override XEN_SOURCE := $(abspath $(XEN_SOURCE))
endif
ifdef GRUB_SOURCE
override GRUB_SOURCE := $(abspath $(GRUB_SOURCE))
endif
export XEN_SOURCE GRUB_SOURCE QEMU UNAVAILABLE

# choice VARIABLE,VALUES,FILE: a wrong word is an error before anything is done.
choice = $(if $(filter $($(1)),$(2))$(and $(3),$(wildcard $(filter /%,$($(1))))),,$(error $(1)=$($(1)): choose one of $(strip $(2) $(3))))
$(call choice,GRUB,$(GRUBS) $(if $(GRUB_SOURCE),own))
$(call choice,XEN,$(XENS) $(if $(XEN_SOURCE),own),FILE.efi)
$(call choice,FIRMWARE,$(FIRMWARES),FILE.fd)

# An installed GRUB stands for its module, the last file that scripts/build touches. It is made
# of every file of these folders; the folders themselves tell when one has come or gone.
module = build/grub-$(1)/install/lib/grub/arm64-efi/xen_dom0less.mod
sources := $(shell find grub-core include util Makefile.util.def) $(wildcard tests/*.in) scripts/build

# The last file that scripts/build-deb leaves stands for its packages.
packages = build/deb/grub-$(1)/debian/files
packaging := $(shell find debian docs/man) build/docs/xen_dom0less.info scripts/build-deb

linux = build/guest/vmlinuz build/guest/busybox

all: $(call module,$(GRUB))

# What was asked for must be there; what tests would use, may be missing.
$(suites:%=suite-%-needs) suite-matrix-needs: export OPTIONAL = yes

$(foreach grub,$(GRUBS) own,$(eval $(call module,$(grub)): $(sources) | setup-build; @scripts/build $(grub)))

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
build/guest/grub-efi-2.12 build/guest/debian-2.12.tar: | build/src/grub-2.12
build/guest/debian-2.06.tar build/guest/debian-2.12.tar build/guest/qemu-trixie: | setup-tools

build/guest/xen-static.efi: scripts/build-xen | setup-build
	@scripts/build-xen static

# Of a tree that others work on: its own build knows what has changed.
build/guest/xen-own.efi: always | setup-build
	@scripts/build-xen own

# The tests' own guest, which stands on libfdt.
build/guest/small: $(wildcard tests/guest/*) | build/src/dtc setup-build
	@$(MAKE) --no-print-directory -C tests/guest

# The GRUB and the Xen of this run: what is chosen, or the first that can be had.
as_told = env $(patsubst %,-u %,$(filter-out $(told),$(choices))) $(foreach name,$(told),$(name)=$($(name)))
run: | setup-boot setup-build
	@$(as_told) scripts/inventory run
	@$(MAKE) --no-print-directory run-this $$(cat build/using)

run-this: $(call module,$(GRUB)) $(if $(findstring /,$(XEN)),,build/guest/xen-$(XEN).efi) $(linux)
	@GRUB=$(GRUB) XEN=$(XEN) FIRMWARE=$(FIRMWARE) MEMORY=$(MEMORY) scripts/run-demo

# Each suite leaves its results as JUnit files in build/results/SUITE, to be added up.
check: inventory $(suites:%=suite-%-needs)
	@for suite in $(suites); do \
	  $(MAKE) --no-print-directory suite-$$suite; ended="$$ended $$suite=$$?"; \
	done; scripts/count-results $$ended

# What there is, and what is missing. What was missing an hour ago is asked for again.
inventory:
	@rm -rf build/missing
	@scripts/setup $(groups)
	@scripts/inventory check

$(suites:%=check-%): check-%: suite-%-needs
	@$(MAKE) --no-print-directory suite-$*; scripts/count-results $*=$$?

lint: check-lint

# Any GRUB will do for what does not depend on its version, but 2.12 is what most have.
some-grub: | setup-build
	@for grub in 2.12 $(filter-out 2.12,$(GRUBS)); do \
	  $(MAKE) --no-print-directory $(call module,$$grub) || exit; [ ! -e $(call module,$$grub) ] || exit 0; \
	done; echo "no GRUB can be had" >&2; exit 1

suite-lint-needs: some-grub build/src/dtc setup-lint
suite-lint: suite-lint-needs
	@rm -rf build/results/lint
	/usr/bin/python3 -m pytest --junitxml=build/results/lint/pytest.xml tests/lint

suite-unit-needs: build/src/dtc setup-unit
suite-unit: suite-unit-needs
	@rm -rf build/results/unit
	@$(MAKE) -C tests/unit check

suite-fuzz-needs: build/src/dtc setup-fuzz
suite-fuzz: suite-fuzz-needs
	@rm -rf build/results/fuzz
	@scripts/skip-suite fuzz "clang libclang-rt-dev" $(basename $(notdir $(wildcard tests/fuzz/fuzz_*.c))) || \
	  $(MAKE) --no-print-directory -C tests/fuzz check

suite-tools-needs: some-grub build/guest/xen-4.17.efi build/guest/xen-4.20.efi $(linux) | setup-tools
# Debian 12's GRUB and Debian 13's. Packages are installed in a folder, which takes root; without it those tests say so.
suite-tools-needs: $(foreach grub,2.06 2.12,$(call packages,$(grub)) build/guest/grub-efi-$(grub))
suite-tools-needs: $(if $(filter 0,$(shell id -u)),build/guest/debian-2.06.tar build/guest/debian-2.12.tar)
suite-tools-needs: build/guest/boards-6.1 build/src/grub-2.14-upstream build/src/grub-2.12-upstream build/src/dtc
suite-tools: suite-tools-needs
	@rm -rf build/results/tools
	/usr/bin/python3 -m pytest --junitxml=build/results/tools/pytest.xml tests/tools

# The device trees of Debian 12's kernel, Debian 13's and the newest.
BOARDS ?= all
check-boards: suite-tools-needs build/guest/boards-6.12 build/guest/boards-newest
	@rm -rf build/results/boards
	@BOARDS=$(BOARDS) /usr/bin/python3 -m pytest --junitxml=build/results/boards/pytest.xml tests/tools/test_boards.py; \
	status=$$?; cat build/results/boards/found.txt; scripts/count-results boards=$$status

# Of the three versions only 2.14's grub-shell knows today's firmware for arm64.
suite-grub-needs: $(call module,2.14) | setup-grub
suite-grub: suite-grub-needs
	@rm -rf build/results/grub
	@scripts/skip-suite grub "grub-2.14 xorriso" $(basename $(notdir $(wildcard tests/*.in))) || \
	  tests/grub/run build/grub-2.14/obj build/results/grub

# Upstream's GRUB is in the whole matrix only.
boot_grubs = $(filter-out %-upstream,$(GRUBS)) $(if $(GRUB_SOURCE),own)
suite-boot-needs: $(foreach grub,$(boot_grubs),$(call module,$(grub)))
suite-boot-needs: $(call packages,2.06) build/guest/grub-efi-2.06 build/guest/debian-2.06.tar build/guest/qemu-trixie
suite-boot-needs: $(foreach xen,$(XENS) $(if $(XEN_SOURCE),own),build/guest/xen-$(xen).efi)
suite-boot-needs: build/guest/edk2-2025 build/guest/edk2-newest build/guest/u-boot-2025
suite-boot-needs: build/guest/u-boot-rpi build/guest/boards-6.1
suite-boot-needs: build/guest/small $(linux) | setup-boot setup-places
boot_tests = $(as_told) /usr/bin/python3 -m pytest $(if $(wildcard build/missing/python3-pytest-xdist),,-n 2)
suite-boot: suite-boot-needs
	@rm -rf build/results/boot
	$(boot_tests) --junitxml=build/results/boot/pytest.xml tests/boot

# What each suite stands on has been built from the sources without bugs.
# Each target of this file's head, in a small form.
suite-targets-needs: suite-unit-needs suite-tools-needs suite-boot-needs
suite-targets: suite-targets-needs
	@rm -rf build/results/targets
	/usr/bin/python3 -m pytest --junitxml=build/results/targets/pytest.xml tests/targets

# Xen as the judge of the check tool.
judge_tool = build/grub-2.12/install/bin/grub-dom0less-check
suite-judge-needs: some-grub build/guest/small $(foreach xen,$(XENS),build/guest/xen-$(xen).efi) | setup-boot
suite-judge: suite-judge-needs
	@rm -rf build/results/judge
	/usr/bin/python3 -m pytest --junitxml=build/results/judge/pytest.xml tests/judge

judge_xen = $(if $(findstring /,$(XEN)),$(XEN),build/guest/xen-$(XEN).efi)
judge: $(call module,2.12) build/guest/small $(if $(findstring /,$(XEN)),,$(judge_xen)) | setup-boot
	@/usr/bin/python3 tests/judge/judge.py --tool $(judge_tool) --xen $(judge_xen) --count $(or $(N),100) \
	  $(if $(SEED),--seed $(SEED))

mutations: suite-unit-needs suite-tools-needs suite-boot-needs
	@tests/mutations/run $(BUGS)

suite-matrix-needs: suite-boot-needs $(call module,2.14-upstream)
check-matrix: suite-matrix-needs
	@rm -rf build/results/matrix
	@MATRIX=all $(boot_tests) $(if $(CELLS),-k '$(CELLS)') --junitxml=build/results/matrix/pytest.xml \
	  tests/boot/test_matrix.py; \
	status=$$?; /usr/bin/python3 tests/boot/matrix.py build/results/matrix/pytest.xml; scripts/count-results matrix=$$status

check-machines: suite-boot-needs
	@rm -rf build/results/machines
	@MACHINES=all $(boot_tests) $(if $(CELLS),-k '$(CELLS)') --junitxml=build/results/machines/pytest.xml \
	  tests/boot/test_machines.py tests/boot/test_handover.py; \
	status=$$?; /usr/bin/python3 tests/boot/matrix.py build/results/machines/pytest.xml; scripts/count-results machines=$$status

fuzz: suite-fuzz-needs
	@$(MAKE) --no-print-directory -C tests/fuzz run; status=$$?; $(MAKE) --no-print-directory -C tests/fuzz coverage \
	&& exit $$status

# Of GRUB 2.12 unless told otherwise: that is what most have.
bench_grub = $(if $(filter file,$(origin GRUB)),2.12,$(GRUB))
bench: $(call module,$(bench_grub)) build/guest/xen-4.17.efi build/guest/small $(linux) | setup-bench
	@/usr/bin/python3 tests/bench/bench.py --grub $(bench_grub) --rounds $(ROUNDS) $(if $(QUICK),--quick) $(SECTIONS)

# Where something may be missing, whatever stands on it is left out.
missing = [ "$$OPTIONAL" ] && scripts/missing

# The manual: one file for info, one for a browser, one for paper.
manual = build/docs/xen_dom0less
docs: $(manual).info $(manual).html
pdf: $(manual).pdf

$(manual).info $(manual).html: $(wildcard docs/*.texi) | setup-docs
	@mkdir -p $(@D)
	@$(missing) texinfo || \
	makeinfo $(if $(filter %.html,$@),--html --no-split) -I docs -o $@ docs/xen_dom0less.texi

$(manual).pdf: $(wildcard docs/*.texi) | setup-pdf
	@mkdir -p $(@D)/pdf
	cd $(@D)/pdf && texi2pdf --quiet -I $(CURDIR)/docs -o ../$(@F) $(CURDIR)/docs/xen_dom0less.texi

# For both of these, of which VERSIONS may leave one.
VERSIONS = 2.14 2.12
upstream-patch: $(patsubst %,build/src/grub-%-upstream,$(filter-out own,$(VERSIONS))) build/src/dtc
	@scripts/upstream-patch $(VERSIONS)

check-upstream: upstream-patch | setup-build setup-docs setup-grub
	@SERIES='$(SERIES)' scripts/check-upstream $(VERSIONS); scripts/count-results upstream=$$?

layers: upstream-patch
	@scripts/make-layers

check-layers: layers build/guest/xen-4.17.efi $(linux) | setup-build setup-deb setup-boot
	@scripts/check-layers

# setup-GROUP: the packages of that group in scripts/packages.
setup-build: setup-fetch
setup-%:
	@scripts/setup $*

always:

clean:
	rm -rf build/missing build/using build/grub-* build/xen-* build/results build/boot build/demo build/unit build/fuzz build/dts build/deb build/docs
	rm -rf build/upstream-* build/layers* build/mutations

distclean:
	rm -rf build

.PHONY: all install deb run run-this inventory some-grub always check check-lint check-unit check-fuzz check-tools check-grub check-boot check-matrix check-machines check-boards
.PHONY: bench docs pdf fuzz lint mutations upstream-patch check-upstream layers check-layers clean distclean
.PHONY: suite-lint suite-lint-needs suite-unit suite-unit-needs suite-fuzz suite-fuzz-needs suite-tools suite-tools-needs
.PHONY: suite-targets suite-targets-needs
.PHONY: judge suite-judge suite-judge-needs
.PHONY: suite-grub suite-grub-needs suite-boot suite-boot-needs suite-matrix-needs
# GRUB's builds use all processors themselves, and their reports are read one after the other.
.NOTPARALLEL:
