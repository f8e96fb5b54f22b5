"""What runs in the domains. Most tests boot the small guest (tests/guest), where Linux has no part in what they are
about: it reports the same in a moment, and loads as fast. Linux has busybox, demo/init and a file that tells one
ramdisk from another."""

import gzip
import stat
import struct
import zlib

from paths import GUEST, ROOT


def kernel(name="vmlinuz", size=100_000):
    """The small guest as an arm64 Image that reports `name` as its kernel, and is `size` bytes longer than need be."""
    image = bytearray((GUEST / "small").read_bytes() + _named(name, size))
    struct.pack_into("<Q", image, 16, len(image))
    return bytes(image)


def linux_kernel():
    """The file of Linux."""
    return GUEST / "vmlinuz"


def ramdisk(name, size=30_000):
    """Of which the small guest reports `name` as its ramdisk."""
    return _named(name, size)


def _named(name, size):
    """A line with `name`, `size` bytes and the CRC-32 of it all: if that is wrong, the small guest says so."""
    data = f"{name}\n".encode()
    data += (bytes(range(251)) * (size // 251 + 1))[:size]
    return data + struct.pack("<I", zlib.crc32(data))


def linux_ramdisk(name, report=""):
    """A gzip-compressed initramfs that reports `name` as its ramdisk, and what the shell line `report` says."""
    init = (ROOT / "demo/init").read_text()
    assert init.count("\nsay up\n") == 1
    entries = [
        ("bin", stat.S_IFDIR | 0o755, b""),
        ("bin/busybox", stat.S_IFREG | 0o755, (GUEST / "busybox").read_bytes()),
        ("init", stat.S_IFREG | 0o755, init.replace("\nsay up\n", f"\n{report}\nsay up\n").encode()),
        ("ramdisk", stat.S_IFREG | 0o644, name.encode() + b"\n"),
        ("TRAILER!!!", 0, b""),
    ]
    archive = b"".join(_newc(number, *entry) for number, entry in enumerate(entries))
    # One level above no compression at all: the guests unpack it under emulation, and the file is small.
    return gzip.compress(archive, compresslevel=1, mtime=0)


def _newc(inode, name, mode, data):
    """One member of a cpio archive in the "newc" format (Linux: driver-api/early-userspace/buffer-format)."""
    header = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % field for field in header) + name.encode() + b"\0"
    return _pad(head) + _pad(data)


def _pad(data):
    return data + bytes(-len(data) % 4)
