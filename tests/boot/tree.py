"""Device trees: the hardware as QEMU describes it, with the domains a test writes under /chosen."""

import struct
import subprocess
import tempfile
from pathlib import Path

from machine import qemu_machine


def domain(name, *, kernel="vmlinuz", ramdisk=None, cpus=1, memory=128, cells=(2, 1), bootargs="", extra=""):
    """The node of one domain: `memory` in MiB, `cells` its #address-cells and #size-cells."""
    modules = module(1, "kernel", kernel, f'bootargs = "console=ttyAMA0 quiet hostname={name} {bootargs}";')
    if ramdisk:
        modules += module(2, "ramdisk", ramdisk)
    return f"""
        {name} {{
            compatible = "xen,domain";
            #address-cells = <{cells[0]}>;
            #size-cells = <{cells[1]}>;
            memory = <0 {memory * 1024}>;
            cpus = <{cpus}>;
            vpl011;
            {extra}
            {modules}
        }};"""


def module(number, kind, file, extra=""):
    """The node of one module, in a domain or, for the dom0, in /chosen. Without a `file` it is `extra` that says where
    the module comes from."""
    kind = kind if "," in kind else f"multiboot,{kind}"
    name = f'uefi,binary = "{file}";' if file else ""
    return f"""
            module@{number} {{
                compatible = "{kind}", "multiboot,module";
                {name}
                {extra}
            }};"""


def chosen(*nodes):
    """A tree's source with `nodes` under /chosen."""
    return "/ { chosen {" + "".join(nodes) + "}; };"


def make_dtb(source="", **machine):
    """The compiled tree of a QEMU machine (its arguments as Machine takes them), with `source` merged into it."""
    with tempfile.TemporaryDirectory() as scratch:
        dumped = Path(scratch) / "machine.dtb"
        command = qemu_machine(**machine)
        command[command.index("-machine") + 1] += f",dumpdtb={dumped}"
        subprocess.run(command, check=True, capture_output=True)
        base = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", dumped], check=True, capture_output=True).stdout
    return compile_dts(base + source.encode())


def compile_dts(source):
    """Compiled by dtc, which says nothing about QEMU's own tree but everything about a mistake in `source`."""
    done = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source, capture_output=True)
    if done.returncode:
        raise ValueError(f"dtc: {done.stderr.decode()}")
    return done.stdout


def read_dtb(blob):
    """A compiled tree as {path: {property: bytes}}, in its order."""
    magic, _, structure, strings = struct.unpack_from(">4I", blob)
    assert magic == 0xd00dfeed
    nodes, path, at = {}, [], structure
    while True:
        token, = struct.unpack_from(">I", blob, at)
        at += 4
        if token == 1:                      # a node begins
            end = blob.index(b"\0", at)
            path.append(blob[at:end].decode())
            nodes["/".join(path) or "/"] = {}
            at = end + 4 & ~3
        elif token == 2:                    # and ends
            path.pop()
        elif token == 3:
            size, name = struct.unpack_from(">2I", blob, at)
            name = blob[strings + name:blob.index(b"\0", strings + name)].decode()
            nodes["/".join(path) or "/"][name] = blob[at + 8:at + 8 + size]
            at += 8 + size + 3 & ~3
        elif token == 9:
            return nodes
        else:
            assert token == 4               # nothing
