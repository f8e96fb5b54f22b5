"""The machine that Xen is judged on: QEMU's virt board, where QEMU itself stands for the firmware.

QEMU puts Xen 2 MiB into RAM and its own copy of the tree 128 MiB into it; whatever the tree gives a purpose there is
the set-up's fault and not the tree's, so the memory map has both as the firmware's own."""

import copy
import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import fdt

RAM = 0x4000_0000
MIB = 1 << 20
XEN_ROOM = 12 * MIB             # from the beginning of RAM: QEMU's boot stub and Xen
TREE = RAM + 128 * MIB
TREE_ROOM = 4 * MIB


@dataclass(frozen=True)
class Board:
    memory: int = 2048          # MiB
    cpus: int = 2
    gic: int = 3

    def command(self):
        return ["qemu-system-aarch64", "-machine", f"virt,gic-version={self.gic},virtualization=on,acpi=off",
                "-cpu", "cortex-a57", "-smp", str(self.cpus), "-m", str(self.memory), "-nodefaults", "-display", "none"]

    def tree(self):
        """The root of its device tree, the caller's to change."""
        return copy.deepcopy(_tree(self))

    def memory_map(self):
        """As GRUB's lsefimmap prints it."""
        end = RAM + self.memory * MIB
        pieces = [("RT-data", RAM, RAM + XEN_ROOM), ("conv-mem", RAM + XEN_ROOM, TREE),
                  ("RT-data", TREE, TREE + TREE_ROOM), ("conv-mem", TREE + TREE_ROOM, end)]
        return "".join(f"{kind} {start:016x}-{stop - 1:016x} {(stop - start) // 4096:08x} {(stop - start) // MIB}MiB "
                       f"UC WC WT WB\n" for kind, start, stop in pieces)


@functools.cache
def _tree(board):
    with tempfile.TemporaryDirectory() as scratch:
        dumped = Path(scratch) / "machine.dtb"
        command = board.command()
        command[2] += f",dumpdtb={dumped}"
        subprocess.run(command, check=True, capture_output=True)
        root = fdt.read(dumped.read_bytes())
    # They differ from run to run, and a case must not.
    for name in "rng-seed", "kaslr-seed":
        root.find("chosen").delete(name)
    return root
