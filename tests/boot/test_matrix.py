"""The matrix: every GRUB on every firmware with every Xen, with one domain and with several, from the menu.

`make check` boots a part, in which every two values of different dimensions meet; `make check-matrix` boots all and
leaves a table (matrix.py).
"""

import itertools
import os

import pytest

import conftest
from disk import at_once
from machine import FIRMWARES, OWN_FIRMWARE
from paths import OWN_GRUB, OWN_XEN
from tree import make_dtb
from two import LOAD_TWO, ONE, XEN_EFI, check_one, check_two

UPSTREAM = "2.14-upstream"      # which `make check-matrix` alone builds
GRUBS = [*conftest.GRUBS, *([] if OWN_GRUB else [UPSTREAM])]
XENS = [*conftest.XENS, *([] if OWN_XEN else ["static"])]
DOMAINS = ["one", "several"]
OWN = bool(OWN_GRUB or OWN_XEN or OWN_FIRMWARE)
# With which firmware each GRUB starts Linux, in several domains of Xen 4.17. Elsewhere the small guest stands for it.
LINUX = dict(zip(GRUBS, itertools.cycle(FIRMWARES)))


def cells():
    """[(grub, firmware, xen, domains)]"""
    every = list(itertools.product(GRUBS, FIRMWARES, XENS, DOMAINS))
    if os.environ.get("MATRIX") == "all":
        return every
    return [cell for cell in every if cell[0] != UPSTREAM and is_chosen(*cell)]


def is_chosen(grub, firmware, xen, domains):
    """Every second cell, and of those with the static Xen every fourth."""
    turn = GRUBS.index(grub) + FIRMWARES.index(firmware)
    if OWN:
        return True
    if xen == "static":
        return turn % 2 == 0 and (GRUBS.index(grub) + DOMAINS.index(domains)) % 2 == 0
    return (turn + XENS.index(xen) + DOMAINS.index(domains)) % 2 == 1


@pytest.mark.parametrize("grub, firmware, xen, domains", cells())
def test_cell(boot, grub, firmware, xen, domains):
    """The module comes by autoload; each domain has its ramdisk, vCPUs, memory and command line."""
    linux = (xen, domains, firmware) == ("4.17", "several", LINUX.get(grub))
    options = {"linux": linux, "grub": grub, "firmware": firmware, "xen": xen}
    if domains == "several":
        check_two(boot(at_once(LOAD_TWO), **options).domains("DomA", "DomB"), linux)
    else:
        machine = boot(at_once(f"xen_dom0less --dtb /one.dtb {XEN_EFI}"), {"one.dtb": make_dtb(ONE)}, **options)
        check_one(machine.domains("DomA"), linux)


@pytest.mark.skipif(OWN, reason="all is booted of what is brought along")
def test_part():
    """What `make check` boots leaves out no pair of values."""
    dimensions = conftest.GRUBS, FIRMWARES, XENS, DOMAINS
    part = [cell for cell in itertools.product(*dimensions) if is_chosen(*cell)]
    for (i, these), (j, those) in itertools.combinations(enumerate(dimensions), 2):
        assert {(cell[i], cell[j]) for cell in part} == set(itertools.product(these, those))
    assert len(part) < 18
