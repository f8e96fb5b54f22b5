"""Every rule at GRUB's prompt: each tests/dts/bad-RULE.dts on a real machine's tree is refused with its identifier and
nothing is armed, each warn-RULE.dts prints its warning and boots; what only the loader can meet with is provoked.

The unit tests decide every rule on a machine that they make up. Where that cannot be had from QEMU, the tree is adapted
to what can, or the reason is here. GRUB's version and the firmware have no part in this: one of each.
"""

import re

import pytest

from disk import at_once
from guest import ramdisk
from machine import Died, findings, script
from paths import THINGS, some_grub, static_xen
from prompt import memory_map, refuse
from rules import finds, fixtures, rules
from tree import chosen, compile_dts, domain, make_dtb, module
from two import LOAD_TWO, check_two

GRUB = some_grub()

# What a fixture needs that QEMU cannot give, and why; besides Xens that Debian does not have.
NEWEST = max(version for version in THINGS["xen"] if re.fullmatch(r"4\.\d+", version))
NOT_HERE = {
    **{name: needed[1] for name, source in fixtures("bad").items()
       if (needed := re.search(r"Needs:.*\b(Xen 4\.(\d+))", source)) and int(needed[2]) > int(NEWEST.split(".")[1])},
    "not-el2": "a machine without EL2 of its own: test_refuse.py::test_no_el2",
    "vhe": "firmware that cannot leave VHE; test_handover.py has one that shall not",
    "vhe-code": "firmware whose tables forbid EL0 to execute, which nobody makes",
    "reg-unverified": "signatures that are enforced: test_trust.py",
    "domain-too-small": "test_kernels.py has files that large",
    "kernel-outside": "test_kernels.py has a uImage",
    "cpupool-malformed": "a Xen with BOOT_TIME_CPUPOOLS",
    "address-too-big": "files are loaded below 4 GiB where an address has one cell, and no file is that big",
    "image-in-range": "the claims keep images out: test_static.py shows it without them",
    "xen-in-range": "the claims keep Xen out: test_static.py shows it without them",
}
NO_BOOT = {
    "tree-deep-unsure": "a Xen 4.20 or 4.21 that does not tell its third number, as Debian's do",
    "too-many-pieces": "QEMU's firmware has some 30 pieces of RAM, and none of 256 and more",
}

# Which Xen a fixture is about. The others get the one that has static memory built in.
XEN = {"not-built-in": "4.20", "shared-mem-host": "4.17", "llc-colors-off": "coloring", "llc-colors-static": "coloring",
       "tree-deep": "4.17", "value-impossible": "4.20", "disabled-static-mem": "4.20"}
XENS = ["static", *sorted(set(XEN.values()))]


def find_xen(name):
    """The Xen of that name, for boot; the test is skipped if there is none."""
    return {"static": static_xen, "coloring": lambda: static_xen("LLC_COLORING")}.get(name, lambda: name)()


# Rules that a fixture breaks as well on this machine or with that Xen.
ALSO = {
    "range-outside-ram": {"range-over-firmware"},   # EDK2's own memory is at the end of RAM
    "shared-mem-host": {"not-built-in"},            # Debian's Xen has no shared memory
    "disabled-static-mem": {"not-built-in"},        # nor static memory
}

# The loader's rules that other tests provoke.
ELSEWHERE = {
    "tree-missing": "test_refuse.py", "tree-malformed": "test_refuse.py", "file-missing": "test_refuse.py",
    "file-empty": "test_refuse.py", "overlay-misfit": "test_overlay.py", "overlay-malformed": "test_overlay.py",
    "tree-is-overlay": "test_overlay.py", "overlay-is-tree": "test_overlay.py",
    "kernel-format": "test_kernels.py", "kernel-broken": "test_kernels.py", "config-unknown": "test_config.py", "key-unused": "test_config.py",
    "device-lost": "test_met", "signatures-off": "test_trust.py", "shim": "test_trust.py",
    "file-refused": "test_trust.py", "file-unreadable": "test_faults.py", "reg-unmeasured": "test_tpm.py",
}


def test_every_rule():
    """Each rule has its test here or a word about where it is, and no list names a rule that is no more."""
    known = rules()
    bad, warn = fixtures("bad"), fixtures("warn")
    assert set(bad) | set(warn) | set(MET) | set(ELSEWHERE) == set(known)
    assert not set(MET) & set(ELSEWHERE)
    for names in NOT_HERE, XEN, ALSO:
        assert set(names) <= set(bad)
    assert set(NO_BOOT) | set(BOOTS) <= set(warn) and not set(NO_BOOT) & set(BOOTS)


def on_machine(name, source, pieces):
    """A fixture's tree on QEMU's own, its source and what it finds, adapted to the pieces of memory that there are."""
    if name == "no-hardware":
        # This one is about a tree without the hardware.
        return compile_dts(b"/dts-v1/;\n" + source.encode()), finds(source)

    free = [(start, end) for kind, start, end in pieces if kind == "conv-mem"]
    if name == "range-over-firmware":
        runtime = next(start for kind, start, _ in pieces if kind.startswith("RT-"))
        source = source.replace("0x60000000", hex(runtime - (16 << 20))).replace("0x61000000", hex(runtime))
    if name == "module-in-pieces":
        # There no file is ever put, but somebody else may have.
        edge = free[0][1]
        assert any(start == edge for _, start, _ in pieces)
        source = source.replace('uefi,binary = "ramdisk.img";', f"reg = <0 {edge - 0x800:#x} 0 0x1000>;") \
            .replace("0x400ff800", hex(edge - 0x800))
    return make_dtb(source), finds(source)


@pytest.fixture
def session(boot):
    """A machine at GRUB's prompt, with `files`; its memory map is the same each time."""
    def start(files, xen=None):
        machine = boot(files={
            "ramdisk.img": ramdisk("ramdisk.img"), "other.img": b"other",
            **files,
        }, grub=GRUB, xen=xen)
        machine.prompt()
        return machine
    return start


@pytest.mark.parametrize("about", XENS)
def test_errors(session, about):
    """One session for all trees that are about that Xen, then a good one boots."""
    xen = find_xen(about)
    machine = session({}, xen)
    pieces = memory_map(machine)
    machine.close()

    trees = {name: on_machine(name, source, pieces)
             for name, source in sorted(fixtures("bad").items())
             if name not in NOT_HERE and XEN.get(name, "static") == about}
    commands = {name: f"xen_dom0less --dtb /{name}.dtb /xen.efi" for name in trees}
    machine = session({
        **{f"{name}.dtb": tree for name, (tree, _) in trees.items()},
        **{f"ramdisk-{number}.img": b"%d" % number for number in range(1, 32)},
        "all.cfg": script({name: f"if {command}; then echo loaded; else boot; fi"
                           for name, command in commands.items()}),
    }, xen)
    results = machine.run_all("/all.cfg")
    assert set(results) == set(trees)
    faults = []
    for name, (_, expected) in trees.items():
        text, _ = results[name]
        assert "loaded\n" not in text, f"{name}: {text}"
        errors = [line for line in findings(text) if line.startswith("error: ")]
        last = errors.pop() if errors else ""
        told = {re.search(r"\[([a-z0-9-]+)\]", line).group(1) if "[" in line else line for line in errors}
        # Long words are broken at the end of a line, and long findings end before theirs.
        said = "".join(text.split())
        missing = [line for line in expected if "".join(line.split()) not in said]
        if told - ALSO.get(name, set()) != {name} or missing or "you need to load the kernel first" not in last:
            faults.append(f"{name}: {text}\nmissing: {missing}")
    assert not faults, "\n\n".join(faults)

    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


# What only the loader can meet with: {rule: (command, files, words of the error)}.
BASE = 0x58000000
ONE = domain("DomA", ramdisk="ramdisk.img")
KERNEL = 'uefi,binary = "vmlinuz";'


def placed(size, node=ONE, base=BASE, name=KERNEL):
    return node.replace(KERNEL, f"reg = <0 {base:#x} {size:#x}>; {name}")


CONFIG = "[global]\ndefault=first\n[first]\nkernel=vmlinuz console=hvc0\n"

MET = {
    "tree-too-big": ("--dtb /big.dtb", {
        "big.dtb": chosen(f"blob = [{'00' * (2 << 20)}];", ONE)}, "at most"),
    "config-missing": ("--dtb /load.dtb", {
        "load.dtb": chosen("xen,uefi-cfg-load;", ONE)}, "/xen.efi"),
    "config-section": ("--dtb /one.dtb --config /one.cfg --section zwei", {
        "one.dtb": chosen(ONE), "one.cfg": CONFIG}, "one.cfg: zwei"),
    "config-conflict": ("--dtb /dom0.dtb --config /one.cfg", {
        "dom0.dtb": chosen(module(1, "kernel", "vmlinuz").replace("module@1", "kernel"), ONE),
        "one.cfg": CONFIG}, "one.cfg"),
    "index-unknown": ("--dtb /index.dtb --module /a.img", {
        "index.dtb": chosen(ONE.replace(KERNEL, "mb-index = <1>;"))}, "mb-index 1"),
    "file-too-big": ("--dtb /tight.dtb", {
        "tight.dtb": chosen(placed(0x4000))}, "room for 16384"),
    "address-in-use": ("--dtb /used.dtb", {
        # The firmware's flash: nothing can be loaded there.
        "used.dtb": chosen(placed(0x4000000, base=0))}, "0x0 is not free"),
    "policy-format": ("--dtb /policy.dtb", {
        "policy.dtb": chosen(module(9, "xen,xsm-policy", "a.img"), ONE)}, "a.img"),
    "device-tree-broken": ("--dtb /broken.dtb", {
        "broken.dtb": chosen(ONE.replace("ramdisk.img", "own.tree").replace("multiboot,ramdisk", "multiboot,device-tree")),
        "own.tree": compile_dts(b"/dts-v1/; / { passthrough { uart { xen,path = \"/nowhere\"; xen,reg; }; }; };")},
        "own.tree: uart: xen,path is no node"),
    "kernel-consumed": ("--dtb /consumed.dtb", {
        "consumed.dtb": chosen(placed(0x1000, name=""), placed(0x1000, ONE.replace("DomA", "DomB"), name=""))},
        "/chosen/DomA/module@1"),
}


def test_met(session):
    """One session for all, then a good tree boots."""
    files = {}
    for _, more, _ in MET.values():
        files.update({name: make_dtb(text) if name.endswith(".dtb") else text for name, text in more.items()})
    files["lost.dtb"] = make_dtb(MET["device-tree-broken"][1]["broken.dtb"].replace("own.tree", "lost.tree"))
    files["lost.tree"] = compile_dts(b"/dts-v1/; / { uart { xen,path = \"/nowhere\"; xen,reg; }; };")
    machine = session(files)
    # Somebody has put a gzip file there, or so it begins.
    assert machine.run(f"write_dword {BASE:#x} 0x00088b1f")[1] == 0
    for name, (arguments, _, words) in MET.items():
        refuse(machine, f"xen_dom0less {arguments} /xen.efi", name, words)
    text, status = machine.run("xen_dom0less --dtb /lost.dtb /xen.efi")
    assert status == 0 and "[device-lost] /chosen/DomA/module@2: " in text, text
    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


NOT_IN_DEBIAN = 'llc-colors = "0-3";'


def audible(*names):
    """Fixtures, one over the other, with domains that can be heard. The source."""
    source = "\n".join(re.sub(r"memory = <0 0x10000[^>]*>;", r"\g<0> vpl011;", fixtures("warn")[name]) for name in names)
    # Debian's Xen is built without cache coloring, which is an error of its own.
    source = source.replace(NOT_IN_DEBIAN, "")
    return re.sub(r"(dom(U\d) \{.*?)uefi,binary = \"vmlinuz\";",
                  r'\1uefi,binary = "vmlinuz"; bootargs = "console=ttyAMA0 quiet hostname=Dom\2";',
                  source, flags=re.DOTALL)


# Where warnings appear together with others, or elsewhere than on Xen 4.17 with a domain that comes up as DomU1: the Xen,
# and the domains.
BOOTS = {
    **dict.fromkeys(["domain-disabled", "property-unknown", "xen-args-long"], ("4.17", ["DomU1", "DomU2", "DomU3"])),
    "property-size": ("4.20", ["DomU1"]),
    "value-unknown": ("4.20", ["DomU1", "DomU2"]),
    "module-old": ("4.17", ["DomU1", "dom0"]),
    # Nobody can be heard, so its dom0 resets the machine.
    **dict.fromkeys(["console-missing", "console-undriven"], ("4.17", [])),
    # Xen says that it has not so much memory, and stops: a warning, because the firmware's map may not have all of it.
    "memory-bytes": ("4.17", None),
}


TOGETHER = [["property-unknown", "domain-disabled", "xen-args-long"], ["bootargs-ignored", "initrd-present", "compatible-missing"]]
ALONE = sorted(set(fixtures("warn")) - set(NO_BOOT) - set(sum(TOGETHER, [])))


@pytest.mark.parametrize("names", [*TOGETHER, *([name] for name in ALONE)], ids="-".join)
def test_warnings(boot, names):
    version, domains = BOOTS.get(names[0], ("4.17", ["DomU1"]))
    source = audible(*names)
    if not domains and domains is not None:
        source += chosen(module(9, "kernel", "vmlinuz", 'bootargs = "reset";'), module(8, "ramdisk", "ramdisk.img"))
    # With "noreboot" a Xen that panics does not end the machine.
    arguments = "" if domains else " noreboot"
    machine = boot(at_once(f"xen_dom0less --dtb /warn.dtb /xen.efi{arguments}"), {
        "warn.dtb": make_dtb(source), "ramdisk.img": ramdisk("ramdisk.img"),
    }, grub=GRUB, xen=version)
    if domains:
        machine.domains(*domains)
    elif domains is None:
        with pytest.raises(Died, match="Xen panicked"):
            machine.expect("no such words")
    else:
        with pytest.raises(Died, match="QEMU ended"):
            machine.expect("no such words")
    text = "".join(machine.text.split())
    for name in names:
        for line in finds(fixtures("warn")[name]):
            if line.endswith(" llc-colors"):
                continue
            assert "".join(f"warning: {line}".split()) in text, f"{line} in {machine.text}"
