"""Xen's own xen.cfg, and modules that are named by a key or an index."""

import pytest

from disk import at_once
from guest import kernel, ramdisk
from machine import findings
from paths import some_grub, some_xen, xen_image
from tree import chosen, domain, make_dtb

GRUB = some_grub()
DOM0 = "console=hvc0 quiet hostname=Dom0"


def test_keys(boot):
    """The dom0 from the section that the first file names in the file that it is chained to, with Xen's arguments;
    DomA's kernel by a key of that section, DomB's by a key and DomC's by an index of the command line. What is not
    known or not wanted is said, and no reason to stop."""
    machine = boot(at_once(
        "xen_dom0less --dtb /test.dtb --config /conf/first.cfg --module OURS=/ours --module /vmlinuz"
        " --module SPARE=/a.img /xen.efi"
    ), {
        "test.dtb": make_dtb(chosen(
            domain("DomA", kernel="THEIRS", ramdisk="a.img"),
            domain("DomB", kernel="OURS", ramdisk="a.img"),
            domain("DomC", ramdisk="a.img").replace('uefi,binary = "vmlinuz";', "mb-index = <1>;"),
        )),
        "ours": kernel("ours"),
        "conf/theirs": kernel("theirs"),
        "conf/first.cfg": "[global]\ndefault=one\nchain=conf/second.cfg\n",
        "conf/second.cfg": f"""
            [two]
            kernel=no-kernel
            [one]
            options=console=dtuart noreboot bootscrub=0 dom0_mem=256M
            kernel=vmlinuz {DOM0}
            ramdisk=b.img
            frobnicate=yes
            binary=conf/theirs THEIRS
            """.replace("\n            ", "\n"),
    }, grub=GRUB, xen=some_xen("4.20"))
    found = machine.domains("Dom0", "DomA", "DomB", "DomC")
    assert found["Dom0"]["cmdline"] == DOM0
    names = "Dom0", "DomA", "DomB", "DomC"
    assert [found[name]["kernel"] for name in names] == ["vmlinuz", "theirs", "ours", "vmlinuz"]
    assert [found[name]["ramdisk"] for name in names] == ["b.img", "a.img", "a.img", "a.img"]
    warnings = findings(machine.text.split("EFI loader")[0])
    assert len(warnings) == 2
    assert any("[config-unknown]" in line and "second.cfg: frobnicate" in line for line in warnings)
    assert any("[key-unused]" in line and "SPARE" in line for line in warnings)


@pytest.mark.parametrize("loader", ["chainloader", "xen_dom0less"])
def test_as_without_grub(boot, tmp_path, loader):
    """A machine that boots by Xen's own EFI stub boots here, and neither its tree nor its xen.cfg changes: the
    firmware's tree has the domains and leaves the dom0 to the file beside Xen."""
    board = tmp_path / "board.dtb"
    board.write_bytes(make_dtb(chosen(
        "xen,uefi-cfg-load;",
        domain("DomA", ramdisk="sub\\\\a.img").replace("uefi,binary", "xen,uefi-binary"),
    )))
    # `chainloader` tells Xen that it comes from $root, whatever its name says.
    machine = boot(at_once("set root=hd0,gpt1", f"{loader} (hd0,gpt1)/xen/xen.efi"), esp={
        "xen/xen.efi": xen_image(some_xen()),
        "xen/xen.cfg": f"[global]\ndefault=here\n[here]\noptions=console=dtuart noreboot bootscrub=0 dom0_mem=256M\n"
                       f"kernel=vmlinuz {DOM0}\nramdisk=b.img\n",
        "xen/vmlinuz": kernel(),
        "xen/b.img": ramdisk("b.img"),
        "xen/sub/a.img": ramdisk("a.img"),
    }, grub=GRUB, tree=board)
    found = machine.domains("Dom0", "DomA")
    assert [found[name]["ramdisk"] for name in ("Dom0", "DomA")] == ["b.img", "a.img"]
    assert found["Dom0"]["cmdline"].removeprefix("vmlinuz ") == DOM0
