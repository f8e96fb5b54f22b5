"""What every boot test gets: `boot`, which makes a disk and starts a machine from it.

    make check-boot, or  /usr/bin/python3 -m pytest -n 2 tests/boot

GRUB, XEN and FIRMWARE in the environment choose what is used where a test does not say. Consoles are kept in
build/boot/; a failed test shows the end of its own.
"""

import os
import re
import tempfile

import pytest

from disk import make_disk
from guest import ramdisk
from machine import FIRMWARES, Machine
from paths import BUILD, GUEST, grub_dir
from tree import make_dtb
from two import TWO

GRUBS = ["2.06", "2.12", "2.14"]
XENS = ["4.17", "4.20"]


@pytest.fixture
def boot(request):
    """boot(menu, files={}, esp={}, core=…, grub=…, xen=…, firmware=…, and what else Machine takes) -> Machine

    `esp` is what the EFI system partition holds beside GRUB, and `core` that GRUB, if not the plain one. Besides
    `files` the disk holds xen.efi, vmlinuz, a.img and b.img (ramdisks of these names) and two.dtb (two.py).
    """
    folder = BUILD / "boot"
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    machines = request.node.machines = []

    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        def start(menu="", files=None, esp=None, core=None, grub=None, xen=None, **machine):
            grub = grub_dir(grub or os.environ.get("GRUB") or GRUBS[0])
            xen = GUEST / f"xen-{xen or os.environ.get('XEN') or XENS[0]}.efi"
            machine.setdefault("firmware", os.environ.get("FIRMWARE") or FIRMWARES[0])
            content = {
                "xen.efi": xen,
                "vmlinuz": GUEST / "vmlinuz",
                "a.img": ramdisk("a.img"),
                "b.img": ramdisk("b.img"),
                "two.dtb": make_dtb(TWO),
                **(files or {}),
            }
            number = len(machines)
            disk = make_disk(f"{scratch}/disk-{number}.img", grub, content, menu, esp, core)
            started = Machine(disk, folder / f"{name}{f'-{number}' * bool(number)}.log", **machine)
            machines.append(started)
            return started

        yield start
        for started in machines:
            started.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for machine in getattr(item, "machines", []):
            lines = machine.text.rstrip().split("\n")[-40:]
            report.sections.append((f"end of {machine.log}", "\n".join(lines)))
