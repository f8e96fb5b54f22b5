"""Every byte that Xen gets from the loader has reached the Point of Coherency, and nobody has written to it since: Xen
reads its modules past the caches. QEMU has none, but a plugin (tests/cache/watch.c) sees the instructions that would
write them back, line by line, over every way by which a module's bytes come to where they lie. The same is then asked
of loaders that do it wrong, and is found to be so.

It takes a QEMU whose plugins can read registers, 9.2 or later: the machine's own, or Debian 13's.
"""

import gzip
import lzma
import re
import struct
import subprocess

import pytest

from faults import mutated_loader
from guest import kernel, ramdisk
from keys import Keys
from machine import newer_qemu
from paths import ROOT, some_grub, some_xen, xen_image
from test_faults import rich_files
from test_kernels import size, zboot
from test_trust import MODULES, PGP, make_program
from tree import chosen, domain, make_dtb, module, read_dtb
from two import XEN_EFI

GRUB = some_grub()
XEN = some_xen()
RAM, MEMORY = 0x40000000, 1024          # where it begins, and MiB
LINE = 64
STORED, CLEANED, STORED_SINCE, CHANGED_SINCE, CLEANED_TO_POU, FETCHED = 1, 2, 4, 8, 16, 64
# A processor with VHE, and a firmware that uses it.
VHE = dict(firmware="edk2-2025", cpu="neoverse-n1")

KERNEL = 'uefi,binary = "again";'
PLACE = f"reg = <0x60000100 0x100000>; {KERNEL}"
TREE = chosen(
    domain("Direct", kernel="vmlinuz", ramdisk="a.img", memory=32, extra=module(3, "device-tree", "partial.dtb")),
    domain("Unpacked1", kernel="shared.gz", memory=32), domain("Unpacked2", kernel="shared.gz", memory=32),
    domain("Zstd", kernel="zboot", memory=32), domain("Xz", kernel="xz", memory=32),
    domain("Gzip", kernel="gz", memory=32),
    domain("Fixed", kernel="again", cells=(1, 1), memory=32).replace(KERNEL, PLACE),
    # A file that has been read for another place is not read again.
    domain("Copied", kernel="again", memory=32),
)
# Which of them a processor has written, and not the disk.
BY_PROCESSOR = ["Unpacked1", "Unpacked2", "Zstd", "Xz", "Gzip", "Fixed", "Copied"]

# Loaders that do it wrong (tests/mutations/list), and what is seen of each.
WRONG = {
    "no-cache-clean": lambda found: all(not line & CLEANED for line in found),
    "clean-to-unification": lambda found: all(not line & CLEANED and line & CLEANED_TO_POU for line in found),
    "clean-too-early": lambda found: found[0] & STORED_SINCE and not any(line & STORED_SINCE for line in found[1:]),
    "clean-a-line-short": lambda found: not found[-1] & CLEANED and all(line & CLEANED for line in found[:-1]),
}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """The compiled plugin."""
    path = tmp_path_factory.mktemp("plugin") / "watch.so"
    subprocess.run(["gcc", "-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                    "-fvisibility=hidden", "-o", path, ROOT / "tests/cache/watch.c"], check=True)
    return path


@pytest.fixture(scope="module")
def keys():
    with Keys() as made:
        yield made


def files():
    found = rich_files()
    return {
        **{name: found[name] for name in ("shared.gz", "zboot", "partial.dtb")},
        "xz": zboot("xzkern", lzma.compress(kernel("xz"), check=lzma.CHECK_CRC32), size(len(kernel("xz")))),
        "gz": zboot("gzip", gzip.compress(kernel("gz"), 1, mtime=0)),
        "vmlinuz": kernel(), "again": kernel("again"), "a.img": ramdisk("a.img"), "all.dtb": make_dtb(TREE),
    }


def entry(xen):
    """The first bytes of the code that the firmware starts in that EFI image, in hexadecimal (Microsoft's PE format)."""
    image = xen.read_bytes()
    header, = struct.unpack_from("<I", image, 0x3c)
    assert image[header:header + 4] == b"PE\0\0"
    start, = struct.unpack_from("<I", image, header + 24 + 16)
    sections, optional = struct.unpack_from("<H12xH", image, header + 6)
    for number in range(sections):
        virtual_size, virtual, raw_size, raw = struct.unpack_from("<4I", image, header + 24 + optional + 40 * number + 8)
        if virtual <= start < virtual + max(virtual_size, raw_size):
            return image[start - virtual + raw:][:32].hex()
    raise ValueError("no section has the entry")


def start(boot, plugin, folder, commands, handover="off", **machine):
    """Load and start Xen in a machine that is watched."""
    options = f"base={RAM:#x},size={MEMORY << 20:#x},entry={entry(xen_image(XEN))},out={folder},handover={handover}"
    machine = boot(grub=GRUB, xen=XEN, cpus=1, memory=MEMORY, program=newer_qemu(),
                   extra=["-accel", "tcg", "-plugin", f"{plugin},{options}"], **machine)
    machine.prompt()
    for command in commands:
        text, status = machine.run(command)
        assert status == 0, text
    machine.send("boot")
    machine.expect("watch: Xen's stub starts")
    return machine


def watch(boot, plugin, folder, commands, **arguments):
    """The same, and what was seen then: {(domain, module's path): its lines}, and the console's text."""
    machine = start(boot, plugin, folder, commands, **arguments)
    text = machine.text
    machine.close()
    lines = (folder / "lines").read_bytes()
    found = {}
    for path, node in read_dtb((folder / "tree").read_bytes()).items():
        if b"multiboot,module" in node.get("compatible", b""):
            cells = struct.unpack(f">{len(node['reg']) // 4}I", node["reg"])
            # Two cells of address and one of size, or one of each.
            address, length = (cells[0] << 32 | cells[1], cells[2]) if len(cells) == 3 else cells
            found[path.split("/")[2], path] = lines[(address - RAM) // LINE:(address + length - 1 - RAM) // LINE + 1]
    assert len(found) == 10
    return found, text


def is_clean(line):
    return line & (CLEANED | STORED_SINCE | CHANGED_SINCE) == CLEANED


def check(found):
    dirty = {path: sum(not is_clean(line) for line in lines) for (_, path), lines in found.items()}
    assert not any(dirty.values()), {path: n for path, n in dirty.items() if n}


def is_written(found, name):
    return all(all(line & STORED for line in lines) for (domain, _), lines in found.items() if domain == name)


LOAD = f"xen_dom0less --dtb /all.dtb {XEN_EFI}"


def test_direct(boot, plugin, tmp_path):
    """From the disk to where they stay, unpacked, copied, and at a place that the tree has chosen."""
    found, text = watch(boot, plugin, tmp_path, ["set debug=xen_dom0less", LOAD], files=files())
    check(found)
    assert re.search(r"/vmlinuz: 0x[1-9a-f][0-9a-f]* of", " ".join(text.split()))
    assert all(is_written(found, name) for name in BY_PROCESSOR)
    assert not is_written(found, "Direct")


def test_ordinary(boot, plugin, tmp_path):
    """By GRUB's own reads."""
    found, _ = watch(boot, plugin, tmp_path, ["set xen_dom0less_direct=0", LOAD], files=files())
    check(found)
    assert is_written(found, "Direct")


def test_verified(boot, plugin, keys, tmp_path):
    """By GRUB's verifier, from its heap."""
    signed = keys.signed({**files(), "xen.efi": xen_image(XEN), "grub/grub.cfg": ""})
    found, _ = watch(boot, plugin, tmp_path, [LOAD], files=signed,
                     core=make_program(keys, GRUB, MODULES + PGP + ["gzio", "xzio"]))
    check(found)
    assert is_written(found, "Direct")


def fetched(boot, plugin, folder, commands=(), **arguments):
    """The lines from which code runs while the MMU is off, between the firmware's regime and Xen's."""
    machine = start(boot, plugin, folder, [*commands, LOAD], handover="on", **VHE, **arguments)
    machine.expect("watch: the MMU is on again")
    machine.close()
    found = [line for line in (folder / "fetched").read_bytes() if line & FETCHED]
    assert found
    return found


def test_handover(boot, plugin, tmp_path):
    """The code that leaves VHE is fetched past the caches. Its tables are the firmware's."""
    assert all(map(is_clean, fetched(boot, plugin, tmp_path, files=files())))


def test_handover_wrong(boot, plugin, tmp_path):
    """The same where that code was not cleaned."""
    modules = {"wrong.mod": mutated_loader(GRUB, tmp_path, "handover-not-cleaned")}
    assert not any(map(is_clean, fetched(boot, plugin, tmp_path, ["insmod /wrong.mod"], files={**files(), **modules})))


@pytest.mark.parametrize("bug", WRONG)
def test_wrong(boot, plugin, tmp_path, bug):
    """What is done wrong is seen, in every module."""
    modules = {"wrong.mod": mutated_loader(GRUB, tmp_path, bug)}
    found, _ = watch(boot, plugin, tmp_path, ["insmod /wrong.mod", LOAD], files={**files(), **modules})
    with pytest.raises(AssertionError):
        check(found)
    assert all(WRONG[bug](lines) for lines in found.values())
