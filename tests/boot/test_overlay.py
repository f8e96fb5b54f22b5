"""Overlays: the domains of a fleet on each board's own tree."""

import re

import pytest

from conftest import FIRMWARES, GRUBS
from evil import OVERLAYS, empty, flat, long_name, nested, overlapping
from machine import findings
from paths import some_grub
from prompt import refuse
from tree import chosen, compile_dts, domain, make_dtb
from two import LOAD_TWO, XEN_EFI, check_two


def overlay(*fragments):
    """{target: what it gets} as an overlay; targets are written as in the source."""
    text = "".join(f"fragment@{number} {{ {target}; __overlay__ {{ {content} }}; }};"
                   for number, (target, content) in enumerate(fragments))
    return compile_dts(f"/dts-v1/; /plugin/; / {{ {text} }};".encode())


CHOSEN = 'target-path = "/chosen"'


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_on_firmware_tree(boot, firmware):
    """Two overlays, the second on what the first has made, and no other tree. Those that do not fit say which fragment
    and why, and leave nothing behind: what they would have added before that is added again without a conflict."""
    first = CHOSEN, domain("DomA", ramdisk="a.img", cpus=2)
    second = CHOSEN, domain("DomB", ramdisk="b.img", cpus=3, memory=64)
    machine = boot(files={
        "a.dtbo": overlay(first),
        "b.dtbo": overlay(second, ('target-path = "/chosen/DomB"', "memory = <0 0x80000>;")),
        "path.dtbo": overlay(first, ('target-path = "/chosen/DomC"', "cpus = <2>;")),
        "label.dtbo": overlay(second, ("target = <&uart>", "status = \"disabled\";")),
        "cut.dtbo": overlay(first)[:100],
        "none.dtbo": overlay(first, ("note", "cpus = <2>;")),
        "tree.dtb": make_dtb(chosen(domain("DomA", ramdisk="a.img"))),
    }, grub=some_grub(), firmware=firmware)
    machine.prompt()
    for overlays, rule, *words in [
            ("--overlay /path.dtbo", "overlay-misfit", "/path.dtbo: fragment@1 needs /chosen/DomC; the tree has no such node"),
            ("--overlay /a.dtbo --overlay /label.dtbo", "overlay-misfit", "/label.dtbo: fragment@1 needs uart; for a tree without"),
            ("--overlay /none.dtbo", "overlay-malformed", "/none.dtbo: /fragment@1: it has no target; give it one"),
            ("--overlay /tree.dtb", "overlay-is-tree", "/tree.dtb is no overlay"),
            ("--dtb /a.dtbo", "tree-is-overlay", "/a.dtbo is an overlay, not the machine's tree; give it with --overlay"),
            ("--overlay /b.dtbo --overlay /cut.dtbo", "tree-malformed", "/cut.dtbo"),
            ("--overlay /gone.dtbo", None, "/gone.dtbo"),
    ]:
        if rule:
            refuse(machine, f"xen_dom0less {overlays} {XEN_EFI}", rule, *words)
        else:
            text, status = machine.run(f"xen_dom0less {overlays} {XEN_EFI}")
            assert status != 0 and len(findings(text)) == 1 and words[0] in text, text
    text, status = machine.run(f"xen_dom0less --overlay /a.dtbo --overlay /b.dtbo {XEN_EFI}")
    assert status == 0 and not findings(text), text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


@pytest.mark.parametrize("grub", GRUBS)
def test_evil(boot, grub):
    """Trees and overlays that make libfdt write where nobody has asked for it, or look for something for hours: each is
    refused by one line, and GRUB goes on."""
    trees = {
        "overlap": (overlapping(make_dtb()), "not a well-formed device tree"),
        "name": (long_name(20000, 1000), "255 bytes"),
        "deep": (nested(1000), "deeper than 64 levels"),
    }
    machine = boot(files={
        **{f"{name}.dtbo": content for name, (content, _) in OVERLAYS.items()},
        **{f"{name}.dtb": content for name, (content, _) in trees.items()},
        "flat.dtb": flat(300_000), "empty.dtb": empty(300_000),
    }, grub=grub)
    machine.prompt()
    for name, (_, words) in OVERLAYS.items():
        if words:
            rule = ("tree-malformed" if "blocks" in words else "overlay-misfit" if "needs" in words
                    else "overlay-malformed")
            text, status = machine.run(f"xen_dom0less --dtb /two.dtb --overlay /high.dtbo --overlay /{name}.dtbo {XEN_EFI}")
            errors = findings(text)
            assert status != 0 and len(errors) == 1, f"{name}: {text}"
            assert f"[{rule}]" in errors[0] and f"/{name}.dtbo: " in errors[0] and words in errors[0], f"{name}: {text}"
    for name, (_, words) in trees.items():
        refuse(machine, f"xen_dom0less --dtb /{name}.dtb {XEN_EFI}", "tree-malformed", f"/{name}.dtb: ", words)

    # What is well-formed is judged to its end, whatever there is of it.
    text, status = machine.run(f"xen_dom0less --dtb /flat.dtb {XEN_EFI}")
    assert status != 0 and re.search(r"\[nested-module\] and \d{4} more", text), text
    text, status = machine.run(f"xen_dom0less --dtb /empty.dtb {XEN_EFI}")
    assert status != 0 and "[no-module]" in text and re.search(r"\[compatible-missing\] and \d{5} more", text), text
    text, status = machine.run(LOAD_TWO)
    assert status == 0 and not findings(text), text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))
