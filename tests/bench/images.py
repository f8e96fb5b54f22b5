"""The disks that `make bench` reads from: one file system each, and the same files on all of them."""

import functools
import gzip
import shutil
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "boot"))

from guest import kernel, linux_kernel
from keys import Keys
from paths import BUILD, GUEST, ROOT
from tree import chosen, domain, make_dtb
from uml import disk_script, run_in_linux

FOLDER = BUILD / "bench/disks"
MIB = 1 << 20
DISK = 2200                             # MiB. For EDK2, FAT32 begins at 65525 clusters, which are of 32 KiB here
SIZES = [1, 32, 256]                    # of files, in MiB
DOMAINS = [1, 2, 4, 8, 12, 16]
TREES = [64, 256, 512, 1024]            # in KiB
SIGNED = ["xen.efi", "1x32.dtb", "kernel-32"]
MACHINE = {"cpus": 2, "memory": 10240}

# How to make the file system of each place on $disk, and mount it. The names are variables of GRUB as well.
PLACES = {
    "fat_4k": "mkfs.fat -I -F 32 -s 8 $disk; mount -t vfat $disk /run/to",
    "fat_32k": "mkfs.fat -I -F 32 -s 64 $disk; mount -t vfat $disk /run/to",
    "ext4_1k": "mkfs.ext4 -q -b 1024 $disk; mount -t ext4 $disk /run/to",
    "ext4_4k": "mkfs.ext4 -q -b 4096 $disk; mount -t ext4 $disk /run/to",
    "xfs": "mkfs.xfs -q $disk; mount -t xfs $disk /run/to",
    "btrfs": "mkfs.btrfs -q $disk; mount -t btrfs $disk /run/to",
    "iso9660": "xorriso -as mkisofs -quiet -R -o iso files; cat iso >$disk; rm iso",
    "lvm": "vgcreate -qq bench $disk; lvcreate -qq -y -n files -l 100%FREE bench; disk=/dev/bench/files;"
           "mkfs.ext4 -q -b 4096 $disk; mount -t ext4 $disk /run/to",
}


def loads():
    """{name: [kernels, one a domain]}: what is loaded at a time."""
    return {
        **{f"1x{size}": [f"kernel-{size}"] for size in SIZES},
        **{f"{count}x32": ["kernel-32"] * count for count in DOMAINS},
        **{f"{count}x{name}": [name] * count for name in ("linux", "linux.gz") for count in (1, 4, 12)},
        **{f"tree-{size}": ["kernel-1"] for size in TREES},
    }


def disks():
    """{place: its image}, made anew when what they are made of is newer."""
    made = FOLDER / "made"
    sources = [Path(__file__), ROOT / "tests/boot/tree.py", ROOT / "tests/boot/keys.py", GUEST / "small", GUEST / "xen-4.17.efi", linux_kernel()]
    if not made.exists() or any(made.stat().st_mtime < source.stat().st_mtime for source in sources):
        print("bench: making disks", flush=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        put_files()
        for place, lines in PLACES.items():
            (FOLDER / "files" / f"is-{place}").write_text("")
            finish = """
                if mountpoint -q /run/to; then cp -r files/* /run/to; umount /run/to; fi
                vgchange -qq -an
                losetup -D"""
            run_in_linux(FOLDER, disk_script(place, "", [DISK]) + lines + finish)
            (FOLDER / "files" / f"is-{place}").unlink()
        made.write_text("")
    return {place: FOLDER / place for place in PLACES}


@functools.cache
def start(place, name):
    """Where on the disk the file's first block is, in bytes."""
    block = (FOLDER / "files" / name).read_bytes()[:512]
    with open(FOLDER / place, "rb") as disk:
        for first in range(0, DISK * MIB, MIB):
            found = disk.read(MIB).find(block)
            if found >= 0:
                return first + found
    raise ValueError(f"{name} is not on {place}")


def put_files():
    """What lies on each of them. For Xen's stub every load has one more domain, which it refuses: there it gives up,
    when everything else is in memory, and comes back to GRUB. A missing file would not do, of that it dies."""
    files = FOLDER / "files"
    files.mkdir(parents=True)
    shutil.copy(GUEST / "xen-4.17.efi", files / "xen.efi")
    shutil.copy(linux_kernel(), files / "linux")
    (files / "linux.gz").write_bytes(gzip.compress(linux_kernel().read_bytes(), 6))
    for size in SIZES:
        name = f"kernel-{size}"
        (files / name).write_bytes(kernel(name, size * MIB - len(kernel(name, 0))))
    for name, kernels in loads().items():
        # The largest kernel needs more than its size.
        memory = 512 if name == f"1x{max(SIZES)}" else 128
        nodes = [domain(f"Dom{number}", kernel=kernel, memory=memory) for number, kernel in enumerate(kernels)]
        padding = pad(int(name.split("-")[1])) if name.startswith("tree-") else ""
        for end, more in ("", []), ("-stub", [domain("Last").replace("#address-cells = <2>;", "")]):
            source = chosen(*nodes, *more).replace("uefi,binary", "xen,uefi-binary")
            (files / f"{name}{end}.dtb").write_bytes(make_dtb(source + padding, **MACHINE))
        (files / f"{name}.cfg").write_text(f"[global]\ndefault=one\n[one]\ndtb={name}-stub.dtb\n")
    with Keys() as keys:
        (files / "key").write_bytes(keys.public.read_bytes())
        for name in SIGNED:
            (files / f"{name}.sig").write_bytes(keys.sign(files / name, digest="SHA256"))    # as grub-dom0less-sign


def pad(size):
    """Nodes that fill `size` KiB of a tree, 80 bytes each."""
    node = "".join(f'property-{number} = "{"x" * 15}";' for number in range(2))
    nodes = [f"node-{number} {{ {node} }};" for number in range(size * 1024 // 80)]
    # dtc cannot read very many children of one node.
    groups = [f"group-{first} {{ {''.join(nodes[first:first + 100])} }};" for first in range(0, len(nodes), 100)]
    return "/ { padding {" + "".join(groups) + "}; };"
