"""What a tree can say, booted: every kind of module, a dom0 beside domains, fixed and preloaded addresses, many
domains.

These boots are about Xen and the tree, so one GRUB and one firmware serve: test_boot.py has the others.
"""

import re

import pytest

from conftest import XENS
from disk import at_once
from guest import kernel, linux_ramdisk, ramdisk
from paths import some_grub
from prompt import accept, is_free, peek
from tree import chosen, compile_dts, domain, make_dtb, module
from two import XEN_EFI

GRUB = some_grub()
LOAD = f"xen_dom0less --dtb /test.dtb {XEN_EFI}"

DOM0 = module(1, "kernel", "vmlinuz") + module(2, "ramdisk", "b.img")
DOM0_SAYS = "console=hvc0 quiet hostname=Dom0"

# A node that gives no device away: Xen copies what it does not know into the domain's tree (passthrough.txt).
PARTIAL = b"""/dts-v1/;
/ {
    #address-cells = <2>;
    #size-cells = <2>;
    passthrough {
        compatible = "simple-bus";
        ranges;
        #address-cells = <2>;
        #size-cells = <2>;
        handed-over {
            compatible = "test,nothing";
            words = "through the partial tree";
        };
    };
};
"""
# How a policy of Xen's FLASK begins, which is as far as Xen looks at it unless flask= asks for more.
POLICY = b"\x8c\xff\x7c\xf9\x08\0\0\0XenFlask"

REPORT = "say device $(cat /proc/device-tree/passthrough/handed-over/words)"


@pytest.mark.parametrize("xen", XENS)
def test_dom0_and_two(boot, xen):
    """A dom0 and two domains, all from one Linux kernel, a domain's node first; with them a passthrough tree for one of
    the domains and a security policy. Xen 4.20 loses a dom0 whose kernel lies where a domain before it has its
    own."""
    policy = POLICY + bytes(5000 - len(POLICY))
    machine = boot(at_once(f"{LOAD} dom0_mem=256M"), {
        "test.dtb": make_dtb(chosen(
            f'xen,dom0-bootargs = "{DOM0_SAYS}";',
            domain("DomA", ramdisk="device.img", extra=module(3, "device-tree", "passthrough.dtb")),
            DOM0,
            domain("DomB", ramdisk="a.img"),
            module(3, "xen,xsm-policy", "policy"),
        )),
        "device.img": linux_ramdisk("device.img", REPORT),
        "passthrough.dtb": compile_dts(PARTIAL),
        "policy": policy,
    }, linux=True, grub=GRUB, xen=xen)
    found = machine.domains("Dom0", "DomA", "DomB")
    assert [found[name]["ramdisk"] for name in ("Dom0", "DomA", "DomB")] == ["b.img", "device.img", "a.img"]
    assert found["Dom0"]["cmdline"] == DOM0_SAYS
    assert found["DomA"]["device"] == "through the partial tree"
    # What Xen says of a policy that has the right beginning, and keeps it from starting if it has not.
    assert re.search(rf"xsm: Policy len = 0x0*{len(policy):x} start at 0x", machine.text)


def test_places(boot, tmp_path):
    """Modules that have a place of their own. DomA's are loaded to where the tree says; DomB's were in memory before
    GRUB was, and the tree says only where. Both places are in the middle of RAM, which is asked of the firmware."""
    here = 0x58000000
    size = 0x4000000
    image, initrd = kernel("preloaded"), ramdisk("preloaded")
    (tmp_path / "vmlinuz").write_bytes(image)
    (tmp_path / "b.img").write_bytes(initrd)
    fixed = [f'reg = <0 {here + number * size:#x} {size:#x}>;' for number in range(4)]
    # What is in memory has exactly its size: Xen hands all of it to the domain.
    fixed[2] = f"reg = <0 {here + 2 * size:#x} {len(image):#x}>;"
    fixed[3] = f"reg = <0 {here + 3 * size:#x} {len(initrd):#x}>;"

    machine = boot(files={"test.dtb": make_dtb(chosen(
        domain("DomA", ramdisk="a.img")
        .replace('uefi,binary = "vmlinuz";', f'uefi,binary = "vmlinuz"; {fixed[0]}')
        .replace('uefi,binary = "a.img";', f'uefi,binary = "a.img"; {fixed[1]}'),
        domain("DomB", ramdisk="b.img")
        .replace('uefi,binary = "vmlinuz";', fixed[2])
        .replace('uefi,binary = "b.img";', fixed[3]),
    ))}, grub=GRUB, extra=[
        "-device", f"loader,file={tmp_path}/vmlinuz,addr={here + 2 * size:#x},force-raw=on",
        "-device", f"loader,file={tmp_path}/b.img,addr={here + 3 * size:#x},force-raw=on",
    ])
    machine.prompt()
    assert is_free(machine, here, 4 * size)
    assert peek(machine, here + 3 * size, 64) == initrd[:64]

    text = accept(machine, LOAD)
    assert "DomA: kernel" in text and "DomB" not in text
    # Exactly these pages are taken now, and hold what they should.
    for number in range(4):
        assert not is_free(machine, here + number * size, 4096)
    assert is_free(machine, here + 3 * size + (len(initrd) + 4095 & ~4095), 4096)
    for number, content in {0: kernel(), 1: ramdisk("a.img"), 2: image, 3: initrd}.items():
        assert peek(machine, here + number * size, 64) == content[:64]
        assert peek(machine, here + number * size + len(content) - 64, 64) == content[-64:]
    machine.send("boot")
    found = machine.domains("DomA", "DomB")
    assert [found[name]["kernel"] for name in ("DomA", "DomB")] == ["vmlinuz", "preloaded"]
    assert [found[name]["ramdisk"] for name in ("DomA", "DomB")] == ["a.img", "preloaded"]


def test_twelve(boot):
    """Twelve domains of one kernel and one ramdisk, each of which is read once and lies in memory once."""
    names = [f"Dom{number}" for number in range(12)]
    machine = boot(at_once(LOAD), {
        "test.dtb": make_dtb(chosen(*(domain(name, ramdisk="a.img", memory=96) for name in names))),
    }, grub=GRUB)
    found = machine.domains(*names, timeout=600)
    assert all(found[name]["cmdline"].split()[-1] == f"hostname={name}" for name in names)
    assert {(said["kernel"], said["ramdisk"]) for said in found.values()} == {("vmlinuz", "a.img")}
    loaded = re.findall(r"^Dom.*: (?:kernel|ramdisk) .*$", machine.text, re.MULTILINE)
    assert len(loaded) == 2 and all("(and 11 more)" in line for line in loaded)
