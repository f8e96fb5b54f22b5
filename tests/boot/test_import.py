"""A config of ImageBuilder's, booted by what grub-dom0less-import writes."""

import re
import subprocess

from guest import ramdisk
from machine import findings
from paths import grub_dir, some_grub
from tree import make_dtb

GRUB = some_grub()

CONFIG = """\
# What U-Boot needs
MEMORY_START="0x40000000"
MEMORY_END="0xc0000000"
LOAD_CMD="load virtio 0:2"

DEVICE_TREE="board.dtb"
XEN="xen.efi"
XEN_CMD="console=dtuart noreboot bootscrub=0 dom0_mem=256M dom0_max_vcpus=1"

DOM0_KERNEL="vmlinuz"
DOM0_CMD="console=hvc0 quiet hostname=Dom0"
DOM0_RAMDISK="a.img"

NUM_DOMUS=2
QUIET="console=ttyAMA0 quiet"
DOMU_KERNEL[0]="vmlinuz"
DOMU_CMD[0]="$QUIET hostname=First"
DOMU_RAMDISK[0]="b.img"
DOMU_MEM[0]=128
DOMU_KERNEL[1]="$DOMU_KERNEL"
DOMU_CMD[1]="$QUIET hostname=Second"
DOMU_RAMDISK[1]="second domain/it's c.img"
DOMU_MEM[1]=192
DOMU_VCPUS[1]=2

UBOOT_SOURCE="boot.source"
UBOOT_SCRIPT="boot.scr"
"""


def test_dom0_and_two(boot, tmp_path):
    """A dom0 and two domains, by the very menu entry and overlay that the tool writes, on the tree that the config
    names. The domains have Xen's numbers from the last to the first, as behind U-Boot's script."""
    (tmp_path / "config").write_text(CONFIG)
    done = subprocess.run([grub_dir(GRUB) / "bin/grub-dom0less-import", "-o", tmp_path, tmp_path / "config"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    machine = boot("set timeout=0\n" + (tmp_path / "config.cfg").read_text(), {
        "board.dtb": make_dtb(),
        "config.dtbo": tmp_path / "config.dtbo",
        "second domain/it's c.img": ramdisk("c.img"),
    }, grub=GRUB)
    found = machine.domains("Dom0", "First", "Second")
    assert {name: [facts[fact] for fact in ("ramdisk", "cpus", "cmdline")] for name, facts in found.items()} == {
        "Dom0": ["a.img", "1", "console=hvc0 quiet hostname=Dom0 root=/dev/ram0"],
        "First": ["b.img", "1", "console=ttyAMA0 quiet hostname=First"],
        "Second": ["c.img", "2", "console=ttyAMA0 quiet hostname=Second"],
    }
    assert not findings(machine.text.split("EFI loader")[0])
    assert dict(re.findall(r"DOM(\d+): guest (\S+): up", machine.text)) == {"2": "First", "1": "Second"}
