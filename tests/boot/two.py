"""The two domains that most tests boot, the command that loads them, and what they must report."""

from tree import chosen, domain

TWO = chosen(domain("DomA", ramdisk="a.img", cpus=2, memory=128),
             domain("DomB", ramdisk="b.img", cpus=3, memory=512))

# Every disk has the files; see the fixture `boot`.
LOAD_TWO = "xen_dom0less --dtb /two.dtb /xen.efi console=dtuart noreboot"


def check_two(found):
    """Each has its own ramdisk, vCPUs, memory and command line."""
    a, b = found["DomA"], found["DomB"]
    assert (a["ramdisk"], a["cpus"], b["ramdisk"], b["cpus"]) == ("a.img", "2", "b.img", "3")
    assert a["cmdline"] == "console=ttyAMA0 quiet hostname=DomA"
    assert b["cmdline"] == "console=ttyAMA0 quiet hostname=DomB"
    # Linux keeps some of it for itself, and more where there is more.
    assert 80 << 10 < _kilobytes(a) < 128 << 10
    assert 400 << 10 < _kilobytes(b) < 512 << 10


def _kilobytes(report):
    return int(report["memory"].removesuffix(" kB"))
