"""The real grub-mkconfig, run in a made-up root.

The root has the programs of the machine we run on and nothing else of it: /boot, /etc, /sys and whatever a test puts
there are made up. That takes namespaces (unshare): of mounts for root, and of users for others. grub-probe is
replaced, because the disk that it is asked about does not exist yet: the one in its place tells of a disk as disk.py
makes it. For ZFS so is grub-mkrelpath. With neither replaced, tests/boot/test_roots.py has an installed system.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from disk import BOOT_UUID, put_file
from paths import need

OTHER_UUID = "0123-4567"     # of the disk that is mounted on /srv, with a FAT file system

# The hint is wrong on purpose: only who looks for the UUID finds the disk.
PROBE = f"""#!/bin/sh
for word do
  case $word in --target=*) target=${{word#*=}} ;; esac
done
case "$target $*" in
  "device "*/net*)        echo "grub-probe: cannot find a device for $*" >&2; exit 1 ;;
  "device "*/srv*)        echo /dev/other ;;
  device*)                echo /dev/boot ;;
  partmap*/dev/other*)    echo msdos ;;
  partmap*)               echo gpt ;;
  "fs "*/dev/other*)      echo fat ;;
  "fs "*)                 echo ext2 ;;
  fs_uuid*/dev/other*)    echo {OTHER_UUID} ;;
  fs_uuid*)               echo {BOOT_UUID} ;;
  compatibility_hint*)    echo hd7,gpt9 ;;
  hints_string*)          echo "--hint='hd7,gpt9'" ;;
  abstraction*|partuuid*) ;;
  *)                      echo "grub-probe: what is $*?" >&2; exit 1 ;;
esac
"""

# What the real one, with libzfs, says of /boot where that is a dataset of a pool.
MKRELPATH_ZFS = """#!/bin/sh
case $1 in
  /boot)   echo /BOOT/debian@/ ;;
  /boot/*) echo "/BOOT/debian@${1#/boot}" ;;
  *)       echo "grub-mkrelpath: what is $*?" >&2; exit 1 ;;
esac
"""

# ROOT PREFIX SEPARATE: what is mounted is gone when this ends.
ENTER = """set -eu
root=$1 prefix=$2 separate=$3
for folder in /usr /proc /dev "$prefix"; do mount --rbind "$folder" "$root$folder"; done
mount --bind "$root/grub-probe" "$root$prefix/sbin/grub-probe"
mount --bind "$root/etc" "$root$prefix/etc"
case $separate in
  btrfs)
    truncate -s 256M "$root/disk"
    mkfs.btrfs -q "$root/disk"
    device=$(losetup --find --show "$root/disk")
    trap 'umount "$root/boot" "$root/mnt"; losetup -d "$device"' EXIT
    mount "$device" "$root/mnt"
    btrfs -q subvolume create "$root/mnt/@boot"
    cp -a "$root/boot/." "$root/mnt/@boot"
    mount -o subvol=@boot "$device" "$root/boot" ;;
  yes | zfs)
    [ "$separate" = yes ] || mount --bind "$root/grub-mkrelpath" "$root$prefix/bin/grub-mkrelpath"
    mount --bind "$root/boot" "$root/mnt"
    mount -t tmpfs none "$root/boot"
    cp -a "$root/mnt/." "$root/boot" ;;
esac
chroot "$root" "$prefix/sbin/grub-mkconfig" -o /boot/grub/grub.cfg
cat "$root/boot/grub/grub.cfg"
"""


def mkconfig(folder, grub, files, settings="", separate=True, links=None):
    """Run grub-mkconfig of the installation `grub`. Returns (grub.cfg, what it said on standard error).

    folder    where the root is made
    files     {name in the root: bytes, text or the Path of a file}
    settings  the text of /etc/default/grub, besides that the terminal is a serial one
    separate  whether /boot is a file system of its own; "btrfs" for the subvolume @boot of one, which takes root and a
              kernel that knows it; "zfs" for a dataset that is made up like the disk
    links     {name in the root: where the link leads}
    """
    if separate == "btrfs" and (os.geteuid() or "\tbtrfs\n" not in Path("/proc/filesystems").read_text()
                                or not os.path.exists("/dev/loop-control")):
        pytest.skip("no btrfs without root, /dev/loop-control and a kernel that has it")
    if separate == "btrfs":
        need("btrfs-progs")
    root = Path(folder) / "root"
    for name in ("boot/grub", "dev", "mnt", "proc", "sys", "tmp", "usr", str(grub).lstrip("/")):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if (Path("/") / name).is_symlink():
            (root / name).symlink_to(os.readlink(Path("/") / name))
    shutil.copytree(grub / "etc/grub.d", root / "etc/grub.d")
    put_file(root / "etc/default/grub", f"GRUB_TERMINAL=console\n{settings}")
    put_file(root / "grub-probe", PROBE.replace("ext2", "zfs") if separate == "zfs" else PROBE)
    put_file(root / "grub-mkrelpath", MKRELPATH_ZFS)
    for name in "grub-probe", "grub-mkrelpath":
        (root / name).chmod(0o755)
    for name, target in (links or {}).items():
        (root / name).symlink_to(target)
    for name, content in files.items():
        put_file(root / name, content)

    unshare = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    allowed = subprocess.run([*unshare, "true"], capture_output=True, text=True)
    if allowed.returncode:
        pytest.skip(f"no namespaces for a made-up root: {allowed.stderr.strip()}")
    # grub-mkconfig itself chooses LANG, but leaves what ssh may have brought along.
    bare = {name: value for name, value in os.environ.items() if name != "LANG" and not name.startswith("LC_")}
    done = subprocess.run([*unshare, "sh", "-c", ENTER, "sh", root, grub, {True: "yes", False: ""}.get(separate, separate)],
                          capture_output=True, encoding="utf-8", errors="surrogateescape",
                          env={**bare, "LC_CTYPE": "C.UTF-8"})
    if done.returncode:
        raise RuntimeError(f"grub-mkconfig failed: {done.stderr}")
    return done.stdout, done.stderr


def our_part(menu):
    """The lines of grub.cfg that 21_xen_dom0less has written."""
    part, = re.findall(r"^### BEGIN \S*/21_xen_dom0less ###\n(.*?)^### END ", menu, re.DOTALL | re.MULTILINE)
    return part.splitlines()


def entries(menu):
    """What 21_xen_dom0less has put into the menu: [(depth, "menuentry" or "submenu", title, id, [command])], where a
    command is a list of words. GRUB takes quotes as a shell does."""
    found, depth = [], 0
    for line in our_part(menu):
        words = shlex.split(line)
        if words[-1:] == ["{"]:
            kind, title, *options, identifier, _ = words
            assert options == ["--class", "xen", "$menuentry_id_option"], line
            found.append((depth, kind, title, identifier, []))
            depth += 1
        elif words == ["}"]:
            depth -= 1
        elif words:
            found[-1][4].append(words)
    assert depth == 0
    return found
