"""Machines: each value of what firmware and boards differ in, with the handover on all of them.

`make check-machines` boots cells in which every two values of different dimensions meet, and leaves a table
(matrix.py); `make check` boots so many of them that every value is there.
"""

import itertools
import os

import pytest

from disk import at_once
from machine import FIRMWARES, raspberry, raspberry_tree
from paths import some_grub, some_xen
from test_overlay import CHOSEN, overlay
from tree import domain
from two import XEN_EFI, check_domain

MACHINE = {
    "firmware": ["edk2", "edk2-2025", "edk2-newest", "edk2-2025-strict", "edk2-newest-strict", "uboot", "uboot-2025"],
    "cpu": ["cortex-a57", "neoverse-n1", "max", "cortex-a76", "cortex-a53"],
    "bus": ["virtio", "nvme", "ahci", "usb", "virtio-scsi", "4k"],
    "memory": ["1GiB", "3GiB", "8GiB", "16GiB", "8GiB-numa", "3GiB-low"],
    "console": ["serial", "ramfb"],
    "gic": ["gic3", "gic2"],
    "cpus": ["2cpus", "4cpus"],
}
# More of QEMU's options.
CPUS = {"max": "max,pauth-impdef=on"}
MIXED = {"max": ",mte=on"}
NUMA = ["-object", "memory-backend-ram,id=low,size=4G", "-object", "memory-backend-ram,id=high,size=4G",
        "-numa", "node,memdev=low", "-numa", "node,memdev=high"]


# What a firmware cannot do, so that it does not get as far as GRUB.
IMPOSSIBLE = {(("firmware", firmware), ("bus", "ahci")): "QEMU's EDK2 has no driver for AHCI"
              for firmware in MACHINE["firmware"] if firmware.startswith("edk2")}
IMPOSSIBLE |= {(("firmware", firmware), ("memory", "8GiB-numa")):
               "QEMU's U-Boot loses its memory when that is in two nodes: no allocation below 0x0, or an exception"
               for firmware in MACHINE["firmware"] if firmware.startswith("uboot")}
IMPOSSIBLE |= {(("firmware", firmware), ("bus", "virtio-scsi")): "U-Boot has no driver for virtio-scsi"
               for firmware in MACHINE["firmware"] if firmware.startswith("uboot")}
IMPOSSIBLE |= {(("firmware", firmware), ("bus", "4k")): "U-Boot takes virtio's sectors for 512 bytes and finds no partitions"
               for firmware in MACHINE["firmware"] if firmware.startswith("uboot")}
IMPOSSIBLE[("firmware", "uboot"), ("bus", "usb")] = "Debian 12's U-Boot for QEMU has no driver for its USB controller"
IMPOSSIBLE[("bus", "ahci"), ("memory", "8GiB-numa")] = "no firmware can do with both"


def pairs(cell):
    return set(itertools.combinations(cell.items(), 2))


def all_pairs():
    """Of values, that can be together."""
    found = {((one, this), (other, that))
             for one, other in itertools.combinations(MACHINE, 2)
             for this, that in itertools.product(MACHINE[one], MACHINE[other])}
    return found - set(IMPOSSIBLE)


def make_cells():
    """Cells in which all pairs are: each begins with a pair that is missing, and takes of each dimension the
    value that brings the most."""
    cells, missing, dimensions = [], all_pairs(), list(MACHINE)
    while missing:
        cell = dict(min(missing, key=lambda pair: [(dimensions.index(name), MACHINE[name].index(value))
                                                   for name, value in pair]))
        for name, values in MACHINE.items():
            if name not in cell:
                possible = [value for value in values if not pairs(sort({**cell, name: value})) & set(IMPOSSIBLE)]
                cell[name] = max(possible, key=lambda value: len(missing & pairs(sort({**cell, name: value}))))
        cells.append(sort(cell))
        missing -= pairs(cells[-1])
    return cells


def sort(cell):
    return {name: cell[name] for name in MACHINE if name in cell}


def sample(cells):
    """As few as have every value."""
    found, missing = [], {value for cell in cells for value in cell.items()}
    while missing:
        best = max(cells, key=lambda cell: len(missing & set(cell.items())))
        found.append(best)
        missing -= set(best.items())
    return found


CELLS = make_cells() if os.environ.get("MACHINES") == "all" else sample(make_cells())
TWO = overlay((CHOSEN, domain("DomA", ramdisk="a.img", cpus=2) + domain("DomB", ramdisk="b.img")))


@pytest.mark.skipif(FIRMWARES == ["own"], reason="FIRMWARE is a file")
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
def test_cell(boot, cell):
    extra, options = [], MIXED.get(cell["cpu"], "")
    size, _, layout = cell["memory"].partition("-")
    if layout == "numa":
        extra += NUMA
    if layout == "low":
        options += ",highmem=off"
    if cell["console"] == "ramfb":
        extra += ["-device", "ramfb"]
    machine = boot(
        at_once(f"xen_dom0less --overlay /two.dtbo {XEN_EFI}"), {"two.dtbo": TWO}, firmware=cell["firmware"],
        cpu=CPUS.get(cell["cpu"], cell["cpu"]), bus=cell["bus"], sector=4096 if cell["bus"] == "4k" else 512,
        memory=1024 * int(size.removesuffix("GiB")), gic=int(cell["gic"][-1]), cpus=int(cell["cpus"][0]),
        options=options, extra=extra, grub=some_grub(), xen=some_xen())
    found = machine.domains("DomA", "DomB")
    check_domain(found["DomA"], "DomA", "a.img", "2", 128, False)
    check_domain(found["DomB"], "DomB", "b.img", "1", 128, False)


if os.environ.get("MACHINES") == "all":
    @pytest.mark.parametrize("pair", IMPOSSIBLE, ids=lambda pair: "-".join(value for _, value in pair))
    def test_impossible(pair):
        """For the table."""
        pytest.skip(IMPOSSIBLE[pair])


def test_raspberry(boot):
    """The tree is a file's, which U-Boot completes."""
    machine = boot(at_once(f"xen_dom0less --dtb /rpi4.dtb --overlay /two.dtbo {XEN_EFI}"),
                   {"two.dtbo": TWO, "rpi4.dtb": raspberry_tree()}, board=raspberry,
                   grub=some_grub(), xen=some_xen("4.20"))
    found = machine.domains("DomA", "DomB")
    check_domain(found["DomA"], "DomA", "a.img", "2", 128, False)
    check_domain(found["DomB"], "DomB", "b.img", "1", 128, False)


def test_part():
    """Every two values meet, and in the sample is every value."""
    cells = make_cells()
    assert set().union(*map(pairs, cells)) == all_pairs()
    assert {value for cell in sample(cells) for value in cell.values()} == set().union(*MACHINE.values())
