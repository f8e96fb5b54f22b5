"""What every boot test gets: `boot`, which makes a disk and starts a machine from it.

    make check-boot, or  /usr/bin/python3 -m pytest -n 2 tests/boot

GRUB, XEN and FIRMWARE in the environment choose what is used where a test does not say. Consoles are kept in
build/boot/; a failed test shows the end of its own.
"""

import os
import re
import tempfile
from pathlib import Path

import pytest

from disk import BOOTAA64_EFI, make_disk
from guest import kernel, linux_kernel, linux_ramdisk, ramdisk
from machine import FIRMWARES, Machine
from needs import needs, pytest_fixture_setup      # noqa: F401: pytest finds them here
from paths import BUILD, OWN_GRUB, OWN_XEN, THINGS, grub_dir, some_grub, some_xen, xen_image
from tree import make_dtb
from two import TWO

# What tests of every version go through: those that are fetched, or the one that the environment brings. Upstream's
# GRUB is in `make check-matrix` alone, and the static Xen where something needs what only that has.
GRUBS = ["own"] if OWN_GRUB else [name for name in THINGS["grub"] if not name.endswith("-upstream")]
XENS = ["own"] if OWN_XEN else [name for name in THINGS["xen"] if name != "static"]


@pytest.fixture
def boot(request):
    """boot(menu, files={}, esp={}, core=…, linux=False, grub=…, xen=…, firmware=…, and what else Machine takes) -> Machine

    `grub` is a version that was built here, or the folder of an installation. `esp` is what the EFI system partition
    holds beside GRUB, and `core` that GRUB, if not the plain one. Besides `files` the disk holds xen.efi, vmlinuz, a.img
    and b.img (ramdisks of these names) and two.dtb (two.py); kernel and ramdisks are those of the small guest, or of
    Linux.
    """
    folder = BUILD / "boot"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    machines = request.node.machines = []

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        def start(menu="", files=None, esp=None, core=None, linux=False, grub=None, xen=None, sector=512,
                  **machine):
            if not isinstance(grub, Path):
                grub = grub_dir(grub or some_grub(*GRUBS))
            if core:
                esp = {**(esp or {}), BOOTAA64_EFI: core}
            xen = xen_image(xen or some_xen())
            if "board" not in machine:
                machine.setdefault("firmware", "own" if FIRMWARES == ["own"] else os.environ.get("FIRMWARE") or FIRMWARES[0])
            content = {
                "xen.efi": xen,
                "vmlinuz": linux_kernel() if linux else kernel(),
                **{name: (linux_ramdisk if linux else ramdisk)(name) for name in ("a.img", "b.img")},
                "two.dtb": make_dtb(TWO),
                **(files or {}),
            }
            number = len(machines)
            disk = make_disk(f"{scratch}/disk-{number}.img", grub, content, menu, esp, sector)
            started = Machine(disk, folder / f"{name}{f'-{number}' * bool(number)}.log", **machine)
            machines.append(started)
            return started

        yield start
        for started in machines:
            started.close()


def pytest_collection_modifyitems(config, items):
    """A test of what is missing, where nothing is, is none; pytest would count it as skipped."""
    def empty(item):
        return any("got empty parameter set" in mark.kwargs.get("reason", "") for mark in item.iter_markers("skip"))
    config.hook.pytest_deselected(items=[item for item in items if empty(item)])
    items[:] = [item for item in items if not empty(item)]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for machine in getattr(item, "machines", []):
            lines = machine.text.rstrip().split("\n")[-40:]
            report.sections.append((f"end of {machine.log}", "\n".join(lines)))
