"""Measured boot: what the TPM's PCRs 8 and 9 are after the command, and what grub-dom0less-check says they will be."""

import json
import re
import subprocess

import pytest

from conftest import GRUBS
from disk import make_core, make_tar, put_file
from paths import grub_dir, some_grub, some_xen, xen_image
from prompt import refuse
from test_check import IMAGE, POLICY
from test_overlay import CHOSEN, overlay
from tpm import Tpm
from tree import chosen, compile_dts, domain, make_dtb, module

MODULES = ["part_gpt", "ext2", "normal", "configfile", "loopback", "tar", "lsefisystab", "tpm", "xen_dom0less"]

# A domain's own tree, in which there is something to change.
PARTIAL = compile_dts(b"""/dts-v1/; / { note = "a note"; passthrough { #address-cells = <2>; #size-cells = <2>; }; };""")

# A tree of a file, and the firmware's own: the command, and the same for the tool.
ON_FILE = "xen_dom0less -d /a.dtb -o /b.dtbo -c /xen.cfg -m KEY=/c.img /xen.efi"
ON_FIRMWARE = "xen_dom0less -o /b.dtbo -m KEY=/c.img /xen.efi console=dtuart noreboot"

# What is measured by ON_FILE, once each and in this order: PCR 8 has what is said, PCR 9 what is read.
ORDER = [
    (8, ON_FILE),
    (9, "/xen.efi"), (9, "/xen.cfg"), (9, "/a.dtb"), (9, "/b.dtbo"),
    (8, "dom0less_tree sha256:"), (8, "console=dtuart"),
    (8, "console=ttyAMA0 quiet hostname=DomC "), (8, "console=ttyAMA0 quiet hostname=DomA "),
    (8, "console=ttyAMA0 quiet hostname=DomB "),
    (9, "/c.img"), (9, "/image"), (9, "/policy"), (9, "/partial.dtb"), (9, "/a.img"),
]

# {name: (the file, its one changed byte, the PCRs that change)}; what a tree says is measured beside it.
CHANGED = {
    "xen": ("xen.efi", -1, {9}),
    "config": ("xen.cfg", b"dtuart", {8, 9}),
    "tree": ("a.dtb", b"dummy-virt", {8, 9}),
    "bootargs": ("a.dtb", b"hostname=DomA", {8, 9}),
    "overlay": ("b.dtbo", b"hostname=DomC", {8, 9}),
    "image": ("image", -1, {9}), "policy": ("policy", -1, {9}), "partial": ("partial.dtb", PARTIAL.index(b"a note"), {9}),
    "ramdisk": ("a.img", -1, {9}), "module": ("c.img", -1, {9}),
}


def change(content, where):
    """The same with one bit of a byte changed: at an index, or the last of those that are there."""
    at = where if isinstance(where, int) else content.rindex(where) + len(where) - 1
    changed = bytearray(content)
    changed[at] ^= 1
    return bytes(changed)


# Where a test puts bytes into the machine's memory, which is what EDK2 leaves alone: behind each other a kernel, a
# ramdisk, what a node beside /chosen names, and what linux,initrd-start does.
PLACES = {0x50000000: IMAGE, 0x51000000: b"ramdisk in memory", 0x52000000: b"a stray",
          0x53000000: b"an earlier ramdisk"}
NOT_RAM = 0x10000000


def reg(address, size):
    """As a module's node says it in two and one cells."""
    return f"reg = <{address >> 32} {address & 0xffffffff:#x} {size:#x}>;"


def placed_nodes(places):
    """A tree's nodes of which these {address: bytes} are the modules, in the order of PLACES."""
    (kernel, image), (ramdisk, disk), (stray, other), (initrd, earlier) = places.items()
    nodes = domain("DomA", kernel="k", ramdisk="a.img").replace('uefi,binary = "k";', reg(kernel, len(image)))
    nodes = nodes.replace('uefi,binary = "a.img";', reg(ramdisk, len(disk)))
    return f"""
        linux,initrd-start = <{initrd:#x}>; linux,initrd-end = <{initrd + len(earlier):#x}>;
        {nodes}
    }}; chosen-old {{ #address-cells = <2>; #size-cells = <1>;
        m {{ compatible = "xen,multiboot-module"; {reg(stray, len(other))} }};"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder with the files, and one for each change, as the tool sees them."""
    files = {
        "xen.efi": xen_image(some_xen()).read_bytes(),
        "xen.cfg": b"[global]\ndefault=it\n[it]\noptions=console=dtuart\n",
        "a.dtb": make_dtb(chosen(
            module(9, "xen,xsm-policy", "policy"),
            domain("DomA", kernel="image", ramdisk="a.img", extra=module(3, "device-tree", "partial.dtb")),
            domain("DomB", kernel="image", ramdisk="a.img"),
        )),
        "b.dtbo": overlay((CHOSEN, domain("DomC", kernel="image", ramdisk="KEY"))),
        "image": IMAGE, "policy": POLICY, "partial.dtb": PARTIAL,
        "a.img": b"ramdisk a", "c.img": b"ramdisk c",
    }
    top = tmp_path_factory.mktemp("folders")
    for name in "good", *CHANGED:
        for file, content in files.items():
            put_file(top / name / file, content)
    for name, (file, where, _) in CHANGED.items():
        put_file(top / name / file, change(files[file], where))
    return top


def start(boot, grub, tpm, folders):
    """A machine at the prompt, where `use NAME` makes a folder the root. The modules are built in: GRUB measures each
    file that it reads, and the tool knows of none of those."""
    tars = {f"{folder.name}.tar": make_tar({file.name: file.read_bytes() for file in folder.iterdir()})
            for folder in folders.iterdir()}
    machine = boot("function use { loopback $1 (hd0,gpt2)/$1.tar; set root=$1; }\n", tars, grub=grub,
                   core=make_core(grub_dir(grub), MODULES), extra=tpm.arguments)
    machine.prompt()
    return machine


def run(machine, command):
    """At the prompt: just this command, which goes through without a complaint."""
    machine.send(command)
    match, _ = machine.expect(r"(?s)^(.*?)grub> ")
    assert "error" not in match.group(1), match.group(1)


def check(grub, folder, *arguments):
    """grub-dom0less-check, for either command; what it warns of does not matter."""
    done = subprocess.run([grub_dir(grub) / "bin/grub-dom0less-check", "--root", folder, "--xen", folder / "xen.efi",
                           "--overlay", folder / "b.dtbo", "--module", f"KEY={folder}/c.img", *arguments],
                          capture_output=True, text=True)
    assert done.returncode < 2, done.stdout + done.stderr
    return done.stdout


def on_file(folder):
    return ["--command", ON_FILE, "--config", folder / "xen.cfg", folder / "a.dtb"]


def firmware_tree(machine, tpm):
    """The firmware's tree, as it lies in memory."""
    machine.send("lsefisystab")
    match, _ = machine.expect(r"(0x[0-9a-f]+) +b1b621d5-")
    machine.expect(r"grub> ")
    address = int(match.group(1), 16)
    return tpm.memory(address, int.from_bytes(tpm.memory(address + 4, 4), "big"))


def values(pcrs):
    """{number: value}"""
    found = re.findall(r"(\d) : 0x(\w{64})\n", pcrs)
    assert [number for number, _ in found] == ["8", "9"]
    return {int(number): value for number, value in found}


def test_order(folders):
    """What is measured, and that it is measured once."""
    found = json.loads(check(some_grub(*GRUBS), folders / "good", "--json", *on_file(folders / "good")))["measurements"]
    assert [(one["pcr"], re.sub("(?<=sha256:).*", "", one["what"])) for one in found] == ORDER


def measure(machine, tpm):
    """The PCRs before, between and behind the two commands, and the firmware's tree."""
    run(machine, "use good")
    steps = [tpm.pcrs()]
    for command in ON_FILE, ON_FIRMWARE:
        run(machine, command)
        steps.append(tpm.pcrs())
    return steps, firmware_tree(machine, tpm)


@pytest.mark.parametrize("grub", GRUBS)
def test_measured(boot, grub, folders, tmp_path):
    """Two boots come to the same values, though the firmware's tree differs from boot to boot; and the tool knows these
    from the values before the command, with each tree and with each change."""
    good = folders / "good"

    def predict(before, folder, *arguments):
        (tmp_path / "before").write_text(before)
        return check(grub, folder, "--pcr", tmp_path / "before", *arguments)

    with Tpm() as tpm:
        machine = start(boot, grub, tpm, folders)
        first, first_tree = measure(machine, tpm)
        machine.close()
    with Tpm() as tpm:
        machine = start(boot, grub, tpm, folders)
        second, second_tree = measure(machine, tpm)
        assert second == first and second_tree != first_tree

        before, between, behind = second
        assert predict(before, good, *on_file(good)) == between
        (tmp_path / "machine.dtb").write_bytes(first_tree)
        assert predict(between, good, "--command", ON_FIRMWARE, "--xen-args", "console=dtuart noreboot",
                       "--machine-tree", tmp_path / "machine.dtb") == behind

        for name, (_, _, pcrs) in CHANGED.items():
            run(machine, f"use {name}")
            before = tpm.pcrs()
            run(machine, ON_FILE)
            after = tpm.pcrs()
            assert predict(before, folders / name, *on_file(folders / name)) == after, name
            unchanged = predict(before, good, *on_file(good))
            assert {number for number in (8, 9) if values(after)[number] != values(unchanged)[number]} == pcrs, name


def in_memory(tmp_path, places):
    """The tool's options for what lies in memory."""
    options = []
    for address, content in places.items():
        (tmp_path / f"{address:x}").write_bytes(content)
        options += ["--memory", f"{address:#x}={tmp_path / f'{address:x}'}"]
    return options


@pytest.mark.parametrize("grub", GRUBS)
def test_memory(boot, grub, tmp_path):
    """What others have put into memory is measured where it lies, each module and what Xen takes besides: each change
    changes PCR 8, and is predicted by who has the bytes. Who has not is told so. What cannot be read is refused, and
    without a TPM nobody minds."""
    (tmp_path / "xen.efi").write_bytes(xen_image(some_xen()).read_bytes())
    (tmp_path / "a.dtb").write_bytes(make_dtb(chosen(placed_nodes(PLACES))))
    nowhere = {(NOT_RAM if address == 0x51000000 else address): content for address, content in PLACES.items()}
    (tmp_path / "nowhere.dtb").write_bytes(make_dtb(chosen(placed_nodes(nowhere))))
    files = {name: (tmp_path / name).read_bytes() for name in ("xen.efi", "a.dtb", "nowhere.dtb")}
    # A kernel in memory is looked at, and on the second machine there is none.
    files["unmeasured.dtb"] = make_dtb(chosen(placed_nodes(nowhere).replace(reg(0x50000000, len(IMAGE)), 'uefi,binary = "vmlinuz";')))
    command = "xen_dom0less -d /a.dtb /xen.efi"
    tool = [grub_dir(grub) / "bin/grub-dom0less-check", "--root", tmp_path, "--xen", tmp_path / "xen.efi",
            "--command", command, tmp_path / "a.dtb"]

    def predict(before, places):
        (tmp_path / "before").write_text(before)
        return subprocess.run([*tool, "--pcr", tmp_path / "before", *in_memory(tmp_path, places)],
                              capture_output=True, text=True)

    def load():
        before = tpm.pcrs()
        machine.send(command)
        match, _ = machine.expect(r"(?s)^(.*?)grub> ")
        assert "error" not in match.group(1), match.group(1)
        return before, tpm.pcrs()

    with Tpm() as tpm:
        machine = boot("", files, grub=grub, core=make_core(grub_dir(grub), MODULES), extra=tpm.arguments)
        machine.prompt()
        for address, content in PLACES.items():
            tpm.write_memory(address, content)
        before, after = load()
        assert predict(before, PLACES).stdout == after
        for address in PLACES:
            places = PLACES | {address: change(PLACES[address], -1)}
            tpm.write_memory(address, places[address])
            before, after = load()
            assert predict(before, places).stdout == after
            unchanged = predict(before, PLACES).stdout
            assert {number for number in (8, 9) if values(after)[number] != values(unchanged)[number]} == {8}
            tpm.write_memory(address, PLACES[address])

            told = predict(before, {other: content for other, content in PLACES.items() if other != address})
            assert told.returncode == 2 and not told.stdout
            assert f"PCR 8 cannot be predicted without what lies at {address:#x}" in told.stderr
        refuse(machine, command.replace("a.dtb", "nowhere.dtb"), "reg-unmeasured", f"{NOT_RAM:#x}")
        machine.close()
    machine = boot("", files, grub=grub, core=make_core(grub_dir(grub), [name for name in MODULES if name != "tpm"]))
    machine.prompt()
    text, status = machine.run(command.replace("a.dtb", "unmeasured.dtb"))
    assert status == 0, text
