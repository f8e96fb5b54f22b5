"""The manual's menu of two sets (docs/updates.texi): whatever is wrong with the new one, the old one comes up by itself."""

import gzip

import pytest

from guest import kernel, ramdisk
from machine import Died, qemu
from manual import examples
from paths import some_grub, some_xen, xen_image
from tree import chosen, domain, make_dtb, module

GRUB, XEN = some_grub(), some_xen()
MENU, = (example.text for example in examples("source") if example.about.endswith("two-sets.cfg"))
SIZE = 1024


def rebooting(disk, **arguments):
    """A machine that starts again when it is reset, with the disk as it has become."""
    return [word for word in qemu(disk, **arguments) if word != "-no-reboot"]


def environment(tries):
    """GRUB's environment block, with so many tries for the new set."""
    return f"# GRUB Environment Block\ndom0less_tries={tries}\n".ljust(SIZE, "#")


def set_of(name, tree=None, **files):
    """The files of a set; its domain is called after it."""
    content = {"board.dtb": make_dtb(tree or chosen(domain(name, ramdisk="a.img"))), "xen.efi": xen_image(XEN),
               "vmlinuz": kernel(), "a.img": ramdisk(name), **files}
    return {f"boot/{name}/{file}": data for file, data in content.items() if data is not None}


@pytest.fixture
def start(boot):
    def run(tries, new):
        return boot(MENU, {**set_of("good"), **new, "boot/grub/grubenv": environment(tries)}, grub=GRUB, xen=XEN,
                    board=rebooting, firmware="edk2")
    return run


@pytest.mark.parametrize("tries, booted", [("", "good"), ("ok", "new"), (3, "new"), (0, "good")])
def test_choice(start, tries, booted):
    """Without a try left, or any that was given, the known-good set is started; with one, or for good, the new one."""
    assert start(tries, set_of("new")).domains(booted)[booted]["ramdisk"] == booted


@pytest.mark.parametrize("new, words", [
    (set_of("new", chosen(domain("new", ramdisk="a.img").replace("cpus = <1>;", ""))), "cpus-impossible"),
    (set_of("new", **{"a.img": None}), "file-missing"),
    (set_of("new", **{"xen.efi": b"no Xen"}), "xen.efi"),
], ids=["bad-tree", "missing-file", "bad-xen"])
def test_cannot_be_loaded(start, new, words):
    """In the same boot, and whether it was tried before or had been said to work."""
    machine = start("ok", new)
    # It goes on after ten seconds, too.
    machine.expect("Press any key to continue")
    machine.press("\r")
    assert machine.domains("good")["good"]["ramdisk"] == "good"
    assert words in machine.text


def test_panic(start):
    """Xen cannot unpack this kernel, which nobody looks into before, and panics. It resets the machine; after the last try
    the known-good set is started."""
    broken = bytearray(gzip.compress(kernel(), mtime=0))
    broken[20:40] = bytes(20)
    machine = start(1, set_of("new", vmlinuz=bytes(broken)))
    with pytest.raises(Died, match="Xen panicked"):
        machine.expect("no such words")
    assert machine.domains("good")["good"]["ramdisk"] == "good"
    assert machine.text.count("Xen version") == 2


def test_never_reports(start):
    """A dom0 that resets the machine stands for the watchdog: with two tries left the new set is started twice."""
    tree = chosen(module(9, "kernel", "vmlinuz", 'bootargs = "reset";'), domain("new", ramdisk="a.img"))
    machine = start(2, set_of("new", tree))
    assert machine.domains("good")["good"]["ramdisk"] == "good"
    assert machine.text.count("Xen version") == 3
