"""The grammar of trees: a plain one, and what may be odd about it.

A case is data that can be kept as JSON and cut smaller: a board, so many domains, a dom0 or none, and a list of edits,
each of them a feature's name, where it applies and a value. Every tree that `draw` makes is the plain one, with a few
edits; most of their values are right ones, some are at or beyond a limit or otherwise wrong."""

import copy
import gzip
import random
import struct
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))

import fdt
from board import MIB, RAM, Board
from fdt import Node, wide
from guest import kernel, ramdisk

BOARDS = [Board(), Board(cpus=4), Board(gic=2), Board(memory=1024)]
XEN_ARGS = "console=dtuart loglvl=all guest_loglvl=all"
MEMORY = 64                     # MiB that a domain has
SMALL = 4000                    # bytes of a guest's file, more or less
FIRST_PHANDLE = 0x9000          # above QEMU's
STATIC = RAM + 512 * MIB        # where static ranges are laid
SLOT = 128 * MIB                # from the place of one domain to the next


@dataclass
class Case:
    board: int = 0              # its number in BOARDS
    domains: int = 1
    dom0: bool = False
    edits: list = field(default_factory=list)       # of [feature, place, value]

    def as_json(self):
        return {"board": self.board, "domains": self.domains, "dom0": self.dom0, "edits": self.edits}


@dataclass
class Draft:
    """A tree in the making."""
    board: Board
    root: Node
    files: dict = field(default_factory=dict)
    xen_args: list = field(default_factory=lambda: XEN_ARGS.split())
    phandles: int = FIRST_PHANDLE

    @property
    def chosen(self):
        return self.root.find("chosen")

    def domain(self, name):
        return self.root.find(f"chosen/{name}")

    def slot(self, node):
        """Where a domain's static memory lies unless something else is said."""
        return STATIC + (ord(node.name[3]) - ord("A")) * SLOT if len(node.name) > 3 else STATIC

    def phandle(self, node):
        if "phandle" not in node.properties:
            node.set("phandle", self.phandles)
            self.phandles += 1
        return node.cells("phandle")[0]


FEATURES = {}


@dataclass
class Feature:
    apply: object
    where: str                  # "domain", "dom0", "module" or "tree"
    good: list
    odd: list
    weight: int = 1


def feature(where, good=(), odd=(), weight=2):
    def register(function):
        FEATURES[function.__name__] = Feature(function, where, list(good), list(odd), weight)
        return function
    return register


# What is plain.

def module(node, number, kind, file, **properties):
    return node.add(f"module@{number}", compatible=[f"multiboot,{kind}", "multiboot,module"],
                    **{"uefi,binary": file}, **properties)


def add_domain(draft, name):
    node = draft.chosen.add(name, compatible="xen,domain", **{"#address-cells": 2, "#size-cells": 2},
                            memory=(0, MEMORY * 1024), cpus=1, vpl011=True)
    module(node, 1, "kernel", "kernel", bootargs=f"console=ttyAMA0 hostname={name}")
    module(node, 2, "ramdisk", f"ramdisk-{name}")
    draft.files[f"ramdisk-{name}"] = ramdisk(f"ramdisk-{name}", SMALL)
    return node


def build(case):
    """The draft of `case`."""
    board = BOARDS[case.board]
    draft = Draft(board, board.tree())
    draft.files["kernel"] = kernel("kernel", SMALL)
    draft.chosen.set("#address-cells", 2).set("#size-cells", 2)
    if case.dom0:
        draft.xen_args.append("dom0_mem=128M")
        module(draft.chosen, 1, "kernel", "kernel", bootargs="console=hvc0 hostname=dom0")
        module(draft.chosen, 2, "ramdisk", "ramdisk-dom0")
        draft.files["ramdisk-dom0"] = ramdisk("ramdisk-dom0", SMALL)
    for number in range(case.domains):
        add_domain(draft, f"Dom{chr(ord('A') + number)}")
    for name, place, value in case.edits:
        entry = FEATURES[name]
        node = draft.root if entry.where == "tree" else draft.chosen if entry.where == "dom0" else draft.domain(place)
        # Another edit may have taken it away, or given it another name.
        if node is not None:
            entry.apply(draft, node, copy.deepcopy(value))
    if draft.xen_args and "xen,xen-bootargs" not in draft.chosen.properties:
        draft.chosen.set("xen,xen-bootargs", " ".join(draft.xen_args))
    return draft


def draw(seed):
    """The case of `seed`."""
    chance = random.Random(seed)
    case = Case(board=chance.choice([0, 0, 0, *range(len(BOARDS))]), domains=chance.choice([1, 1, 2, 2, 3]),
                dom0=chance.random() < 0.25)
    names = [f"Dom{chr(ord('A') + number)}" for number in range(case.domains)]
    weights = [entry.weight for entry in FEATURES.values()]
    for _ in range(chance.choice([1, 1, 2, 2, 3, 4, 5, 6])):
        name = chance.choices(list(FEATURES), weights)[0]
        entry = FEATURES[name]
        if entry.where == "dom0" and not case.dom0:
            continue
        place = chance.choice(names) if entry.where == "domain" else "/"
        values = entry.good if entry.good and (not entry.odd or chance.random() < 0.65) else entry.odd
        case.edits.append([name, place, chance.choice(values)])
    return case


# What may be odd about a domain.

@feature("domain", good=[1, 2, 3, 4, 8], odd=[0, 9, 16, 17, 32, 33, 64, 128, 129, 0xffffffff, None, [1, 1], []], weight=4)
def cpus(draft, node, value):
    node.delete("cpus") if value is None else node.set("cpus", value)


@feature("domain", good=[65536, 32768, 131072, 200000, 262144, 65540],
         odd=[0, 1, 4, 65537, 1024, 2048, 4096, 8192, 16384, 3145728, 3211264, 0x8000000, None, [65536], [0, 65536, 0, 0], []],
         weight=4)
def memory(draft, node, value):
    if value is None:
        node.delete("memory")
    else:
        node.set("memory", *(value if isinstance(value, list) else [0, value]))


@feature("domain", good=[False, True, 1])
def vpl011(draft, node, value):
    node.set("vpl011", value) if value else node.delete("vpl011")


@feature("domain", good=[1, 32, 64, 256, 960], odd=[0, 961, 988, 992, 1020, 4064, 5088, 5089, 0xffffffff, []], weight=3)
def nr_spis(draft, node, value):
    node.set("nr_spis", value)


def memory_mib(node):
    cells = node.cells("memory")
    return (cells[0] << 32 | cells[1]) // 1024 if len(cells) >= 2 else MEMORY


@feature("domain", good=["exact", "exact", "two banks", "big"],
         odd=["less", "more", "unaligned", "outside", "over xen", "beyond", "empty", "cut", "zero", "same"], weight=4)
def static_mem(draft, node, value):
    start, size = draft.slot(node), memory_mib(node) * MIB
    half = size // 2 // 4096 * 4096
    ranges = {"exact": [(start, size)], "two banks": [(start, half), (start + half, size - half)],
              "big": [(start, 96 * MIB)], "less": [(start, half)], "more": [(start, size + MIB)],
              "unaligned": [(start + 512, size)], "outside": [(RAM - SLOT, size)], "over xen": [(RAM, size)],
              "beyond": [(RAM + draft.board.memory * MIB - MIB, size)], "empty": [], "cut": [(start, size)],
              "zero": [(start, size), (start, 0)], "same": [(STATIC, size)]}[value]
    if value == "big":
        node.set("memory", 0, 96 * 1024)
    cells = b"".join(wide(*item) for item in ranges)
    node.set("xen,static-mem", cells[:12] if value == "cut" else cells)


@feature("domain", good=["with"], odd=["alone", "elsewhere"], weight=2)
def direct_map(draft, node, value):
    if value == "with" and "xen,static-mem" not in node.properties:
        static_mem(draft, node, "exact")
    node.set("direct-map", True)


@feature("domain", good=["", "no-xenstore", "enabled", True], odd=["legacy", "nonsense", "no-xenstored", 1], weight=3)
def enhanced(draft, node, value):
    node.set("xen,enhanced", value)


@feature("domain", good=[4, 16, 64], odd=[0, 1, 2, 3, 1024, 4096, 0xffffffff, []])
def p2m(draft, node, value):
    node.set("xen,domain-p2m-mem-mb", value)


@feature("domain", good=[1, 2], odd=[0, 3, 0xffffffff])
def max_grant_version(draft, node, value):
    node.set("max_grant_version", value)


@feature("domain", good=[1, 32, 64], odd=[0, 1025, 65536, 0x7fffffff, 0x80000000, 0xffffffff])
def max_grant_frames(draft, node, value):
    node.set("max_grant_frames", value)


@feature("domain", good=[0, 1024], odd=[0x100000, 0x7fffffff, 0x80000000])
def max_maptrack_frames(draft, node, value):
    node.set("max_maptrack_frames", value)


@feature("domain", good=["enabled", "disabled"], odd=["nonsense", True], weight=1)
def passthrough(draft, node, value):
    node.set("passthrough", value)


@feature("domain", odd=[True, 128, 256, 100, 0xffffffff], weight=1)
def sve(draft, node, value):
    node.set("sve", value)


@feature("domain", odd=["0-3", "", "0", "nonsense", "0-1000"], weight=1)
def llc_colors(draft, node, value):
    node.set("llc-colors", value)


@feature("domain", good=[0, 1, 4], odd=[2, 3, 7, 8, 0xffffffff], weight=1)
def capabilities(draft, node, value):
    node.set("capabilities", value)


@feature("domain", good=[0, 1], odd=[2, True], weight=1)
def trap_unmapped(draft, node, value):
    node.set("trap-unmapped-accesses", value)


@feature("domain", good=["none"], odd=["scmi_smc", "nonsense", True], weight=1)
def sci(draft, node, value):
    node.set("xen,sci_type", value)


@feature("domain", odd=["mmu", "none", "nonsense"], weight=1)
def v8r(draft, node, value):
    node.set("v8r_el1_msa", value)


@feature("domain", good=[[0, "0"], [0, "0-1"], [0, None]], odd=[[1, "0"], [0, "5"], [0, "nonsense"], [None, "0"], [0, ""]],
         weight=1)
def vcpu(draft, node, value):
    child = node.add(f"vcpu{len(node.children)}", compatible="xen,vcpu")
    if value[0] is not None:
        child.set("id", value[0])
    if value[1] is not None:
        child.set("hard-affinity", value[1])


@feature("domain", good=["okay", "ok"], odd=["disabled", "fail", "reserved", ""])
def status(draft, node, value):
    node.set("status", value)


@feature("domain", good=["vm,1", "d" * 40], odd=["DomX@1", "d" * 41, "d" * 60])
def name(draft, node, value):
    if not draft.domain(value):
        node.name = value


@feature("domain", good=[[1, 1], [2, 1], [1, 2], [2, 2]],
         odd=[[3, 2], [4, 4], [0, 2], [2, 0], [None, 2], [2, None], [5, 1], [None, None]], weight=3)
def cells(draft, node, value):
    for key, number in zip(("#address-cells", "#size-cells"), value):
        node.delete(key) if number is None else node.set(key, number)


@feature("domain", good=["unknown-property", "phandle"], odd=["cpu", "nr-spis", "xen,static-memory", "bootargs"], weight=1)
def extra_property(draft, node, value):
    node.set(value, draft.phandle(node) if value == "phandle" else 1)


@feature("domain", good=["with", "modulelike"], odd=["without", "deep", "empty"], weight=3)
def stray_child(draft, node, value):
    child = node.add(f"notes{len(node.children)}", text="for humans")
    if value == "with":
        child.set("compatible", "example,notes")
    elif value == "modulelike":
        child.set("compatible", "example,module", "simple-bus")
    elif value == "empty":
        child.set("compatible", b"")
    elif value == "deep":
        child.set("compatible", "simple-bus").add("deeper", text="for humans")


# Modules.

def module_of(node, kind):
    for child in node.children:
        if any(kind in name for name in child.strings("compatible")):
            return child
    return None


def image(size=None, text_offset=0, tail=SMALL, flags=None):
    """A small guest with another header."""
    data = bytearray(kernel("kernel", tail))
    struct.pack_into("<Q", data, 8, text_offset)
    if size is not None:
        struct.pack_into("<Q", data, 16, size)
    return bytes(data)


def uimage(data, arch=22, compression=0, load=0, entry=0, kind=2, magic=0x27051956):
    header = struct.pack(">7I4B32s", magic, 0, 0, len(data), load, entry, zlib.crc32(data), 5, arch, kind, compression,
                         b"small")
    return header[:4] + struct.pack(">I", zlib.crc32(header)) + header[8:] + data


KERNELS = {
    "gzip": lambda: gzip.compress(kernel("kernel", SMALL), mtime=0),
    "uimage": lambda: uimage(kernel("kernel", SMALL)),
    "uimage gzip": lambda: uimage(gzip.compress(kernel("kernel", SMALL), mtime=0), compression=1),
    "uimage loaded": lambda: uimage(kernel("kernel", SMALL), load=0x4020_0000, entry=0x4020_0000),
    "uimage elsewhere": lambda: uimage(kernel("kernel", SMALL), load=0x5000_0000, entry=0x5000_0000),
    "uimage pie entry": lambda: uimage(kernel("kernel", SMALL), load=0, entry=0x8000),
    "uimage x86": lambda: uimage(kernel("kernel", SMALL), arch=3),
    "uimage lzma": lambda: uimage(kernel("kernel", SMALL), compression=3),
    "uimage unaligned": lambda: uimage(kernel("kernel", SMALL), load=0x4020_0100, entry=0x4020_0100),
    "uimage arm": lambda: uimage(kernel("kernel", SMALL), arch=2, load=0x4020_0000, entry=0x4020_0000),
    "too large in header": lambda: image(size=65 * MIB),
    "text offset": lambda: image(text_offset=0x80000),
    "large": lambda: kernel("kernel", 20 * MIB),
    "text": lambda: b"#!/bin/sh\n" * 100,
    "empty": lambda: b"",
    "short": lambda: kernel("kernel", SMALL)[:60],
    "gzip broken": lambda: gzip.compress(kernel("kernel", SMALL), mtime=0)[:5000],
    "gzip of text": lambda: gzip.compress(b"#!/bin/sh\n" * 100, mtime=0),
    "gzip trailing": lambda: gzip.compress(kernel("kernel", SMALL), mtime=0) + bytes(100),
}


def kernel_file(draft, node, value):
    target = module_of(node, "kernel")
    if target is None:
        return
    file = "kernel-" + value.replace(" ", "-")
    draft.files[file] = KERNELS[value]()
    target.set("uefi,binary", file)


@feature("domain", good=["gzip", "uimage", "uimage gzip", "uimage loaded", "text offset", "large"],
         odd=["uimage elsewhere", "uimage pie entry", "uimage x86", "uimage lzma", "uimage unaligned", "uimage arm",
              "too large in header", "text", "empty", "short", "gzip broken", "gzip of text", "gzip trailing"], weight=4)
def kernel_format(draft, node, value):
    kernel_file(draft, node, value)


RAMDISKS = {
    "large": lambda name: ramdisk(name, 20 * MIB),
    "too large": lambda name: ramdisk(name, 70 * MIB),
    "nearly all": lambda name: ramdisk(name, 58 * MIB),
    "u-boot header": lambda name: uimage(ramdisk(name, SMALL), kind=3),
    "empty": lambda name: b"",
    "none": lambda name: None,
}


@feature("domain", good=["none", "large"], odd=["too large", "nearly all", "u-boot header", "empty"], weight=3)
def ramdisk_file(draft, node, value):
    target = module_of(node, "ramdisk")
    if target is None:
        return
    content = RAMDISKS[value](f"ramdisk-{node.name}")
    if content is None:
        node.children.remove(target)
        return
    file = f"ramdisk-{node.name}-{value.replace(' ', '-')}"
    draft.files[file] = content
    target.set("uefi,binary", file)


@feature("domain", good=["reversed", "device tree first"],
         odd=["no kernel", "generic kernel", "generic both", "old names", "old names both", "no module", "no module ramdisk",
              "two kernels", "two ramdisks", "policy", "ramdisk as kernel", "nested"], weight=4)
def modules(draft, node, value):
    kernel_node, ramdisk_node = module_of(node, "kernel"), module_of(node, "ramdisk")
    if kernel_node is None or ramdisk_node is None:
        return
    if value == "reversed":
        kernel_node.set("compatible", "multiboot,module", "multiboot,kernel")
    elif value == "device tree first":
        node.children.remove(kernel_node)
        node.children.append(kernel_node)
    elif value == "no kernel":
        node.children.remove(kernel_node)
    elif value in ("generic kernel", "generic both"):
        kernel_node.set("compatible", "multiboot,module")
        if value == "generic both":
            ramdisk_node.set("compatible", "multiboot,module")
    elif value == "old names":
        kernel_node.set("compatible", "xen,linux-zimage", "xen,multiboot-module")
    elif value == "old names both":
        kernel_node.set("compatible", "multiboot,kernel", "xen,multiboot-module")
        ramdisk_node.set("compatible", "multiboot,ramdisk", "xen,multiboot-module")
    elif value == "no module":
        kernel_node.set("compatible", "multiboot,kernel")
    elif value == "no module ramdisk":
        ramdisk_node.set("compatible", "multiboot,ramdisk")
    elif value == "two kernels":
        module(node, 5, "kernel", "kernel")
    elif value == "two ramdisks":
        module(node, 5, "ramdisk", ramdisk_node.string("uefi,binary"))
    elif value == "policy":
        module(node, 5, "kernel", "kernel").set("compatible", "xen,xsm-policy", "multiboot,module")
    elif value == "ramdisk as kernel":
        ramdisk_node.set("uefi,binary", "kernel")
    elif value == "nested":
        node.children.remove(ramdisk_node)
        node.add("modules", compatible="simple-bus").children.append(ramdisk_node)


@feature("domain", good=["none", "empty", 1023], odd=[1024, 2000, "unterminated", "two strings"], weight=2)
def bootargs(draft, node, value):
    target = module_of(node, "kernel")
    if target is None:
        return
    plain = target.string("bootargs") or ""
    if value == "none":
        target.delete("bootargs")
    elif value == "empty":
        target.set("bootargs", "")
    elif value == "unterminated":
        target.set("bootargs", plain.encode())
    elif value == "two strings":
        target.set("bootargs", plain, "more")
    else:
        target.set("bootargs", (plain + " " + "x" * value)[:value])


@feature("domain", good=["fixed", "fixed ramdisk", "xen,uefi-binary"],
         odd=["small", "unaligned", "short reg", "over static", "in xen", "outside", "nothing there"], weight=2)
def placed(draft, node, value):
    target = module_of(node, "ramdisk" if value == "fixed ramdisk" else "kernel")
    if target is None:
        return
    place = RAM + 256 * MIB + (draft.slot(node) - STATIC) // 16 + (4 * MIB if value == "fixed ramdisk" else 0)
    start, size = {"small": (place, 4096), "unaligned": (place + 0x123, MIB), "over static": (STATIC, MIB),
                   "in xen": (RAM + 3 * MIB, MIB), "outside": (RAM - MIB, MIB)}.get(value, (place, MIB))
    if value == "xen,uefi-binary":
        target.set("xen,uefi-binary", target.string("uefi,binary") or "kernel").delete("uefi,binary")
        return
    reg = b"".join(number.to_bytes(4 * count, "big") for number, count in
                   zip((start, size), (min(4, *node.cells("#address-cells") or [2]), min(4, *node.cells("#size-cells") or [2])))
                   if count >= 2 or number < 1 << 32)
    target.set("reg", reg[:4] if value == "short reg" else reg)
    if value == "nothing there":
        target.delete("uefi,binary")


def device(draft, node, value):
    """A passthrough tree that hands over the board's clock, or does not quite."""
    root = Node()
    root.set("#address-cells", 2).set("#size-cells", 2)
    root.add("gic", **{"#interrupt-cells": 3, "interrupt-controller": True, "phandle": 0x8fff})
    parent = root.add("passthrough", compatible="simple-bus", ranges=True, **{"#address-cells": 2, "#size-cells": 2})
    child = parent.add("handed-over", compatible=["arm,pl031", "arm,primecell"], words=f"clock of {node.name}",
                       reg=wide(0x9010000, 0x1000), interrupts=[0, 2, 4],
                       **{"interrupt-parent": 0x8fff, "xen,reg": wide(0x9010000, 0x1000, 0x9010000),
                          "xen,path": "/pl031@9010000", "xen,force-assign-without-iommu": True})
    if value == "no path":
        child.set("xen,path", "/nowhere@0")
    elif value == "path missing":
        child.delete("xen,path")
    elif value == "path missing, not forced":
        child.delete("xen,path").delete("xen,force-assign-without-iommu")
    elif value == "reg missing":
        child.delete("xen,reg")
    elif value == "reg short":
        child.set("xen,reg", wide(0x9010000) + fdt.encode(0x1000) + wide(0x9010000))
    elif value == "reg unaligned":
        child.set("xen,reg", wide(0x9010000, 0x200, 0x9010000))
    elif value == "reg twice":
        child.set("xen,reg", wide(0x9010000, 0x1000, 0x9010000, 0x9030000, 0x1000, 0x9030000))
    elif value == "no cells":
        parent.delete("#address-cells").delete("#size-cells")
    elif value == "three cells":
        parent.set("#address-cells", 3)
    elif value == "at the root":
        root.children.remove(parent)
        root.children.append(child)
    elif value == "not forced":
        child.delete("xen,force-assign-without-iommu")
    elif value == "high phandle":
        parent.add("other", compatible="example,other", phandle=0xfde8)
    elif value == "no passthrough":
        root.children.remove(parent)
    elif value == "aliases":
        root.add("aliases", rtc0="/passthrough/handed-over")
    elif value == "over RAM":
        child.set("xen,reg", wide(0x9010000, 0x1000, 0x40000000))
    elif value == "gic itself":
        child.set("xen,path", "/intc@8000000").set("xen,reg", wide(0x8000000, 0x1000, 0x9010000))
    blob = fdt.write(root)
    return {"broken": blob[:40] + b"\xff" * (len(blob) - 40), "cut": blob[:len(blob) - 8], "no tree": b"no tree at all\n" * 9,
            "old version": blob[:20] + struct.pack(">I", 3) + blob[24:], "empty": b"",
            "more behind": blob + bytes(64)}.get(value, blob)


@feature("domain", good=["good", "good", "aliases", "path missing", "more behind"],
         odd=["no path", "path missing, not forced", "reg missing", "reg short", "reg unaligned", "reg twice", "no cells",
              "three cells", "at the root", "not forced", "high phandle", "no passthrough", "over RAM", "gic itself",
              "broken", "cut", "no tree", "old version", "empty", "unmarked"], weight=5)
def device_tree(draft, node, value):
    if module_of(node, "device-tree"):
        return
    file = f"device-{node.name}-{value.replace(' ', '-').replace(',', '')}.dtb"
    draft.files[file] = device(draft, node, value)
    module(node, 3, "device-tree", file)
    if value != "unmarked":
        draft.root.find("pl031@9010000").set("xen,passthrough", True)


# What domains share.

@feature("domain", good=["owner", "borrower", "plain", "anywhere"],
         odd=["long id", "15 id", "empty id", "no id", "no memory", "nobody", "unaligned", "short", "elsewhere", "zero",
              "same guest", "other size", "outside"], weight=4)
def shared_memory(draft, node, value):
    number = sum(child.is_compatible("xen,domain-shared-memory-v1") for child in node.children)
    address, guest, size = STATIC + 6 * SLOT, 0x2000_0000 + number * 16 * MIB, MIB
    child = node.add(f"shared@{number}", compatible="xen,domain-shared-memory-v1", **{"xen,shm-id": "area"})
    counts = (node.cells("#address-cells") or [2])[0], (node.cells("#size-cells") or [2])[0]
    if not all(count in (1, 2, 3, 4) for count in counts):
        return
    numbers = {"unaligned": (address + 512, guest, size), "zero": (address, guest, 0), "other size": (address, guest, 2 * size),
               "elsewhere": (address + 4 * MIB, guest, size), "same guest": (address, 0x4000_0000, size),
               "outside": (0x1000_0000, guest, size)}.get(value, (address, guest, size))
    pieces = [item.to_bytes(4 * counts[0], "big") for item in numbers[:2]] + [numbers[2].to_bytes(4 * counts[1], "big")]
    if value == "anywhere":
        del pieces[0]
        child.set("xen,shm-id", "anywhere")
    child.set("xen,shared-mem", b"".join(pieces))
    if value == "short":
        child.set("xen,shared-mem", pieces[0])
    elif value == "no memory":
        child.delete("xen,shared-mem")
    elif value in ("owner", "borrower", "nobody"):
        child.set("role", value)
    elif value == "no id":
        child.delete("xen,shm-id")
    elif value.endswith(" id"):
        child.set("xen,shm-id", {"long": "m" * 16, "15": "m" * 15, "empty": ""}[value.split()[0]])


@feature("domain", good=["pair"], odd=["alone", "dangling", "self", "short", "port 0", "port 1023", "port 1024", "empty", "third"],
         weight=3)
def event_channel(draft, node, value):
    peer = next((other for other in draft.chosen.children
                 if other.is_compatible("xen,domain") and other is not node), None)
    port = {"port 0": 0, "port 1023": 1023, "port 1024": 1024}.get(value, 10)
    if node.find("ec@1") or (peer is None and value not in ("self", "dangling")):
        return
    child = node.add("ec@1", compatible="xen,evtchn-v1")
    if value == "dangling":
        child.set("xen,evtchn", port, 0x7777)
        return
    if value == "alone":
        child.set("xen,evtchn", port, draft.phandle(module_of(peer, "kernel") or peer))
        return
    if value == "self":
        peer = node
    if peer.find("ec@2"):
        return
    other = peer.add("ec@2", compatible="xen,evtchn-v1")
    child.set("xen,evtchn", port, draft.phandle(other))
    other.set("xen,evtchn", 11, draft.phandle(child))
    if value == "short":
        child.set("xen,evtchn", port)
    elif value == "empty":
        child.set("xen,evtchn", True)
    elif value == "third":
        other.set("xen,evtchn", 11, draft.phandle(module_of(peer, "kernel") or peer))
    for one, number in (node, port), (peer, 11):
        target = module_of(one, "kernel")
        if target and target.string("bootargs") and one is not peer or value == "pair" and target and target.string("bootargs"):
            target.set("bootargs", f"{target.string('bootargs')} evtchn={number}")


@feature("domain", good=["one"], odd=["dangling", "no pool", "no cpus", "bad cpu", "twice", "bad scheduler", "not a cpu", "two pools"],
         weight=3)
def cpupool(draft, node, value):
    processors = [child for child in draft.root.find("cpus").children if child.string("device_type") == "cpu"]
    number = sum(child.is_compatible("xen,cpupool") for child in draft.chosen.children)
    if value == "dangling":
        node.set("domain-cpupool", 0x7777)
        return
    if value == "no pool":
        node.set("domain-cpupool", draft.phandle(draft.root.find("cpus")))
        return
    pool = draft.chosen.add(f"pool{number}", compatible="xen,cpupool",
                            **{"cpupool-cpus": draft.phandle(processors[-1]), "cpupool-sched": "credit2"})
    node.set("domain-cpupool", draft.phandle(pool))
    if value == "no cpus":
        pool.delete("cpupool-cpus")
    elif value == "bad cpu":
        pool.set("cpupool-cpus", 0x7777)
    elif value == "not a cpu":
        pool.set("cpupool-cpus", draft.phandle(draft.root.find("timer")))
    elif value == "twice":
        pool.set("cpupool-cpus", [draft.phandle(processors[-1])] * 2)
    elif value == "bad scheduler":
        pool.set("cpupool-sched", "nonsense")
    elif value == "two pools":
        draft.chosen.add(f"pool{number}b", compatible="xen,cpupool",
                         **{"cpupool-cpus": draft.phandle(processors[-1])})


# The tree as a whole.

@feature("tree", good=["with"], odd=["without", "without, with child", "empty"], weight=3)
def stray_node(draft, root, value):
    child = draft.chosen.add(f"bootloader{len(draft.chosen.children)}", version="0000")
    if value == "with":
        child.set("compatible", "example,bootloader")
    elif value == "empty":
        child.set("compatible", b"")
    elif value == "without, with child":
        child.add("more", version="1")


@feature("tree", odd=["old kernel", "new kernel", "domain", "elsewhere", "reg only"], weight=2)
def nested(draft, root, value):
    if value == "elsewhere":
        root.add("modules", compatible="simple-bus").add("module@1", compatible=["multiboot,kernel", "multiboot,module"])
        return
    box = draft.chosen.add("modules", **{"#address-cells": 2, "#size-cells": 2})
    if value == "domain":
        box.add("DomN", compatible="xen,domain", memory=(0, 65536), cpus=1, **{"#address-cells": 2, "#size-cells": 2})
        return
    child = box.add("module@1", reg=wide(RAM + 300 * MIB, MIB))
    child.set("compatible", *{"old kernel": ("xen,linux-zimage", "xen,multiboot-module"), "reg only": ("example,module",)}
              .get(value, ("multiboot,kernel", "multiboot,module")))


@feature("tree", good=["none", "2 1"], odd=["1 1", "3 2", "4 4", "0 0", "5 5", "ranges", "empty ranges"], weight=2)
def chosen_cells(draft, root, value):
    chosen = draft.chosen
    if value == "none":
        chosen.delete("#address-cells").delete("#size-cells")
    elif value == "ranges":
        chosen.set("ranges", wide(0, 0, 0x1000))
    elif value == "empty ranges":
        chosen.set("ranges", True)
    else:
        address, size = value.split()
        chosen.set("#address-cells", int(address)).set("#size-cells", int(size))


@feature("tree", good=["256", "512"], odd=["64", "128", "unaligned", "page", "two", "over xen", "outside", "short"], weight=2)
def static_heap(draft, root, value):
    start = RAM + 1024 * MIB + 256 * MIB if draft.board.memory > 1536 else RAM + 512 * MIB + 64 * MIB
    ranges = {"unaligned": [(start + 512, 256 * MIB)], "page": [(start + 4096, 256 * MIB)],
              "two": [(start, 128 * MIB), (start + 256 * MIB, 128 * MIB)], "over xen": [(RAM, 256 * MIB)],
              "outside": [(0x1000_0000, 256 * MIB)], "short": [(start, 256 * MIB)]}.get(value)
    if ranges is None:
        ranges = [(start, int(value) * MIB)]
    value = b"".join(wide(*item) for item in ranges)[:12 if value == "short" else None]
    draft.chosen.set("xen,static-heap", value)


@feature("tree", good=["one", "no-map", "dynamic", "disabled", "outside RAM"],
         odd=["over static", "disabled over static", "two overlap", "touching", "nested", "zero", "no cells", "short", "many",
              "cells 1 1", "disabled two"], weight=3)
def reserved_memory(draft, root, value):
    parent = root.find("reserved-memory") or root.add("reserved-memory", ranges=True, **{"#address-cells": 2, "#size-cells": 2})
    place = RAM + 448 * MIB
    number = len(parent.children)

    def add(start, size, **properties):
        return parent.add(f"area{len(parent.children)}@{start:x}", reg=wide(start, size), **properties)

    if value == "one":
        add(place + number * MIB, MIB)
    elif value == "no-map":
        add(place + number * MIB, MIB, **{"no-map": True})
    elif value == "dynamic":
        parent.add(f"pool{number}", compatible="shared-dma-pool", size=wide(MIB), reusable=True)
    elif value == "disabled":
        add(place + number * MIB, MIB, status="disabled")
    elif value == "outside RAM":
        add(0x1000_0000, MIB)
    elif value == "over static":
        add(STATIC, MIB)
    elif value == "disabled over static":
        add(STATIC, MIB, status="disabled")
    elif value == "two overlap":
        add(place + 32 * MIB, 2 * MIB)
        add(place + 33 * MIB, 2 * MIB)
    elif value == "disabled two":
        add(place + 32 * MIB, 2 * MIB)
        add(place + 33 * MIB, 2 * MIB, status="disabled")
    elif value == "touching":
        add(place + 32 * MIB, MIB)
        add(place + 33 * MIB, MIB)
    elif value == "nested":
        add(place, MIB).add("part", reg=wide(place + 8 * MIB, MIB))
    elif value == "zero":
        add(place + number * MIB, 0)
    elif value == "no cells":
        parent.delete("#address-cells").delete("#size-cells")
        add(place, MIB)
    elif value == "cells 1 1":
        parent.set("#address-cells", 1).set("#size-cells", 1)
        parent.add("area@1", reg=(place, MIB))
    elif value == "short":
        parent.add("area@2", reg=(place,))
    elif value == "many":
        for i in range(260):
            add(place + i * 8192, 4096)


@feature("tree", odd=["start = end", "start > end", "no end", "short", "right", "over static"], weight=1)
def initrd(draft, root, value):
    place = RAM + 400 * MIB
    start, end = {"start = end": (place, place), "start > end": (place + 1, place), "over static": (STATIC, STATIC + MIB)}.get(
        value, (place, place + MIB))
    draft.chosen.set("linux,initrd-start", b"\0\0\0\0\0" if value == "short" else wide(start))
    if value != "no end":
        draft.chosen.set("linux,initrd-end", wide(end))


@feature("tree", good=["xsm=dummy", "sched=credit2", "maxcpus=1", "dom0_max_vcpus=1", "vwfi=native", "iommu=off", "noreboot",
                       "gnttab_max_frames=16", "dom0_mem=64M", "sync_console", "bootscrub=0", "sched=null"],
         odd=["dom0_mem=4G", "dom0_mem=1536M", "dom0_mem=1M", "gnttab_max_frames=0",
              "llc-coloring=on llc-size=1M llc-nr-ways=16", "llc-coloring=on", "nonsense=1", "sched=nonsense", "maxcpus=0",
              "gnttab=max-ver:1", "gnttab=off", "gnttab_max_maptrack_frames=10", "dom0_max_vcpus=200"], weight=4)
def xen_argument(draft, root, value):
    draft.xen_args.append(value)


@feature("tree", good=["bootargs"], odd=["long", "very long", "none", "dom0-bootargs"], weight=1)
def xen_bootargs(draft, root, value):
    if value == "bootargs":
        draft.chosen.set("bootargs", "quiet")
    elif value == "none":
        draft.xen_args.clear()
    elif value == "dom0-bootargs":
        draft.chosen.set("xen,dom0-bootargs", "hostname=dom0 more")
    else:
        draft.xen_args.append("x=" + "y" * (900 if value == "long" else 1200))


@feature("tree", good=[3, 10], odd=[14, 15, 16, 17, 18, 40], weight=1)
def depth(draft, root, value):
    node = root
    for number in range(1, value + 1):
        node = node.add(f"n{number}")


# A Xen without a console cannot be judged.
@feature("tree", odd=["alias", "symbol", "stdout options", "stdout path"], weight=1)
def references(draft, root, value):
    target = draft.chosen.children[-1] if draft.chosen.children else draft.chosen
    path = f"/chosen/{target.name}" + (f"/{target.children[0].name}" if target.children else "")
    if value == "alias":
        (root.find("aliases") or root.add("aliases")).set("boot-module", path)
    elif value == "symbol":
        (root.find("__symbols__") or root.add("__symbols__")).set("boot_module", path)
    elif value == "stdout options":
        (root.find("aliases") or root.add("aliases")).set("serial0", "/pl011@9000000")
        draft.chosen.set("stdout-path", "serial0:115200n8")
    elif value == "stdout path":
        draft.chosen.set("stdout-path", "/pl011@9000000:115200")


@feature("tree", good=[4, 8], odd=[14, 15, 29, 30, 31, 33], weight=1)
def many(draft, root, value):
    """So many small domains more, each with a ramdisk of its own, or a kernel for all."""
    for number in range(min(value, 16)):
        node = add_domain(draft, f"many{number}")
        node.set("memory", 0, 16384)
        if value in (4, 8):
            node.children.pop()
    for number in range(16, value):
        add_domain(draft, f"many{number}").set("memory", 0, 8192)


@feature("tree", odd=[0x200, 0x800, 0x1000], weight=1)
def small_uart(draft, root, value):
    root.find("pl011@9000000").set("reg", wide(0x9000000, value))


@feature("tree", good=[8], odd=[0, 1], weight=1)
def redistributors(draft, root, value):
    """As many of the GICv3's as the machine has processors, and so many more."""
    gic = root.find("intc@8000000")
    if draft.board.gic == 3:
        cells = gic.cells("reg")
        cells[6], cells[7] = 0, (draft.board.cpus + value) * 0x20000
        gic.set("reg", *cells)


@feature("tree", odd=["good", "broken", "short", "two"], weight=1)
def policy(draft, root, value):
    good = b"\x8c\xff\x7c\xf9\x08\0\0\0XenFlask" + bytes(64)
    draft.files["policy"] = {"broken": b"no policy, but text\n", "short": good[:6]}.get(value, good)
    for number in range(2 if value == "two" else 1):
        draft.chosen.add(f"policy@{number}", compatible=["xen,xsm-policy", "multiboot,module"], **{"uefi,binary": "policy"})


# The dom0.

@feature("dom0", good=["no ramdisk", "gzip", "old names", "shared"],
         odd=["no kernel", "no module", "two kernels", "text", "generic", "ramdisk first", "device tree", "event channel"], weight=6)
def dom0(draft, chosen, value):
    kernel_node, ramdisk_node = chosen.find("module@1"), chosen.find("module@2")
    if kernel_node is None or ramdisk_node is None:
        return
    if value == "no ramdisk":
        chosen.children.remove(ramdisk_node)
    elif value == "no kernel":
        chosen.children.remove(kernel_node)
    elif value in ("gzip", "text"):
        kernel_file(draft, chosen, value)
    elif value == "old names":
        kernel_node.set("compatible", "xen,linux-zimage", "xen,multiboot-module")
        ramdisk_node.set("compatible", "xen,linux-initrd", "xen,multiboot-module")
    elif value == "no module":
        kernel_node.set("compatible", "multiboot,kernel")
    elif value == "two kernels":
        module(chosen, 7, "kernel", "kernel")
    elif value == "generic":
        kernel_node.set("compatible", "multiboot,module")
    elif value == "ramdisk first":
        chosen.children.remove(ramdisk_node)
        chosen.children.insert(0, ramdisk_node)
    elif value == "device tree":
        draft.files["device-dom0.dtb"] = device(draft, chosen, "good")
        module(chosen, 8, "device-tree", "device-dom0.dtb")
    elif value == "event channel":
        peer = next((other for other in chosen.children if other.is_compatible("xen,domain")), None)
        if peer is not None and not chosen.find("ec@1") and not peer.find("ec@2"):
            one, other = chosen.add("ec@1", compatible="xen,evtchn-v1"), peer.add("ec@2", compatible="xen,evtchn-v1")
            one.set("xen,evtchn", 10, draft.phandle(other))
            other.set("xen,evtchn", 11, draft.phandle(one))
