"""The tree that Xen gets, byte for byte. In Xen's place a second GRUB is started, which shows what the firmware's
configuration table has, and what lies in memory where the tree says. It comes from memory, so it finds no disk and
has no more than its rescue prompt and what is built in. The version in use has no part in that."""

import re

from disk import make_core
from guest import kernel, ramdisk
from paths import grub_dir, some_grub
from prompt import accept, read_hexdump
from rules import FIXTURES
from tree import compile_dts, make_dtb, read_dtb

GRUB = some_grub()
RESCUE = "grub rescue> "
NAMES = ["uefi,binary", "xen,uefi-binary", "mb-index"]

# Beside all the properties that a domain can have: the kinds of module that Linux does not tell of, every way to name
# a file, and what no loader knows.
MORE = """
/ {
    chosen {
        of-no-loader = [00 01 02 ff], "and a string";

        module@2 {
            compatible = "xen,xsm-policy", "multiboot,module";
            xen,uefi-binary = "policy";
        };

        domU1 {
            module@3 {
                compatible = "multiboot,device-tree", "multiboot,module";
                uefi,binary = "KEY";
                of-no-loader;
            };
        };

        domU2 {
            /* Xen does not color caches beside static memory.  */
            /delete-property/ llc-colors;

            module@2 {
                /delete-property/ uefi,binary;
                mb-index = <1>;
            };
        };
    };
};
"""


def cells(data):
    return [int.from_bytes(data[at:at + 4], "big") for at in range(0, len(data), 4)]


def rescue(machine, command):
    """The text of a command at the rescue prompt."""
    before = len(machine.text)
    machine.send(command)
    machine.expect(RESCUE)
    return machine.text[before:]


def look(machine, address, size):
    return read_hexdump(rescue(machine, f"hexdump -s {address:#x} -n {size} (mem)"), address, size)


def test_byte_for_byte(boot):
    """Every node and property arrives as it was, but for what says where the modules are; and they are there."""
    files = {"vmlinuz": kernel("vmlinuz"), "vmlinuz-dom0": kernel("vmlinuz-dom0"),
             "ramdisk.img": ramdisk("ramdisk.img"), "other.img": ramdisk("other.img"),
             "policy": b"\x8c\xff\x7c\xf9 the policy" + bytes(range(256)), "partial.dtb": compile_dts(
                 b"/dts-v1/; / { passthrough { #address-cells = <2>; #size-cells = <2>; }; };")}
    given = make_dtb((FIXTURES / "good-properties.dts").read_text() + MORE)
    machine = boot(files={
        **files, "test.dtb": given,
        "second.efi": make_core(grub_dir(GRUB), ["lsefisystab", "hexdump"]),
    }, grub=GRUB)
    machine.prompt()
    accept(machine, "xen_dom0less --dtb /test.dtb --module KEY=/partial.dtb --module /other.img /second.efi"
                    " console=dtuart  dom0_mem=512M 'two words'")
    machine.send("boot")
    machine.expect(RESCUE)

    text = rescue(machine, "lsefisystab")
    table = int(re.search(r"(0x[0-9a-f]+) +b1b621d5-", text).group(1), 16)
    got = read_dtb(look(machine, table, int.from_bytes(look(machine, table + 4, 4), "big")))

    expected, modules = {}, {}
    renamed = iter(got)
    for path, properties in read_dtb(given).items():
        now = next(renamed)
        properties = dict(properties)
        named = [properties.pop(name, None) for name in NAMES]
        if any(named):
            parent = path.rsplit("/", 1)[0]
            width = got[parent]["#address-cells"], got[parent]["#size-cells"]
            assert width == (b"\0\0\0\2", b"\0\0\0\2")
            high, low, more, size = cells(got[now]["reg"])
            address = high << 32 | low
            assert more == 0 and now == f"{parent}/module@{address:x}"
            file = {"KEY": "partial.dtb"}.get(named[0][:-1].decode(), named[0][:-1].decode()) if named[0] \
                else named[1][:-1].decode() if named[1] else "other.img"
            modules[now] = file, address, size
            properties["reg"] = got[now]["reg"]
        if path == "/chosen":
            properties["xen,xen-bootargs"] = b'console=dtuart dom0_mem=512M "two words"\0'
            properties.setdefault("#address-cells", b"\0\0\0\2")
            properties.setdefault("#size-cells", b"\0\0\0\2")
        expected[now] = properties
    assert got == expected and list(got) == list(expected)

    assert {file for file, _, _ in modules.values()} == set(files)
    for file, address, size in modules.values():
        content = files[file]
        assert size == len(content) and address % 4096 == 0
        assert look(machine, address, 64) == content[:64]
        assert look(machine, address + size - 64, 64) == content[-64:]
