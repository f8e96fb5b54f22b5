"""Disks with whatever Linux can write on them, made without root and without the host's kernel: User Mode Linux is a
Linux that runs as a process, with all of its file systems, RAID, LVM and encryption."""

import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

from paths import need, why_missing

LINUX = "linux.uml"
INIT = Path(__file__).parent / "uml-init"
# What it needs on the processors of today.
PTRACE = Path(__file__).parent / "uml_ptrace.c"


# Shell functions that make devices and fill them.
FILL = """
# fill DEVICE MOUNT_OPTION...: mount it, and see filled
fill() { device=$1; shift; mount "$@" $device /run/to; filled; }

# filled: put files into /run/to, which is the caller's part, and unmount it
filled() { put; umount /run/to; }

# raid LEVEL NAME DEVICE...: of disks full of zeros, so that there is nothing to be brought in line
raid() {
  level=$1 name=$2; shift 2
  modprobe -d /run raid$level 2>/dev/null || modprobe -d /run raid456
  mdadm --quiet --create /dev/md/$name --run --assume-clean --homehost=any --name=$name \\
    --level=$level --metadata=1.2 --raid-devices=$# "$@"
  mkfs.ext4 -q /dev/md/$name
  fill /dev/md/$name -t ext4
  mdadm --quiet --stop /dev/md/$name
}

# volume GROUP LVCREATE_OPTION...
volume() {
  group=$1; shift
  lvcreate -qq -y -n files -L 32M "$@" $group
  mkfs.ext4 -q /dev/$group/files
  fill /dev/$group/files -t ext4
  vgchange -qq -an $group
}

# encrypted DEVICE OPTION...: what is written to /dev/mapper/plain then is encrypted; few iterations, because GRUB has
# to do them all again
encrypted() {
  device=$1; shift
  cryptsetup luksFormat -q --pbkdf-force-iterations 1000 "$@" $device key
  cryptsetup open --key-file key $device plain
}

# luks DEVICE OPTION...
luks() {
  encrypted "$@"
  mkfs.ext4 -q /dev/mapper/plain
  fill /dev/mapper/plain -t ext4
  cryptsetup close plain
}
"""


# What Debian has the programs of such scripts in, and of the functions above, where that may be missing.
PACKAGES = {
    "mkfs.btrfs": "btrfs-progs", "luks": "cryptsetup-bin", "encrypted": "cryptsetup-bin",
    "mount.exfat-fuse": "exfat-fuse", "mkfs.exfat": "exfatprogs",
    "mkfs.f2fs": "f2fs-tools", "mkfs.jfs": "jfsutils", "vgcreate": "lvm2", "raid": "mdadm", "mkfs.nilfs2": "nilfs-tools",
    "mkntfs": "ntfs-3g", "mkfs.reiserfs": "reiserfsprogs", "mksquashfs": "squashfs-tools", "mkudffs": "udftools",
    "mkfs.xfs": "xfsprogs", "xorriso": "xorriso", "zfs-fuse": "zfs-fuse",
}


def packages(script):
    """Which of these packages a script needs."""
    return [PACKAGES[word] for word in re.findall(r"(?:^|; |\n)([\w.-]+)", script) if word in PACKAGES]


def lacking(script):
    """Which of them cannot be had."""
    return [name for name in packages(script) if why_missing(name)]


def run_in_linux(folder, script, memory=512):
    """Run the shell script `script` as root in a Linux of its own, where `folder` is the current directory and all of
    the host that can be written to. It stops at the first error."""
    if platform.machine() not in ("x86_64", "i686"):
        pytest.skip(f"there is no User Mode Linux for {platform.machine()}")
    need("user-mode-linux", "kmod")
    folder = Path(folder).resolve()
    (folder / "script").write_text(script)
    output, status = folder / "output", folder / "status"
    output.write_text("")
    ptrace = folder / "ptrace.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", ptrace, PTRACE], check=True)
    status.write_text("it did not get so far")
    # Its memory is a file in TMPDIR: what lies in /dev/shm may have to be small.
    done = subprocess.run(
        [LINUX, f"mem={memory}M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={INIT}",
         f"folder={folder}", "con=null", "con0=fd:0,fd:1", "quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env={**os.environ, "TMPDIR": str(folder), "LD_PRELOAD": str(ptrace)})
    if status.read_text() != "0\n":
        raise RuntimeError(f"{LINUX}: {done.stdout[-2000:]}{output.read_text(errors='replace')[-4000:]}")


def disk_script(file, label, sizes, sector=512):
    """Shell lines that make a disk in `file` with partitions of these sizes in MiB, and leave its device in $disk.
    Without a `label`, "gpt" or "dos", there is but one size, that of the disk."""
    table = {
        # The first is a primary partition, the others lie in an extended one.
        "dos": [f"size={sizes[0]}MiB", "type=E", *(f"size={size}MiB" for size in sizes[1:])],
        "gpt": [f"size={size}MiB" for size in sizes],
    }.get(label)
    room = 2 * (len(sizes) + 1) if label else 0
    lines = [f"truncate -s {int((sum(sizes) + room) * 2048) * 512} {file}",
             f"disk=$(losetup --find --show -P -b {sector} {file})"]
    if label:
        lines += ["sfdisk -q $disk <<END", f"label: {label}", *table, "END"]
    return "\n".join(lines) + "\n"


def attach(disk, number, sector=512):
    """QEMU's arguments for a further disk. EDK2 finds a disk only if it might boot from it, and GRUB takes one of large
    sectors that cannot be written for a CD."""
    return ["-drive", f"if=none,id=disk{number},format=raw,snapshot=on,file={disk}",
            "-device", f"virtio-blk-device,drive=disk{number},bootindex={number},"
                       f"logical_block_size={sector},physical_block_size={sector}"]
