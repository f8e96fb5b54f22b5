"""grub-dom0less-check on the host says of every tree in tests/dts what the module says of it at GRUB's prompt."""

import re
import subprocess

import pytest

from machine import findings, script
from paths import grub_dir, xen_image
from prompt import memory_map
from rules import FIXTURES, fixtures
from test_rules import GRUB, XEN, XENS, find_xen, on_machine
from tree import compile_dts, read_dtb

# As little as is taken for a kernel: an arm64 Image's magic, and room for its header.
IMAGE = bytes(0x38) + b"ARM\x64" + bytes(4096)
POLICY = b"\x8c\xff\x7c\xf9\x08\0\0\0XenFlask" + bytes(64)
CONTENT = {"multiboot,kernel": IMAGE, "xen,xsm-policy": POLICY,
           "multiboot,device-tree": compile_dts(b"/dts-v1/; / { };")}

# The lines of a dry run's table, which the end of a finding before them cannot be told from.
TABLE = r"(?m)^(dom\w+ \(d\d+\):.*|dom\w+( \(and \d+ more\))?: [a-z-]+ \(.*|  .*|0x.*|\d+ errors?, .*)\n"


def files_of(tree):
    """{name: content} for the files that a tree names, in the boot file system's top folder."""
    found = {}
    for node in read_dtb(tree).values():
        for name in node.get("uefi,binary", b""), node.get("xen,uefi-binary", b""):
            kind = node.get("compatible", b"").split(b"\0")[0].decode()
            name = re.sub(r"^\(.*?\)", "", name.split(b"\0")[0].decode(errors="replace")).lstrip("/")
            if name and "\\" not in name:
                found[name] = CONTENT.get(kind, b"not a kernel")
    return found


def told(lines):
    """Findings without what may differ: where lines break, GRUB's device, the full stop that GRUB puts at the end."""
    return sorted("".join(line.split()).replace("(hd0,gpt2)", "").removesuffix(".") for line in lines)


def agree(module, tool):
    """Whether two lists of findings are the same; GRUB's lines are shorter where there is no room for more."""
    return len(module) == len(tool) and all(b.startswith(a) for a, b in zip(told(module), told(tool)))


@pytest.mark.parametrize("about", XENS)
def test_same_verdict(boot, tmp_path, about):
    """One machine for all trees that are about that Xen, and its own memory map for the tool."""
    xen = find_xen(about)
    machine = boot(grub=GRUB, xen=xen)
    machine.prompt()
    pieces = memory_map(machine)
    machine.close()

    sources = {f"{kind}-{name}": source for kind in ("good", "bad", "warn") for name, source in fixtures(kind).items()}
    assert len(sources) == len(list(FIXTURES.glob("*.dts")))
    trees = {name: on_machine(name.partition("-")[2], source, pieces)[0] for name, source in sources.items()
             if XEN.get(name.partition("-")[2], "static") == about}
    files = {"xen.efi": xen_image(xen).read_bytes()}
    for name, tree in trees.items():
        files.update({**files_of(tree), **files, f"{name}.dtb": tree})
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    files["all.cfg"] = script({"map": "lsefimmap", **{
        name: f"xen_dom0less --dry-run --dtb /{name}.dtb /xen.efi" for name in trees}})
    machine = boot(files=files, grub=GRUB, xen=xen)
    machine.prompt()
    # Where good-preloaded.dts has a kernel; the tool, which cannot see it, makes a note.
    assert machine.run("write_dword 0x58000000 0x00088b1f")[1] == 0
    results = machine.run_all("/all.cfg")
    assert set(results) == {"map", *trees}
    (tmp_path / "map").write_text(results["map"][0])

    faults = []
    for name in trees:
        module = findings(re.sub(TABLE, "", results[name][0]))
        done = subprocess.run([grub_dir(GRUB) / "bin/grub-dom0less-check", "--memory-map", tmp_path / "map",
                               "--xen", tmp_path / "xen.efi", tmp_path / f"{name}.dtb"], capture_output=True, text=True)
        tool = findings(done.stdout)
        status = 2 if any(line.startswith("error") for line in tool) else 1 if tool else 0
        if not agree(module, tool) or done.returncode != status:
            faults.append("\n".join([f"{name}: {done.returncode}", *module, "and the tool", *tool, done.stderr]))
    assert not faults, "\n\n".join(faults)
