"""Trees and overlays that nobody writes by mistake: each goes for something that a loader, or libfdt, takes for granted."""

import struct
import subprocess


def u32(*numbers):
    return struct.pack(f">{len(numbers)}I", *numbers)


def padded(text):
    return text + bytes(-len(text) % 4)


def node(name, *content):
    return u32(1) + padded(name + b"\0") + b"".join(content) + u32(2)


class Strings:
    """A strings block, and properties with names in it."""

    def __init__(self):
        self.block = b""

    def prop(self, name, value=b""):
        if name + b"\0" not in self.block:
            self.block += name + b"\0"
        return u32(3, len(value), self.block.index(name + b"\0")) + padded(value)


def blob(structure, strings):
    """The tree of that structure, whose root is the last node in it."""
    structure += u32(9)
    return u32(0xd00dfeed, 56 + len(structure) + len(strings), 56, 56 + len(structure), 40, 17, 16, 0, len(strings),
               len(structure)) + bytes(16) + structure + strings


def flat(size):
    """`size` bytes of modules side by side, all where Xen does not look for any."""
    strings = Strings()
    module = node(b"a", strings.prop(b"compatible", b"multiboot,module\0"))
    return blob(node(b"", node(b"cpus", module * (size // len(module)))), strings.block)


def empty(size):
    """As many nodes as `size` bytes have room for."""
    return blob(node(b"", node(b"cpus"), node(b"chosen", node(b"a") * (size // 12))), b"")


def nested(levels):
    """Modules within modules."""
    strings = Strings()
    module = strings.prop(b"compatible", b"multiboot,module\0")
    inner = b""
    for _ in range(levels):
        inner = node(b"a", module, inner)
    return blob(node(b"", inner), strings.block)


def long_name(length, count):
    """One name of that length for so many properties."""
    strings = Strings()
    name = b"x" * length
    return blob(node(b"", strings.prop(name) * count), strings.block)


def overlapping(tree, *, by=0):
    """`tree` with its strings from the beginning of the structure on, or `by` bytes behind that."""
    words = list(struct.unpack_from(">10I", tree))
    words[3] = words[2] + by
    return u32(*words) + tree[40:]


def names_that_change():
    """An overlay whose names are values: the base's highest phandle is added to them when they have been looked at."""
    names = b"phandle\0big\0k\0"
    first = 4 + 4 + 12                      # of the structure: where the value of the root's property is
    at = {b"phandle": first, b"big": first + 8, b"k": first + 12}

    def prop(name, value):
        return u32(3, len(value), at.get(name, name)) + padded(value)
    head = prop(b"k", names)
    # Where the two values are that become names.
    node_a = u32(1) + padded(b"a\0")
    one = 8 + len(head) + len(node_a) + 12
    two = one + 4 + 4 + len(node_a) + 12
    nodes = [node(b"a", prop(b"phandle", b"big\0")), node(b"b", prop(b"phandle", b"bif\0")),
             node(b"__local_fixups__", node(b"n", prop(b"big", u32(996)))),
             node(b"n", prop(one, bytes(1000)), prop(two, bytes(4)))]
    structure = u32(1, 0) + head + b"".join(nodes) + u32(2, 9)
    return u32(0xd00dfeed, 56 + len(structure), 56, 56, 40, 17, 16, 0, len(structure), len(structure)) + bytes(16) + structure


def overlay(text):
    """Of that text, whatever dtc thinks of it."""
    return subprocess.run(["dtc", "-q", "-f", "-I", "dts", "-O", "dtb"], input=f"/dts-v1/; / {{ {text} }};".encode(),
                          capture_output=True, check=True).stdout


ROOT = 'fragment@0 {{ target-path = "/"; __overlay__ {{ {} }}; }};'.format

# Each by the words of its refusal; all are applied behind `high`, which gives the base a high phandle.
OVERLAYS = {
    "high": (overlay(ROOT("big { phandle = <0x40000000>; };")), None),
    # libfdt adds the base's highest phandle to what says where it will write.
    "shifted": (overlay(ROOT("n { phandle = <1>; };")
                        + "__local_fixups__ { fragment@0 { __overlay__ { n { phandle = <0>; }; }; }; };"),
                "/__local_fixups__/fragment@0/__overlay__/n: a phandle among fixups or symbols"),
    "shifted-offset": (overlay(ROOT("n = <1>;")
                               + "__local_fixups__ { phandle = <1>; fragment@0 { __overlay__ { n = <4>; }; }; };"),
                       "a phandle among fixups or symbols"),
    # A fixup writes to where another is read from.
    "fixup-of-fixup": (overlay("n { p = <0>; }; __fixups__ { a = \"/__fixups__:b:3\"; b = \"/n:p:00000000\"; };"), "needs a"),
    "local-of-fixups": (overlay("__local_fixups__ { __fixups__ { b = <0>; }; }; __fixups__ { b = \"/n:p:0\"; };"),
                        "a fixup of no node of a fragment"),
    "alias": (overlay("aliases { ali = \"/__fixups__\"; }; n { p = <0>; }; __local_fixups__ { aliases { ali = <8>; }; };"
                      " __fixups__ { lab = \"ali:lab:3\"; };"), "needs lab"),
    "outside": (overlay(ROOT("n = <1>;") + "__local_fixups__ { fragment@0 { __overlay__ { n = <0xfffffffc>; }; }; };"),
                "a fixup outside of its property"),
    "no-place": (overlay(ROOT("n { phandle = <0xbfffffff>; };")), "its phandle has no place among the base's"),
    "names": (names_that_change(), "its blocks overlap"),
}
