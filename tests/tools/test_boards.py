"""grub-dom0less-check on the boards that Linux has a device tree for: what it calls an error is one.

    make check-tools        some boards, the same ones each time
    make check-boards       all of them, of several kernels

What each rule finds is then in build/results/boards/found.txt.

Each board is given a true dom0less, two domains without a dom0, and a dom0 with a domain beside it. An error has to be
found a second time by a few lines here that read dtc's text and know nothing of the rules; a finding for which there is
no such reading is a false one until there is.
"""

import hashlib
import os
import re
import subprocess
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import IMAGE
from paths import BUILD, GUEST, need
from tree import compile_dts, domain, module

BOARDS = os.environ.get("BOARDS") or "30"
SAMPLE = None if BOARDS == "all" else int(BOARDS)
# The first comes with the tests; the others, which are as large, with `make check-boards'.
KERNELS = ["boards-6.1", "boards-6.12", "boards-newest"] if SAMPLE is None else ["boards-6.1"]
XENS = ["4.17", "4.20"] if SAMPLE is None else ["4.20"]
OVERLAY = """/dts-v1/; /plugin/; / { fragment@0 { target-path = "/chosen"; __overlay__ {
    #address-cells = <2>; #size-cells = <2>; %s }; }; };"""
SETUPS = {
    "dom0less": OVERLAY % (domain("DomA", ramdisk="a.img") + domain("DomB")),
    "dom0": OVERLAY % (module(1, "kernel", "vmlinuz", 'bootargs = "console=hvc0";') + module(2, "ramdisk", "a.img")
                       + domain("DomA", kernel="vmlinuz-guest")),
}
DRIVEN = {"arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic"}


class Node:
    """A node of dtc's text: its properties as text, its children by name."""

    def __init__(self):
        self.properties, self.children = {}, {}

    def walk(self, path=""):
        yield path or "/", self
        for name, child in self.children.items():
            yield from child.walk(f"{path}/{name}")

    def strings(self, name):
        return re.findall(r'"((?:[^"\\]|\\.)*)"', self.properties.get(name, ""))

    def cells(self, name):
        return [int(word, 0) for word in re.findall(r"0x[0-9a-f]+", self.properties.get(name, ""))]


def read_board(path):
    """A board's tree by dtc, which says of each node what it is in lines of its own."""
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", path], capture_output=True, check=True, text=True).stdout
    stack = [Node()]
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            node = Node()
            stack[-1].children[line[:-1].strip()] = node
            stack.append(node)
        elif line == "};":
            stack.pop()
        elif line.endswith(";") and not line.startswith("/"):
            name, _, value = line[:-1].partition(" = ")
            stack[-1].properties[name] = value
    return stack[0].children["/"]


def has_no_gic(board):
    """No interrupt controller that is in use is one of those that Xen has a driver for."""
    return not any("interrupt-controller" in node.properties and DRIVEN & set(node.strings("compatible"))
                   and node.strings("status") in ([], ["okay"], ["ok"]) for _, node in board.walk())


def reserved(board, disabled_too):
    """(start, end) of everything that /reserved-memory gives an address."""
    parent = board.children.get("reserved-memory", Node())
    address, size = (parent.cells(f"#{what}-cells") or [2] for what in ("address", "size"))
    found = []
    for node in parent.children.values():
        if not disabled_too and node.strings("status") not in ([], ["okay"], ["ok"]):
            continue
        cells = node.cells("reg")
        while cells:
            start, length = (sum(cell << 32 * i for i, cell in enumerate(reversed(part)))
                             for part in (cells[:address[0]], cells[address[0]:address[0] + size[0]]))
            del cells[:address[0] + size[0]]
            if length:
                found.append((start, start + length))
    return sorted(found)


def has_overlap(board, xen):
    """Two reserved ranges share a byte; before 4.19 Xen looks at those that are disabled, too."""
    ranges = reserved(board, disabled_too=xen < "4.19")
    return any(end > start for (_, end), (start, _) in zip(ranges, ranges[1:]))


# How an error is found a second time.
JUDGES = {
    "gic-undriven": lambda board, xen: has_no_gic(board),
    "ranges-overlap": has_overlap,
}


def boards():
    """The boards' trees, the same bytes once."""
    found = {}
    for kernel in KERNELS:
        for path in sorted((BUILD / "guest" / kernel).rglob("*.dtb")):
            found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    # An order that has nothing to do with names, and changes for no board when others come.
    return [found[digest] for digest in sorted(found)][:SAMPLE]


def test_boards(check, put, tmp_path):
    """No error but what a second reader finds as well, and everywhere a menu entry else."""
    need("boards-6.1")
    folder = put({"vmlinuz": IMAGE, "vmlinuz-guest": IMAGE, "a.img": b"a"})
    for xen in XENS:
        (folder / f"xen-{xen}.efi").write_bytes((GUEST / f"xen-{xen}.efi").read_bytes())
    for name, source in SETUPS.items():
        (folder / f"{name}.dtbo").write_bytes(compile_dts(source.encode()))

    def run(case):
        path, xen, setup = case
        done = check("--xen", folder / f"xen-{xen}.efi", "--overlay", folder / f"{setup}.dtbo", path)
        return case, done

    cases = [(path, xen, setup) for path in boards() for xen in XENS for setup in SETUPS]
    assert len(cases) >= (SAMPLE or 500) * len(SETUPS), "hardly any boards are there"
    trees, hits, false = {}, defaultdict(Counter), []
    with ThreadPoolExecutor(2) as pool:
        for (path, xen, setup), done in pool.map(run, cases):
            said = re.findall(r"^(error|warning): (?:\[([a-z0-9-]+)\] )?(.*)", done.stdout, re.MULTILINE)
            if done.returncode not in (0, 1, 2) or (done.returncode == 2) != any(kind == "error" for kind, *_ in said):
                false.append((path, xen, setup, done.returncode, done.stderr))
            for kind, rule, text in said:
                hits[kind, rule][xen, setup] += 1
                if kind != "error":
                    continue
                tree = trees.setdefault(path, None) or read_board(path)
                trees[path] = tree
                if rule not in JUDGES or not JUDGES[rule](tree, xen):
                    false.append((path, xen, setup, rule, text))

    results = BUILD / "results/boards"
    results.mkdir(parents=True, exist_ok=True)
    there = [kernel for kernel in KERNELS if (BUILD / "guest" / kernel).exists()]
    lines = [f"{len(cases) // len(XENS) // len(SETUPS)} different trees of {', '.join(there)}", ""]
    for (kind, rule), counts in sorted(hits.items()):
        lines += [f"{kind:8} {rule or 'of no rule':24} " + ", ".join(
            f"{number} with Xen {xen} and a {setup}" for (xen, setup), number in sorted(counts.items()))]
    (results / "found.txt").write_text("\n".join(lines) + "\n")
    assert not false, "\n".join(map(str, false[:20]))
