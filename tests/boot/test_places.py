"""Where files can lie: domains whose kernels and ramdisks come from every file system and every kind of device that
GRUB reads and that can be made here, a dozen domains in one boot.

Leaves a table of all these places in build/results: places.md for people, places.json for programs.
"""

import fcntl
import json
import shlex
from pathlib import Path

import pytest

from disk import at_once, make_core, make_tar, put_file
from guest import kernel, ramdisk
from machine import Died
from paths import BUILD, grub_dir, need
from tree import chosen, domain, make_dtb
from two import XEN_EFI
from uml import FILL, attach, disk_script, lacking, packages, run_in_linux
from web import web_server


class Place:
    """A line of the table.

    name   what it is
    make   shell lines that make it on its partitions, $1, $2…, and fill it; see uml.FILL
    where  what GRUB calls it; {0} is the first partition
    sizes  of the partitions in MiB
    label  of the disk that they are on; without one it is the disk itself
    first  what GRUB has to run first
    """

    def __init__(self, name, make="", where="({0})", sizes=(40,), label="gpt", first=""):
        self.name, self.make, self.where, self.sizes, self.label, self.first = name, make, where, sizes, label, first
        self.folder = "".join(filter(str.isalnum, name.lower()))

    def files(self):
        """What lies there, all of it different from what lies elsewhere, and with an odd end."""
        return {"boot/vmlinuz": kernel(f"kernel {self.folder}", 200_001),
                "boot/ramdisk": ramdisk(f"ramdisk {self.folder}")}


MKHFSPLUS = shlex.quote(str(Path(__file__).parent / "mkhfsplus.py"))

# What fill leaves to us.
PUT = "put() { cp -r $place/boot /run/to/; }\n"

# What the boots are of. The first two are of file systems, the third of devices.
BOOTS = {
    "2.06": [
        Place("FAT", "mkfs.fat -F 32 $1; fill $1 -t vfat"),
        Place("exFAT", "mkfs.exfat $1; mount.exfat-fuse $1 /run/to; filled"),
        Place("ext2", "mkfs.ext2 -q $1; fill $1 -t ext2"),
        Place("ext3", "mkfs.ext3 -q $1; fill $1 -t ext3"),
        Place("ext4", "mkfs.ext4 -q $1; fill $1 -t ext4"),
        Place("XFS", "mkfs.xfs -q $1; fill $1 -t xfs", sizes=[320]),
        Place("ISO 9660", "xorriso -as mkisofs -quiet -R -o iso $place; cat iso >$1"),
        Place("JFS", "mkfs.jfs -q $1; fill $1 -t jfs"),
        Place("Minix 3", "mkfs.minix -3 $1; fill $1 -t minix"),
        Place("NILFS2", "mkfs.nilfs2 -q $1; fill $1 -i -t nilfs2", sizes=[160]),
        Place("ReiserFS", "mkfs.reiserfs -q -ff $1; fill $1 -t reiserfs"),
        # With blocks of 512 bytes the firmware would take it for one more disk.
        Place("UDF", "mkudffs -b 2048 $1; fill $1 -t udf"),
    ],
    "2.14": [
        Place("btrfs", "mkfs.btrfs -q $1; fill $1 -t btrfs", sizes=[128]),
        Place("btrfs, RAID1", "mkfs.btrfs -q -m raid1 -d raid1 $1 $2; fill $1 -t btrfs", sizes=[128, 128]),
        Place("btrfs, lzo", "mkfs.btrfs -q $1; fill $1 -t btrfs -o compress-force=lzo", sizes=[128]),
        Place("btrfs, zlib", "mkfs.btrfs -q $1; fill $1 -t btrfs -o compress-force=zlib", sizes=[128]),
        Place("btrfs, zstd", "mkfs.btrfs -q $1; fill $1 -t btrfs -o compress-force=zstd", sizes=[128]),
        Place("F2FS", "mkfs.f2fs -q $1; fill $1 -t f2fs", sizes=[64]),
        Place("HFS+", f"python3 {MKHFSPLUS} $1 4096; fill $1 -t hfsplus"),
        Place("NTFS", "mkntfs -q -F $1; ntfs-3g $1 /run/to; filled"),
        Place("squashfs, gzip", "mksquashfs $place $1 -noappend -quiet -no-progress -comp gzip"),
        Place("squashfs, lzo", "mksquashfs $place $1 -noappend -quiet -no-progress -comp lzo"),
        Place("squashfs, xz", "mksquashfs $place $1 -noappend -quiet -no-progress -comp xz"),
        Place("ZFS", "zfs-fuse; zpool create -m /run/to pool $1; put; zpool export pool",
              "({0})/@", sizes=[80]),
    ],
    "2.12": [
        Place("GPT", "mkfs.ext4 -q $1; fill $1 -t ext4"),
        Place("LVM", "vgcreate -qq one $1; volume one", "(lvm/one-files)", first="insmod lvm"),
        Place("LVM, striped", "vgcreate -qq two $1 $2; volume two -i 2", "(lvm/two-files)", [40, 40]),
        Place("RAID1", "raid 1 mirror $1 $2", "(md/mirror)", [40, 40], first="insmod mdraid1x"),
        Place("RAID5", "raid 5 parity $1 $2 $3", "(md/parity)", [40, 40, 40], first="insmod raid5rec"),
        Place("RAID5, a disk missing", "raid 5 broken $1 $2 $3; dd bs=1M count=40 if=/dev/zero of=$2 status=none",
              "(md/broken)", [40, 40, 40]),
        Place("LUKS1", "luks $1 --type luks1", "(crypto0)",
              first="insmod luks; cryptomount -k ($root)/key ({0})"),
        Place("LUKS2", "luks $1 --type luks2 --pbkdf pbkdf2", "(crypto1)", [60],
              first="insmod luks2; cryptomount -k ($root)/key ({0})"),
        Place("MBR, primary partition", "mkfs.ext4 -q $1; fill $1 -t ext4", label="dos", first="insmod part_msdos"),
        Place("MBR, logical partition", "mkfs.ext4 -q $1; fill $1 -t ext4", label="dos"),
        Place("disk without a table", "mkfs.ext4 -q $1; fill $1 -t ext4", label=""),
        Place("memory disk", where="(memdisk)/memorydisk"),
        Place("TFTP", where="(tftp,10.0.2.2)/tftp", first="insmod efinet; net_dhcp"),
        Place("HTTP", where="(http,10.0.2.2:{port})/http"),
    ],
}

# And why there is no other.
GAPS = {
    "ext4 with data in inodes": "GRUB takes it for no file system that it knows",
    "LUKS with a key file, GRUB 2.06": "its cryptomount has no key files",
    "LUKS2 with Argon2": "GRUB 2.06 and 2.12 know PBKDF2 only",
}


PARTITION = {"gpt": "gpt", "dos": "msdos"}      # GRUB's words


def make_disks(folder, places):
    """Write the images of disks with these places. Returns (the disks, {place: what {0} is})."""
    disks, first, lines = [], {}, [FILL, PUT]
    groups = [[place for place in places if place.make and place.label == label] for label in PARTITION]
    groups += [[place] for place in places if place.make and not place.label]
    for number, group in enumerate(filter(None, groups), 1):
        disks.append(folder / f"disk{number}.img")
        label = group[0].label
        lines.append(disk_script(disks[-1].name, label, [size for place in group for size in place.sizes]))
        # The first that lies in an MBR's extended partition is the fifth.
        numbers = iter([1, *range(5, 20)] if label == "dos" else range(1, 100))
        for place in group:
            parts = [next(numbers) for _ in place.sizes] if label else []
            first[place] = f"hd{number}" + (f",{PARTITION[label]}{parts[0]}" if label else "")
            lines += ["set -- " + (" ".join(f"${{disk}}p{part}" for part in parts) or "$disk"),
                      f"place={place.folder}", place.make]
    run_in_linux(folder, "\n".join(lines) + "\n")
    return disks, first


@pytest.fixture
def server(tmp_path):
    """The port of an HTTP server for what lies in tmp_path."""
    with web_server(tmp_path) as port:
        yield port


# A place that cannot be made here is none of the boot's, and is skipped by itself.
@pytest.mark.parametrize("place", [place for places in BOOTS.values() for place in places if lacking(place.make)],
                         ids=lambda place: place.name)
def test_missing_place(place):
    need(*packages(place.make))


@pytest.mark.parametrize("grub", BOOTS)
def test_places(boot, tmp_path, server, grub):
    """A domain from each of a dozen places, with the very bytes that lie there."""
    need(f"grub-{grub}")
    places = [place for place in BOOTS[grub] if not lacking(place.make)]
    for place in places:
        for name, content in place.files().items():
            put_file(tmp_path / place.folder / name, content)
    key = bytes(range(1, 65))
    put_file(tmp_path / "key", key)
    disks, first = make_disks(tmp_path, places)
    where = {place: place.where.format(first.get(place), port=server) for place in places}
    tree = chosen(*(domain(f"D{number}", kernel=f"{name}/boot/vmlinuz", ramdisk=f"{name}/boot/ramdisk", memory=64)
                    for number, name in enumerate(where.values())))
    archive = {f"{place.folder}/{name}": content for place in places if place.where.startswith("(memdisk)")
               for name, content in place.files().items()}
    put_file(tmp_path / "archive", make_tar(archive))
    core = make_core(grub_dir(grub), ["part_gpt", "ext2", "memdisk", "tar"], options=["-m", tmp_path / "archive"])
    # EDK2 connects only what it might boot from.
    devices = ["-netdev", f"user,id=net,tftp={tmp_path}", "-device", "virtio-net-device,netdev=net,bootindex=99"]
    for number, disk in enumerate(reversed(disks), 1):      # QEMU's last is GRUB's first
        devices += attach(disk, number)
    machine = boot(at_once(*(place.first.format(first.get(place)) for place in places if place.first),
                           f"xen_dom0less --dtb /places.dtb {XEN_EFI}"),
                   {"places.dtb": make_dtb(tree), "key": key}, core=core, grub=grub, extra=devices)
    try:
        machine.domains(*(f"D{number}" for number in range(len(places))))
    except Died as died:
        reason = str(died)
    else:
        reason = "another ramdisk or kernel"
    found = machine.reports()
    results = {}
    for number, place in enumerate(places):
        said = found.get(f"D{number}", {})
        right = [said.get("kernel"), said.get("ramdisk")] == [f"kernel {place.folder}", f"ramdisk {place.folder}"]
        results[place.name] = {"grub": grub, "name": place.where.format(first.get(place), port="PORT"),
                               "result": "green" if right else reason}
    write_results(results)
    assert {name: row["result"] for name, row in results.items()} == dict.fromkeys(results, "green")


def write_results(rows):
    """Put the rows into the table, which the other boots write as well."""
    folder = BUILD / "results"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "places.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        old = json.loads(file.read() or "{}")
        # In the order in which they stand here, and without what no longer does.
        known = [place.name for places in BOOTS.values() for place in places]
        table = {name: rows.get(name) or old.get(name) or {"result": "not run"} for name in known}
        table.update({name: {"result": f"not here: {why}"} for name, why in GAPS.items()})
        file.truncate(0)
        json.dump(table, file, indent=2)
        text = "| place | GRUB | its name there | result |\n| --- | --- | --- | --- |\n"
        text += "".join(f"| {name} | {row.get('grub', '')} | {row.get('name', '')} | {row['result']} |\n"
                        for name, row in table.items())
        (folder / "places.md").write_text(text)
