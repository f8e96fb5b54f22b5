"""Overlays: the domains of a fleet on each board's own tree."""

import pytest

from conftest import FIRMWARES
from machine import findings
from paths import some_grub
from prompt import refuse
from tree import compile_dts, domain
from two import XEN_EFI, check_two


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
    }, grub=some_grub(), firmware=firmware)
    machine.prompt()
    for overlays, rule, *words in [
            ("--overlay /path.dtbo", "overlay-misfit", "/path.dtbo: fragment@1 wants /chosen/DomC"),
            ("--overlay /a.dtbo --overlay /label.dtbo", "overlay-misfit", "/label.dtbo: fragment@1 wants uart"),
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
