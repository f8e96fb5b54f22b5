"""Kernels as distributions ship them: what Xen takes goes to it as it is, a zboot image and a shared gzip file are
unpacked in GRUB, everything else is refused by what it is. Firmware has no part in that, so there is one."""

import gzip
import struct
import subprocess
import zlib

from guest import kernel, linux_kernel, linux_ramdisk
from paths import need, some_grub, some_xen
from prompt import accept, refuse
from tree import chosen, domain, make_dtb
from two import XEN_EFI

LOAD = "xen_dom0less --dtb /{}.dtb " + XEN_EFI


def zboot(compression, payload, unpacked=b"", offset=0x240):
    """An EFI zboot image (Linux: drivers/firmware/efi/libstub/zboot-header.S) without the code that unpacks it. Behind
    all but gzip's payload Linux writes its unpacked size, and does not count it in."""
    header = struct.pack("<2sxx4sIIxxxxxxxx32s", b"MZ", b"zimg", offset, len(payload), compression.encode())
    return header.ljust(0x38, b"\0") + b"\xcd\x23\x82\x81" + bytes(0x240 - 0x3c) + payload + unpacked


def zstd(data):
    need("zstd")
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def size(length):
    return struct.pack("<I", length)


def uimage(data):
    """What mkimage makes of an uncompressed kernel that may lie anywhere (U-Boot: include/image.h)."""
    def header(check):
        return struct.pack(">7I4B32s", 0x27051956, check, 0, len(data), 0, 0, zlib.crc32(data),
                           5, 22, 2, 0, b"Linux")     # Linux, arm64, a kernel, not compressed
    return header(zlib.crc32(header(0))) + data


def test_formats(boot):
    """One machine: everything that has to be refused, then six domains with one of each kind, one being Linux."""
    image = linux_kernel().read_bytes()
    piece = gzip.compress(image[:1 << 20], 1, mtime=0)
    broken = piece[:-3000] + bytes(2992) + piece[-8:]

    bad = {
        "elf": (b"\x7fELF" + bytes(100), "kernel-format", "is an ELF file"),
        "text": (b"#!/bin/sh\n", "kernel-format", "is "),
        "gzip": (broken, "kernel-broken", "/gzip: "),
        "gzip-text": (gzip.compress(b"no kernel\n"), "kernel-format", "/gzip-text is "),
        "zboot": (zboot("gzip", piece, offset=1 << 30), "kernel-broken", "header contradicts itself"),
        "zboot-gzip": (zboot("gzip", broken), "kernel-broken", "/zboot-gzip: "),
        "zboot-zstd": (zboot("zstd", zstd(image[:1 << 20])[:10000], size(1 << 20)), "kernel-broken", "/zboot-zstd: "),
        "zboot-sum": (zboot("gzip", piece[:-8] + bytes(4) + piece[-4:]), "kernel-broken", "checksum"),
        "zboot-lz4": (zboot("lz4", piece), "kernel-broken", "lz4"),
        "zboot-text": (zboot("gzip", gzip.compress(b"no kernel\n")), "kernel-format", "/zboot-text is "),
    }
    good = {
        "DomA": "shared.gz",            # Xen would unpack it in place, and leave nothing to DomB
        "DomB": "shared.gz",
        "DomC": "alone.gz",             # left to Xen
        "DomD": "zboot-gz",
        "DomE": "zboot-linux",
        "DomF": "uImage",
    }

    def packed(name):
        return gzip.compress(kernel(name, size=3 << 20), 1, mtime=0)

    def two(file):
        """A gzip file is unpacked only for two."""
        return make_dtb(chosen(domain("DomA", kernel=f"/bad/{file}"), domain("DomB", kernel=f"/bad/{file}")))

    machine = boot(files={
        **{f"bad/{name}": content for name, (content, _, _) in bad.items()},
        **{f"bad-{name}.dtb": two(name) for name in bad},
        "shared.gz": packed("shared.gz"), "alone.gz": packed("alone.gz"),
        "zboot-gz": zboot("gzip", packed("zboot-gz")), "uImage": uimage(kernel("uImage")),
        "zboot-linux": zboot("zstd", zstd(image), size(len(image))), "linux.img": linux_ramdisk("linux.img"),
        "good.dtb": make_dtb(chosen(*(domain(name, kernel=file,
                                             ramdisk="linux.img" if file == "zboot-linux" else "a.img")
                                      for name, file in good.items()))),
    }, grub=some_grub(), xen=some_xen("4.20"))
    machine.prompt()
    for name, (_, rule, words) in bad.items():
        refuse(machine, LOAD.format(f"bad-{name}"), rule, words)
    text = accept(machine, LOAD.format("good"))
    assert "DomA (and 1 more): kernel (hd0,gpt2)/shared.gz" in text
    machine.send("boot")
    found = machine.domains(*good)
    assert found.pop("DomE")["ramdisk"] == "linux.img"
    assert all(said["kernel"] == good[name] for name, said in found.items())
