"""What boots, and what Xen and the domains say then."""

from pathlib import Path

import pytest

from conftest import FIRMWARES, XENS
from disk import at_once
from guest import kernel, ramdisk
from paths import some_xen, xen_image
from tree import chosen, domain, make_dtb
from two import LOAD_TWO, TWO, XEN_EFI, check_two


def test_thread(boot):
    """The example that the discussion on xen-devel settled on: thread.dts says what was corrected."""
    machine = boot(at_once(f"xen_dom0less --dtb /thread.dtb {XEN_EFI}"), {
        "thread.dtb": make_dtb((Path(__file__).parent / "thread.dts").read_text()),
        "domu-kernel": kernel("domu-kernel"),
        "domA-ramdisk": ramdisk("domA-ramdisk"),
        "domB-ramdisk": ramdisk("domB-ramdisk"),
    })
    # Its domains have no names, so each is known by its ramdisk.
    found = machine.domains("domA-ramdisk", "domB-ramdisk")
    assert [found[name]["cpus"] for name in ("domA-ramdisk", "domB-ramdisk")] == ["2", "3"]
    assert {domain["kernel"] for domain in found.values()} == {"domu-kernel"}
    assert {domain["cmdline"] for domain in found.values()} == {"console=ttyAMA0 init=/bin/sh"}


@pytest.mark.parametrize("xen", XENS)
@pytest.mark.parametrize("cells", [
    [(1, 1), (2, 2), (3, 1), (4, 4)],
    [(1, 4), (2, 3), (3, 2), (4, 1)],
], ids=["narrow", "wide"])
def test_cells(boot, xen, cells):
    """A domain may write its modules' addresses and sizes in 1 to 4 cells each. The firmware would place them where one
    cell cannot say."""
    names = [f"Dom{address}{size}" for address, size in cells]
    nodes = [domain(name, ramdisk="a.img", cells=pair) for name, pair in zip(names, cells)]
    machine = boot(at_once(f"xen_dom0less --dtb /cells.dtb {XEN_EFI}"),
                   {"cells.dtb": make_dtb(chosen(*nodes), memory=4096)}, xen=xen, memory=4096)
    found = machine.domains(*names)
    assert [found[name]["ramdisk"] for name in names] == ["a.img"] * 4


def test_names(boot):
    """Relative to Xen's folder, absolute on Xen's device whatever $root is, with a device, with backslashes."""
    tree = make_dtb(chosen(
        domain("DomA", kernel="vmlinuz", ramdisk="/ramdisks/a.img"),
        domain("DomB", kernel="(hd0,gpt2)/xen/other", ramdisk="sub\\\\b.img"),
        domain("DomC", kernel="../xen/vmlinuz", ramdisk="\\\\ramdisks\\\\c.img"),
    ))
    command = f"xen_dom0less --dtb (hd0,gpt2)/trees/names.dtb (hd0,gpt2)/xen{XEN_EFI}"
    machine = boot(at_once("root=hd0,gpt1", command), {
        "trees/names.dtb": tree,
        "xen/xen.efi": xen_image(some_xen()),
        "xen/vmlinuz": kernel("right"),
        "xen/other": kernel("other"),
        "ramdisks/a.img": ramdisk("right a"),
        "xen/sub/b.img": ramdisk("right b"),
        "ramdisks/c.img": ramdisk("right c"),
    })
    found = machine.domains("DomA", "DomB", "DomC")
    assert [found[name]["ramdisk"] for name in ("DomA", "DomB", "DomC")] == ["right a", "right b", "right c"]
    assert [found[name]["kernel"] for name in ("DomA", "DomB", "DomC")] == ["right", "other", "right"]


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_devicetree_command(boot, firmware):
    """Without --dtb it is the tree that `devicetree` loaded."""
    machine = boot(at_once("devicetree /two.dtb", f"xen_dom0less {XEN_EFI}"), firmware=firmware)
    check_two(machine.domains("DomA", "DomB"))


def test_firmware_tree(boot, tmp_path):
    """Without either it is the firmware's: here a board whose own tree describes the domains."""
    board = tmp_path / "board.dtb"
    board.write_bytes(make_dtb(TWO))
    machine = boot(at_once(f"xen_dom0less {XEN_EFI}"), tree=board)
    check_two(machine.domains("DomA", "DomB"))


def test_insmod(boot):
    """insmod serves as well as autoload, and what is loaded twice, the second time over the first, boots."""
    machine = boot()
    machine.prompt()
    assert machine.run("insmod xen_dom0less") == ("", 0)
    for _ in range(2):
        text, status = machine.run(LOAD_TWO)
        assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


def test_entry_twice(boot):
    """As does an entry that loads the same twice, which runs the first one's unload."""
    machine = boot(at_once(LOAD_TWO, LOAD_TWO))
    check_two(machine.domains("DomA", "DomB"))
