"""Disks with whatever Linux can write on them, made without root and without the host's kernel: User Mode Linux is a
Linux that runs as a process, with all of its file systems, RAID, LVM and encryption."""

import os
import platform
import subprocess
from pathlib import Path

import pytest

LINUX = "linux.uml"
INIT = Path(__file__).parent / "uml-init"


def run_in_linux(folder, script, memory=512):
    """Run the shell script `script` as root in a Linux of its own, where `folder` is the current directory and all of
    the host that can be written to. It stops at the first error."""
    if platform.machine() not in ("x86_64", "i686"):
        pytest.skip(f"there is no User Mode Linux for {platform.machine()}")
    folder = Path(folder).resolve()
    (folder / "script").write_text(script)
    status = folder / "status"
    status.unlink(missing_ok=True)
    # Its memory is a file in TMPDIR: what lies in /dev/shm may have to be small.
    done = subprocess.run(
        [LINUX, f"mem={memory}M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"init={INIT}",
         f"folder={folder}", "con=null", "con0=fd:0,fd:1", "quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env={**os.environ, "TMPDIR": str(folder)})
    if not status.exists() or status.read_text() != "0\n":
        raise RuntimeError(f"{LINUX}: {done.stdout[-4000:]}")


def disk_script(file, label, sizes, sector=512):
    """Shell lines that make a disk in `file` with partitions of these sizes in MiB, and leave its device in $disk.
    Without a `label`, "gpt" or "dos", there is but one size, that of the disk."""
    table = {
        # The first is a primary partition, the others lie in an extended one.
        "dos": [f"size={sizes[0]}MiB", "type=E", *(f"size={size}MiB" for size in sizes[1:])],
        "gpt": [f"size={size}MiB" for size in sizes],
    }.get(label)
    room = 2 * (len(sizes) + 1) if label else 0
    lines = [f"truncate -s {sum(sizes) + room}M {file}",
             f"disk=$(losetup --find --show -P -b {sector} {file})"]
    if label:
        lines += ["sfdisk -q $disk <<END", f"label: {label}", *table, "END"]
    return "\n".join(lines) + "\n"
