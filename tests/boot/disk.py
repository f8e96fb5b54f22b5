"""A disk as an installer would leave it, made without root: GPT, an ESP with GRUB, ext4 with everything else."""

import io
import os
import struct
import subprocess
import tarfile
import tempfile
import uuid
import zlib
from pathlib import Path

MIB = 1 << 20
ESP_START, ESP_ROOM = 1 * MIB, 8 * MIB
BOOTAA64_EFI = "EFI/BOOT/BOOTAA64.EFI"
BOOT_UUID = "2b5ed6a0-3a3b-4d0b-9a6e-0c6a1f6f7d55"     # of the ext4 file system


def make_disk(path, grub, files, menu, esp=None, sector=512):
    """Write a disk image to `path`.

    grub   an installation of GRUB for arm64-efi (the folder with bin/ and lib/)
    files  {name on the boot partition: bytes, text or the Path of a file}
    menu   the text of grub.cfg
    esp    {name on the ESP: the same}; BOOTAA64_EFI among them is what the firmware starts instead of that GRUB
    sector the disk's sectors, in bytes
    """
    path = Path(path)
    modules = grub / "lib/grub/arm64-efi"
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        boot = Path(scratch) / "boot"
        for module in modules.iterdir():
            put_file(boot / "grub/arm64-efi" / module.name, module)
        for name, content in files.items():
            put_file(boot / name, content)
        put_file(boot / "grub/grub.cfg", menu)

        system = Path(scratch) / "system"
        for name, content in (esp or {}).items():
            put_file(system / name, content)
        if not (system / BOOTAA64_EFI).exists():
            # Only what it takes to read the boot partition: everything else must be found there, by autoload.
            put_file(system / BOOTAA64_EFI, make_core(grub, ["part_gpt", "ext2"]))
        esp_size = _round_up(_tree_size(system) + ESP_ROOM)
        boot_start = ESP_START + esp_size

        boot_size = _round_up(_tree_size(boot) * 5 // 4 + 16 * MIB)
        path.unlink(missing_ok=True)
        with path.open("wb") as image:
            image.truncate(boot_start + boot_size + MIB)    # the last MiB holds the second partition table
        _write_gpt(path, sector, [(ESP_START, esp_size, ESP_TYPE), (boot_start, boot_size, LINUX_TYPE)])

        esp_part = f"{path}@@{ESP_START}"
        _run("mformat", "-i", esp_part, "-S", (sector // 128).bit_length() - 1, "-T", esp_size // sector,
             "-h", "64", "-s", "32", "::")
        _run("mcopy", "-s", "-i", esp_part, *system.iterdir(), "::")
        _run("mke2fs", "-q", "-t", "ext4", "-U", BOOT_UUID, "-O", "^has_journal",
             "-E", f"offset={boot_start},root_owner=0:0", "-d", boot, path, f"{boot_size // MIB}M")
    return path


def make_core(grub, modules, config="", options=()):
    """GRUB as an EFI program, with these modules in it, which runs `config` first. `options` are grub-mkimage's."""
    with tempfile.TemporaryDirectory() as scratch:
        core, early = Path(scratch) / "core.efi", Path(scratch) / "early.cfg"
        early.write_text(config)
        _run(grub / "bin/grub-mkimage", "-d", grub / "lib/grub/arm64-efi", "-O", "arm64-efi", "-o", core, *options,
             "-p", "(,gpt2)/grub", *(["-c", early] if config else []), *modules)
        return core.read_bytes()


def make_tar(files):
    """{name: bytes} as an archive, which GRUB takes for a file system."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def entry(title, *lines):
    """An entry of a menu."""
    return "\n".join([f'menuentry "{title}" {{', *lines, "}", ""])


def menu(*entries):
    """A menu that waits for a choice."""
    return "set timeout=-1\n" + "".join(entries)


def at_once(*lines):
    """A menu of one entry, which starts without waiting."""
    return "set timeout=0\n" + entry("at once", *lines)


def put_file(path, content):
    """Write `content` (bytes, text or the Path of a file) to `path`, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        # A link where the file system allows it: nothing here is written to.
        try:
            os.link(content.resolve(), path)
        except OSError:
            path.write_bytes(content.read_bytes())
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)


ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX_TYPE = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def _write_gpt(path, sector, partitions):
    """A partition table of UEFI's (2.10, 5.3) with `partitions` [(first byte, size, type)], in sectors of any size, which
    sfdisk makes of 512 bytes only."""
    sectors = path.stat().st_size // sector
    entries = b"".join(struct.pack("<16s16sQQQ72x", kind.bytes_le, uuid.uuid5(kind, str(start)).bytes_le,
                                   start // sector, (start + size) // sector - 1, 0)
                       for start, size, kind in partitions).ljust(128 * 128, b"\0")
    room = len(entries) // sector       # sectors

    def header(here, there, table):
        text = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, here, there, 2 + room,
                           sectors - room - 2, LINUX_TYPE.bytes_le, table, 128, 128, zlib.crc32(entries))
        return (text[:16] + struct.pack("<I", zlib.crc32(text)) + text[20:]).ljust(sector, b"\0")

    protective = struct.pack("<446sB3sB3sII48xH", b"", 0, b"\0\2\0", 0xee, b"\xff" * 3, 1,
                             min(sectors - 1, 0xffffffff), 0xaa55).ljust(sector, b"\0")
    with path.open("r+b") as image:
        image.write(protective + header(1, sectors - 1, 2) + entries)
        image.seek((sectors - room - 1) * sector)
        image.write(entries + header(sectors - 1, 1, sectors - room - 1))


def _tree_size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _round_up(size):
    return -(-size // MIB) * MIB


def _run(*command, input=""):
    done = subprocess.run([str(word) for word in command], input=input, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout.strip()}")
