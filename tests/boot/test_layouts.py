"""What is read past GRUB's disk cache is what GRUB reads, and what was written: 200 files a file system, whose blocks
lie at random, in pieces, with holes, up to the disk's last sector, are read both ways inside GRUB, and every byte is
compared.

LAYOUTS_SEED in the environment chooses other layouts; a failure shows it.
"""

import json
import os
import random
import re
import shlex
import subprocess
import zlib
from pathlib import Path

import pytest

from guest import kernel, ramdisk
from machine import script
from paths import need, some_grub
from prompt import accept
from tree import make_dtb
from two import LOAD_TWO, TWO, check_two
from uml import FILL, attach, disk_script, lacking, packages, run_in_linux

SEED = os.environ.get("LAYOUTS_SEED") or "1"
COUNT = 200
HERE = shlex.quote(str(Path(__file__).parent))
KEY = bytes(range(1, 65))
VERIFIED, UNVERIFIED = "set xen_dom0less_compare_verified=1; ", "unset xen_dom0less_compare_verified"


class Image:
    """A file system to be filled.

    name     of the image
    make     shell lines that make it on its partitions, $1, $2…, and fill it; see uml.FILL
    direct   whether xen_dom0less reads it directly
    size     in MiB, of each of so many `parts`
    where    what GRUB calls it; {0} is the first partition
    first    what GRUB has to run first
    options  of layouts.py
    least    how much of the files is read directly at least: holes and ends of files are not
    """

    def __init__(self, name, make, direct, size=48, parts=1, where="({0})", first="", options="", least=1 / 3):
        self.name, self.make, self.direct, self.size, self.parts = name, make, direct, size, parts
        self.where, self.first, self.options, self.least = where, first, options, least

    def small(self, least):
        """The same made on sectors of 512 bytes, for a disk of larger ones."""
        return Image(f"{self.name}-small", f"small $1\nset -- $small\n{self.make}", self.direct, self.size,
                     options=self.options, least=least)


PUT = f"""
put() {{ python3 {HERE}/layouts.py /run/to "{SEED} $image" {COUNT} $options >$image.json; }}

# folder: the files, in /run/source, for what writes an image of a folder
folder() {{
  mkdir -p /run/source
  mount -t tmpfs none /run/source
  mount --bind /run/source /run/to
  filled
}}

# small PARTITION: the same of the disk $file, in $small, with sectors of 512 bytes
small() {{
  part=/sys/class/block/${{1#/dev/}}
  small=$(losetup --find --show --offset $(($(cat $part/start) * 512)) --sizelimit $(($(cat $part/size) * 512)) $file)
}}
"""


def fat(bits, cluster, size=48, sector=512, **more):
    return Image(f"fat{bits}-{cluster}", f"mkfs.fat -g 1/1 -S {sector} -F {bits} -s {cluster // sector} $1; "
                 "fill $1 -t vfat", True, size, **more)


def exfat(cluster, size=48):
    return Image(f"exfat-{cluster}", f"mkfs.exfat -c {cluster} $1; mount.exfat-fuse $1 /run/to; filled", True, size)


# What GRUB itself does not read right, and the direct way cannot do better than agree with it: a hole at the beginning
# of an ext4 file is an error; for what is only reserved, there and on XFS, it takes what happens to lie there, and on
# F2FS and btrfs it is an error; holes are errors on JFS, NILFS2 and btrfs, and wrong on UDF; and so is the end of an
# NTFS file that was never written.
EXT4 = "--holes inside --reserved unsure"
UNSURE = "--reserved unsure --sync"
FULL = "--full --largest 150000 --holes none --reserved none"
WRITTEN = "--reserved none --sync"
DENSE = "--holes none --reserved none --sync"

# Where only whole pieces of GRUB's cache are read directly, much of small files and extents is not.
PIECES = 1 / 50


def ext2(block, size=48, options=""):
    return Image(f"ext2-{block}", f"mke2fs -q -F -b {block} $1; fill $1 -t ext2", True, size, options=options)


def ext4(block, features="", size=48, name="", options=""):
    return Image(name or f"ext4-{block}", f"mke2fs -q -F -t ext4 -b {block} {features} $1; "
                 "fill $1 -t ext4 -o nodelalloc", True, size, options=f"{EXT4} {options}")


def xfs(block, options=""):
    return Image(f"xfs-{block}", f"mkfs.xfs -q -b size={block} {options} $1; fill $1 -t xfs", True, 320, options=UNSURE)


def f2fs(options=""):
    return Image("f2fs", f"mkfs.f2fs -q {options} $1; fill $1 -t f2fs", True, 128, options=WRITTEN)


def hfsplus(block):
    return Image(f"hfsplus-{block}", f"python3 {HERE}/mkhfsplus.py $1 {block}; fill $1 -t hfsplus", True)


# What lies on a disk with sectors of 512 bytes. GRUB does not read ext4 with data in its inodes.
SECTORS_OF_512 = [
    fat(12, 512, 2, options="--largest 4097"), fat(12, 4096, 15), fat(12, 32768, 120),
    fat(16, 512, 30), fat(16, 4096), fat(16, 32768, 160),
    fat(32, 512), fat(32, 4096), fat(32, 32768, 64),
    exfat(4096), exfat(32768), exfat(131072, 120),
    ext2(1024), ext4(1024), ext4(2048), ext4(4096), ext4(4096, "-O bigalloc -C 16384", name="ext4-bigalloc"),
    xfs(512, "-m crc=0"), xfs(1024), xfs(4096),
    Image("jfs", "mkfs.jfs -q $1; fill $1 -t jfs", True, options=DENSE),
    hfsplus(512), hfsplus(4096),
    f2fs(),
    Image("iso9660", "folder; xorriso -as mkisofs -quiet -R -D -o iso /run/source; cat iso >$1", True, least=PIECES),
    Image("btrfs", "mkfs.btrfs -q $1; fill $1 -t btrfs", True, 256, options=DENSE, least=PIECES),
    Image("btrfs-zstd", "mkfs.btrfs -q $1; fill $1 -t btrfs -o compress-force=zstd", True, 256, options=DENSE, least=0),
    Image("btrfs-raid1", "mkfs.btrfs -q -m raid1 -d raid1 $1 $2; fill $1 -t btrfs", True, 128, 2, options=DENSE,
          least=PIECES),
    Image("btrfs-raid5", "mkfs.btrfs -q -m raid1 -d raid5 $1 $2 $3; fill $1 -t btrfs", False, 128, 3, options=DENSE),
    Image("minix3", "mkfs.minix -3 -i 2048 $1; fill $1 -t minix", False),
    Image("nilfs2", "mkfs.nilfs2 -q $1; fill $1 -i -t nilfs2", False, 192, options=DENSE),
    Image("ntfs", "mkntfs -q -F $1; ntfs-3g $1 /run/to; filled", False, options=DENSE),
    Image("reiserfs", "mkfs.reiserfs -q -ff $1; fill $1 -t reiserfs", False, 64),
    Image("squashfs", "folder; mksquashfs /run/source $1 -noappend -quiet -no-progress", False),
    Image("udf", "mkudffs -b 2048 $1; fill $1 -t udf", False, options=DENSE),
    Image("lvm", "vgcreate -qq one $1; volume one", True, where="(lvm/one-files)", first="insmod lvm", options=EXT4),
    Image("lvm-striped", "vgcreate -qq two $1 $2; volume two -i 2", True, 32, 2, "(lvm/two-files)", options=EXT4),
    Image("raid1", "raid 1 mirror $1 $2", True, 48, 2, "(md/mirror)", "insmod mdraid1x", EXT4),
    Image("raid5", "raid 5 parity $1 $2 $3", True, 32, 3, "(md/parity)", "insmod raid5rec", EXT4),
    Image("luks1", "luks $1 --type luks1", True, where="(crypto0)",
          first="insmod luks; cryptomount -k ($root)/key ({0})", options=EXT4),
    Image("luks1-lvm", "encrypted $1 --type luks1; vgcreate -qq three /dev/mapper/plain; volume three; "
          "cryptsetup close plain", True, where="(lvm/three-files)",
          first="insmod luks; insmod lvm; cryptomount -k ($root)/key ({0})", options=EXT4),
]

# And on one with sectors of 4 KiB.
SECTORS_OF_4096 = [
    fat(16, 4096, sector=4096), fat(32, 32768, 400, sector=4096), ext4(4096), xfs(4096, "-s size=4096"),
    f2fs("-w 4096"),
]

# File systems whose blocks are smaller than the disk's sectors: of what begins and ends within one only the middle is
# read directly.
def smaller_blocks(sector):
    images = [fat(16, 512, 30), ext2(1024), ext4(1024)]
    if sector == 4096:
        images += [exfat(4096), fat(32, 4096), xfs(1024), hfsplus(512),
                   next(image for image in SECTORS_OF_512 if image.name == "iso9660")]
    return [image.small(1 / 100) for image in images]


# Whole disks, with a file to the last sector. GRUB's cache asks for 64 sectors at a time, which is not where these end.
FULL_DISKS = [
    (512, fat(16, 512, 10 + 5 / 2048, options=FULL)),
    (512, ext2(1024, 20 + 8 / 2048, FULL)),
    (4096, ext2(4096, 20 + 8 / 2048, FULL)),
    (4096, fat(16, 4096, 40 + 8 / 2048, sector=4096, options=FULL)),
]


def make_disks(folder):
    """Write the images. Returns [(disk, sector size, [(image, its file, its first partition)])]."""
    disks, lines = [], [FILL, PUT]
    for sector, label, images in [(512, "gpt", SECTORS_OF_512), (4096, "gpt", SECTORS_OF_4096),
                                  *((sector, "gpt", smaller_blocks(sector)) for sector in (1024, 2048, 4096)),
                                  *((sector, "", [image]) for sector, image in FULL_DISKS)]:
        images = [image for image in images if not lacking(image.make)]
        disk = f"disk{len(disks) + 1}"
        lines.append(disk_script(disk, label, [image.size for image in images for _ in range(image.parts)], sector))
        lines.append(f"file={disk}")
        number, found = 1, []
        for image in images:
            parts = [f"${{disk}}p{number + part}" for part in range(image.parts)] if label else ["$disk"]
            found.append((image, f"{disk}-{image.name}", f",gpt{number}" if label else ""))
            number += image.parts
            lines += [f"set -- {' '.join(parts)}", f"image={disk}-{image.name} options='{image.options}'", image.make]
        disks.append((folder / disk, sector, found))
    (folder / "key").write_bytes(KEY)
    run_in_linux(folder, "\n".join(lines) + "\n")
    return disks


# What cannot be made here is skipped by itself.
@pytest.mark.parametrize("image", [image for image in [*SECTORS_OF_512, *SECTORS_OF_4096] if lacking(image.make)],
                         ids=lambda image: image.name)
def test_missing_layout(image):
    need(*packages(image.make))


def test_layouts(boot, tmp_path):
    """On every file system that is read directly, on others, and on what may lie under them."""
    disks = make_disks(tmp_path)
    assert not [disk for disk, _, images in disks for image, _, _ in images if image.options == FULL
                and not any(disk.read_bytes()[-512:])]
    devices, commands, expected, sums = [], {}, {}, {}
    for number, (disk, sector, images) in enumerate(disks, 1):
        devices = attach(disk, number, sector) + devices
        for image, name, part in images:
            first = f"hd{number}{part}"
            place = image.where.format(first)
            made = json.loads((tmp_path / f"{name}.json").read_text())
            expected[name] = image, made, place
            sums[f"sums/{name}"] = "".join(f"{crc}  {file}\n" for file, crc in made["files"].items())
            prepare = image.first.format(first)
            for what, files in (name, made["files"]), (f"{name}:unsure", made["unsure"]):
                if files:
                    names = " ".join(f"{place}/{file}" for file in files)
                    commands[what] = f"{prepare}\nxen_dom0less_compare {names}".lstrip()
                    prepare = ""
                    if what == name:
                        commands[f"{name}:verified"] = f"{VERIFIED}xen_dom0less_compare {names}; {UNVERIFIED}"
    # Some at a time: all of them may take longer than anything else is waited for.
    scripts = {f"script{start}": script(dict(list(commands.items())[start:start + 10]))
               for start in range(0, len(commands), 10)}
    machine = boot(files={"key": KEY, **scripts, **sums}, grub=some_grub(), extra=devices)
    machine.prompt()
    printed = {what: result for name in scripts for what, result in machine.run_all(f"/{name}").items()}
    print(f"LAYOUTS_SEED={SEED}")
    assert list(printed) == list(commands)
    wrong = []
    for what, (text, status) in printed.items():
        image, made, place = expected[what.split(":")[0]]
        found = re.search(r"(\d+) files, (\d+) bytes, (\d+) direct, (\d+) differ, Adler-32 (\w+)\n", text)
        if status or not found:
            wrong.append(f"{what} ended with {status}: {text.strip()}")
            continue
        files, size, direct, differ = map(int, found.groups()[:4])
        print(f"{what}: {found.group().strip()}, {made['extents']} pieces")
        sure = not what.endswith(":unsure")
        if differ or files != len(made["files" if sure else "unsure"]):
            wrong.append(f"{what}: {found.group()}")
        if sure and (size, found.group(5)) != (made["bytes"], made["adler32"]):
            text, _ = machine.run(f"hashsum --hash crc32 --keep-going --check ($root)/sums/{what} --prefix {place}")
            wrong.append(f"{what}: not what was written: {', '.join(re.findall('([^ ]+): HASH MISMATCH', text))}")
        # What a verifier has read is no longer on a disk.
        if not size * image.least < direct <= size if image.direct and not what.endswith(":verified") else direct:
            wrong.append(f"{what}: {direct} of {size} bytes were read directly")
    assert not wrong, "\n".join(wrong)
    # Some do not tell.
    pieces = [made["extents"] for _, made, _ in expected.values() if made["extents"]]
    assert sum(pieces) > 1.5 * COUNT * len(pieces)


def test_within_sectors(boot, tmp_path):
    """Blocks of 1 KiB on disks with sectors of 1, 2 and 4 KiB: files with holes and odd ends, whose pieces begin and end
    within sectors of the disk and of the file. Every byte is right, and none is written beyond a file's pages; two
    domains are loaded from the largest sectors and boot."""
    chance, folder = random.Random(SEED), tmp_path / "files"
    folder.mkdir()
    for number in range(64):
        with open(folder / f"f{number:02}", "wb") as file:
            for _ in range(2):
                # GRUB does not read a file that begins with a hole.
                file.seek(chance.randrange(5) * 1024 if file.tell() else 0, 1)
                file.write(chance.randbytes(chance.randrange(1, 20) * 1024 - chance.choice([0, 1, 511, 1000])))
    names = [f"/{path.name}" for path in sorted(folder.iterdir())]
    for name, content in ("vmlinuz", kernel()), ("a.img", ramdisk("a.img")), ("b.img", ramdisk("b.img")):
        (folder / name).write_bytes(content)
    image = tmp_path / "disk"
    with open(image, "wb") as file:
        file.truncate(48 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", "1024", "-d", folder, image], check=True)

    tree = make_dtb(TWO.replace('"vmlinuz"', '"(hd3)/vmlinuz"').replace('"a.img"', '"(hd3)/a.img"')
                    .replace('"b.img"', '"(hd3)/b.img"'))
    commands, devices = {}, []
    for number, sector in enumerate((1024, 2048, 4096), 1):
        devices = attach(image, number, sector) + devices
        commands[str(sector)] = f"xen_dom0less_compare {' '.join(f'(hd{number}){name}' for name in names)}"
    machine = boot(files={"all.cfg": script(commands), "two.dtb": tree}, grub="2.12", extra=devices)
    machine.prompt()
    for sector, (text, status) in machine.run_all("/all.cfg").items():
        found = re.search(r"(\d+) files, (\d+) bytes, (\d+) direct, (\d+) differ", text)
        assert status == 0 and found, f"{sector}: {text}"
        files, size, direct, differ = map(int, found.groups())
        assert (files, differ) == (len(names), 0), f"{sector}: {text}"
        assert size / 4 < direct < size, f"{sector}: {text}"
    accept(machine, LOAD_TWO)
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


def test_large_transfers(boot):
    """Firmware that fails large transfers is asked for less, and in the end by GRUB's cache; a switch does that at
    once."""
    limits = {"any": "", "1 MiB": 1 << 20, "64 KiB": 1 << 16, "32 KiB": 1 << 15, "a sector": 512}
    commands = {name.replace(" ", "-"): f"set xen_dom0less_compare_largest={limit}; "
                "xen_dom0less_compare /xen.efi /a.img" for name, limit in limits.items()}
    commands["any"] = "xen_dom0less_compare /xen.efi /a.img"
    commands["off"] = ("unset xen_dom0less_compare_largest; set xen_dom0less_direct=0; "
                       "xen_dom0less_compare /xen.efi /a.img; unset xen_dom0less_direct")
    machine = boot(files={"all.cfg": script(commands)}, grub=some_grub())
    machine.prompt()
    results = {name: re.search(r"(\d+) files, (\d+) bytes, (\d+) direct, (\d+) differ", text)
               for name, (text, _) in machine.run_all("/all.cfg").items()}
    size = results["any"][2]
    assert {name: (found[2], found[4]) for name, found in results.items()} == dict.fromkeys(commands, (size, "0"))
    # Blocks of zeros are holes.
    whole = results["any"][3]
    assert int(size) / 2 < int(whole) <= int(size)
    assert {name: found[3] for name, found in results.items()} == {
        "any": whole, "1-MiB": whole, "64-KiB": whole, "32-KiB": whole, "a-sector": "0", "off": "0"}


def test_disk_changes_after_verification(boot, tmp_path):
    """What was verified is what is handed on, whatever the disk holds by then; the next time a file is opened, the
    verifier sees the change."""
    data = random.Random(SEED).randbytes(1 << 20)
    changed = data[:4096] + bytes(512) + data[4608:]
    (tmp_path / "files").mkdir()
    (tmp_path / "files/f").write_bytes(data)
    disk = tmp_path / "disk"
    with open(disk, "wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-d", tmp_path / "files", disk], check=True)
    sector = disk.read_bytes().index(data[4096:4608]) // 512
    machine = boot(files={}, grub=some_grub(), extra=attach(disk, 1))
    machine.prompt()
    for setting, adler, differ in ((f"set xen_dom0less_compare_spoil={sector}", zlib.adler32(data), 1),
                                   ("unset xen_dom0less_compare_spoil", zlib.adler32(changed), 0)):
        text, _ = machine.run(f"{setting}; {VERIFIED}xen_dom0less_compare (hd1)/f; {UNVERIFIED}")
        assert f" {differ} differ, Adler-32 {adler:08x}" in text, text


COMPARE_LOUDLY = "set debug=xen_dom0less; xen_dom0less_compare"


def read_and_count(boot, commands, devices):
    """Run commands that begin with COMPARE_LOUDLY, each about one file: {name: (bytes read directly, bytes, questions)}."""
    machine = boot(files={"all.cfg": script(commands)}, grub=some_grub(), extra=devices)
    machine.prompt()
    counts = {}
    for name, (text, _) in machine.run_all("/all.cfg").items():
        assert " 0 differ" in text, text
        found = re.search(r"0x(\w+)\sof\s0x(\w+)\sbytes\sread\sdirectly.*?with\s(\d+)\squestions", text, re.DOTALL)
        direct, size, questions = found.groups()
        counts[name] = int(direct, 16), int(size, 16), int(questions)
    return counts


def test_few_questions(boot, tmp_path):
    """Blocks in a row are found by FAT's table and by ext4's extents, in inodes and in leaves: a driver is asked once for
    each row, and not once for each block; so it is where a verifier wants the file."""
    data = random.Random(SEED).randbytes(3 << 20)
    (tmp_path / "one").write_bytes(data)
    # Holes, which are asked for one by one, make more extents than an inode has room for.
    with open(tmp_path / "many", "wb") as file:
        for number in range(10):
            file.seek(number * 304 << 10)
            file.write(data[:300 << 10])
    make = {
        "fat16": "mformat -i {0} -T 65536 -h 64 -s 32 -c 1 ::; mcopy -i {0} one ::",
        "fat32": "mformat -i {0} -F -T 131072 -h 64 -s 32 -c 1 ::; mcopy -i {0} one ::",
        "ext4": "mkdir ext4.d; cp --sparse=always one many ext4.d; mke2fs -q -t ext4 -b 4096 -d ext4.d {0}",
    }
    commands, devices = {}, []
    for number, (name, lines) in enumerate(make.items(), 1):
        with open(tmp_path / name, "wb") as disk:
            disk.truncate(64 << 20)
        subprocess.run(["sh", "-ec", lines.format(name)], cwd=tmp_path, check=True)
        devices = attach(tmp_path / name, number) + devices
        commands[name] = f"{COMPARE_LOUDLY} (hd{number})/one; set debug="
    commands["leaf"] = commands["ext4"].replace("/one", "/many")
    for name in make:
        commands[f"{name}-verified"] = f"{VERIFIED}{commands[name]}; {UNVERIFIED}"
    asked = {}
    for name, (direct, size, questions) in read_and_count(boot, commands, devices).items():
        asked[name] = questions
        if "leaf" not in name:
            assert direct == size == len(data)
    # Ten extents and nine holes, of 759 blocks; a group of blocks may end within an extent.
    assert 19 <= asked.pop("leaf") < 30
    assert asked == dict.fromkeys([*make, *(f"{name}-verified" for name in make)], 1)


def test_few_requests(boot, tmp_path):
    """A file in one piece is found by an extent of XFS; btrfs and ISO 9660 are called again after each read that was
    intercepted, and for the file's end."""
    need("xfsprogs", "btrfs-progs", "xorriso")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "one").write_bytes(random.Random(SEED).randbytes(3 << 20))
    (tmp_path / "proto").write_text("/\n0 0\nd--755 0 0\none ---644 0 0 files/one\n$\n")
    make = {
        "xfs": "truncate -s 320M {0}; mkfs.xfs -q -p proto {0}",
        "btrfs": "truncate -s 256M {0}; mkfs.btrfs -q --rootdir files {0}",
        "iso9660": "xorriso -as mkisofs -quiet -R -o {0} files",
    }
    commands, devices = {}, []
    for number, (name, lines) in enumerate(make.items(), 1):
        subprocess.run(["sh", "-ec", lines.format(name)], cwd=tmp_path, check=True)
        devices = attach(tmp_path / name, number) + devices
        commands[name] = f"{COMPARE_LOUDLY} (hd{number})/one; set debug="
    for name, (direct, size, questions) in read_and_count(boot, commands, devices).items():
        assert size == 3 << 20 and direct > size * 0.9, name
        # Of 768 blocks and more; mkfs.btrfs writes extents of 1 MiB.
        assert questions <= {"xfs": 1, "btrfs": 4, "iso9660": 2}[name]
