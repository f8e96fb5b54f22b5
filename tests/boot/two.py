"""The two domains that most tests boot, the command that loads them, and what they must report."""

from tree import chosen, domain

DOM_A = domain("DomA", ramdisk="a.img", cpus=2, memory=128)
ONE = chosen(DOM_A)
TWO = chosen(DOM_A, domain("DomB", ramdisk="b.img", cpus=3, memory=512))

# Xen and its command line. Without the last word Xen clears the domains' memory, which takes longer than all the rest.
XEN_EFI = "/xen.efi console=dtuart noreboot bootscrub=0"
# Every disk has the files; see the fixture `boot`.
LOAD_TWO = f"xen_dom0less --dtb /two.dtb {XEN_EFI}"


def check_two(found, linux=False):
    """Each has its own ramdisk, vCPUs, memory and command line."""
    check_domain(found["DomA"], "DomA", "a.img", "2", 128, linux)
    check_domain(found["DomB"], "DomB", "b.img", "3", 512, linux)


def check_one(found, linux=False):
    """The first of them, alone."""
    check_domain(found["DomA"], "DomA", "a.img", "2", 128, linux)


def check_domain(said, name, ramdisk, cpus, memory, linux):
    assert (said["ramdisk"], said["cpus"]) == (ramdisk, cpus)
    assert said["cmdline"] == f"console=ttyAMA0 quiet hostname={name}"
    if linux:
        # It keeps some of the memory for itself, and more where there is more.
        assert 0.7 * memory < int(said["memory"].removesuffix(" kB")) / 1024 < memory
    else:
        assert (said["kernel"], said["memory"]) == ("vmlinuz", f"{memory * 1024} kB")
