"""Memory that belongs to somebody, lying exactly where the firmware would put what is loaded: static memory, a static
heap, shared memory. A Xen is built for that (scripts/build-xen), and EDK2 gives memory from the top.

Where that is, is seen in a first machine: a tree without such memory is loaded, and the memory is put where its files
came to lie. What the claims are worth is seen without them, by a copy of the loader that claims nothing and that no
rule stops.
"""

import re
import time

import pytest

from faults import force, forced_modules
from guest import kernel
from machine import Died, findings
from paths import some_grub, static_xen, xen_image, xen_version
from prompt import accept
from tree import chosen, domain, make_dtb
from two import XEN_EFI

GRUB = some_grub()
LOAD = f"xen_dom0less --dtb /static.dtb {XEN_EFI}"
DRY = LOAD.replace("--dtb", "--dry-run --dtb")
MIB = 1 << 20
SIZE = 128 * MIB
# With a static heap Xen takes the domains' memory from there, and all of its own.
HEAP = 768 * MIB


def cells(*numbers):
    return " ".join(f"{number >> 32:#x} {number & 0xffffffff:#x}" for number in numbers)


def static_mem(start):
    return [domain("DomA", ramdisk="a.img", extra=f"xen,static-mem = <{cells(start, SIZE)}>;")]


def static_heap(start):
    return f"xen,static-heap = <{cells(start + SIZE - HEAP, HEAP)}>;", domain("DomA", ramdisk="a.img")


def shared_mem(start):
    """All of it, shared by two domains; the guests do nothing with it."""
    def node(role):
        return f"""
            shared {{
                compatible = "xen,domain-shared-memory-v1";
                xen,shm-id = "top";
                role = "{role}";
                xen,shared-mem = <{cells(start, 0x50000000, SIZE)}>;
            }};"""
    return [domain("DomA", ramdisk="a.img", cells=(2, 2), extra=node("owner")),
            domain("DomC", ramdisk="a.img", cells=(2, 2), extra=node("borrower"))]


KINDS = {"static-mem": static_mem, "static-heap": static_heap, "shared-mem": shared_mem}
NEEDS = {"shared-mem": ["STATIC_SHM"]}


# Ranges begin and end at whole MiB: the kernel must not lie between two of these.
KERNEL = kernel(size=4 * MIB)


def make_tree(*nodes):
    return make_dtb(chosen("#address-cells = <2>; #size-cells = <2>;", *nodes))


def mapped(text):
    """The map of memory that a dry run shows: [(first byte, last byte, what)]."""
    rows = re.findall(r"(0x[0-9a-f]+)-(0x[0-9a-f]+) ([a-z-]+)", text)
    return [(int(start, 16), int(end, 16), what) for start, end, what in rows]


@pytest.fixture(scope="module")
def seen():
    """What find_top has found out."""
    return {}


def find_top(boot, seen):
    """Where a range of SIZE bytes has to begin to lie under all that is loaded for DomA and DomB."""
    if "top" not in seen:
        machine = boot(files={"vmlinuz": KERNEL, "static.dtb": make_tree(domain("DomA", ramdisk="a.img"),
                                                                         domain("DomB", ramdisk="b.img"))}, grub=GRUB, xen=static_xen())
        machine.prompt()
        found = mapped(accept(machine, DRY))
        machine.close()
        assert sorted(what for _, _, what in found) == ["kernel", "ramdisk", "ramdisk", "xen"]
        # The firmware's own memory is not far above, and a range must not touch it.
        seen["top"] = max(end for _, end, _ in found) // MIB * MIB - SIZE
        assert min(start for start, _, _ in found) > seen["top"]
    return seen["top"]


@pytest.mark.parametrize("kind", KINDS)
def test_on_top(boot, seen, tmp_path, kind):
    """Everything lands elsewhere, after loading twice as well, and the domains boot. Without claims files and Xen lie
    in that memory, and Xen says nothing."""
    start = find_top(boot, seen)
    files = {"vmlinuz": KERNEL, "static.dtb": make_tree(*KINDS[kind](start), domain("DomB", ramdisk="b.img"))}

    machine = boot(files=files, grub=GRUB, xen=static_xen(*NEEDS.get(kind, ())))
    machine.prompt()
    for command in DRY, LOAD, LOAD, DRY:
        found = mapped(accept(machine, command))
        if command == DRY:
            first, = {row[:2] for row in found if row[2] == kind}
            assert first[0] <= start and first[1] == start + SIZE - 1
            assert not [row for row in found if row[2] != kind and row[1] >= first[0] and row[0] <= first[1]]
    # A dry run disarms what was loaded before.
    accept(machine, LOAD)
    accept(machine, LOAD)
    machine.send("boot")
    machine.expect("EFI loader")
    started = time.monotonic()
    machine.expect(r"\(XEN\)")
    taken = time.monotonic() - started
    machine.domains("DomA", "DomB")
    machine.close()

    xen = static_xen(*NEEDS.get(kind, ()))
    machine = boot(files={**files, **forced_modules(GRUB, tmp_path)}, grub=GRUB, xen=xen)
    machine.prompt()
    force(machine)
    text, _ = machine.run(LOAD)
    assert re.search(r"warning: forced: \[image-in-range\]", forced := "\n".join(findings(text))), text
    assert re.search(r"warning: forced: \[xen-in-range\]", forced), text
    # Before 4.18 Xen does not look, and goes on with what lies in somebody's memory.
    if tuple(map(int, xen_version(xen_image(xen)).split(".")[:2])) < (4, 18):
        return
    machine.send("boot")
    machine.expect("EFI loader")
    with pytest.raises(Died, match="no .* within"):
        machine.expect(r"\(XEN\)", timeout=10 + 10 * taken)
