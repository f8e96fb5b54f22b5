"""What a tree can say, booted: every kind of module, a dom0 beside domains, fixed and preloaded addresses, many domains.

These boots are about Xen and the tree, so one GRUB and one firmware serve: test_boot.py has the others.
"""

import re

import pytest

from conftest import XENS
from disk import at_once
from guest import ramdisk
from paths import GUEST
from tree import chosen, compile_dts, domain, make_dtb, module

GRUB = "2.12"
LOAD = "xen_dom0less --dtb /test.dtb /xen.efi console=dtuart noreboot"

DOM0 = module(1, "kernel", "vmlinuz") + module(2, "ramdisk", "b.img")
DOM0_SAYS = "console=hvc0 quiet hostname=Dom0"

# A node that gives no device away: Xen copies what it does not know into the domain's tree (passthrough.txt).
PARTIAL = b"""/dts-v1/;
/ {
    #address-cells = <2>;
    #size-cells = <2>;
    passthrough {
        compatible = "simple-bus";
        ranges;
        #address-cells = <2>;
        #size-cells = <2>;
        handed-over {
            compatible = "test,nothing";
            words = "through the partial tree";
        };
    };
};
"""
# How a policy of Xen's FLASK begins, which is as far as Xen looks at it unless flask= asks for more.
POLICY = b"\x8c\xff\x7c\xf9\x08\0\0\0XenFlask"

REPORT = "say device $(cat /proc/device-tree/passthrough/handed-over/words)"


@pytest.mark.parametrize("xen", XENS)
def test_dom0_and_two(boot, xen):
    """A dom0 and two domains, all from one kernel, a domain's node first; with them a passthrough tree for one of the
    domains and a security policy. Xen 4.20 loses a dom0 whose kernel lies where a domain before it has its
    own."""
    policy = POLICY + bytes(5000 - len(POLICY))
    machine = boot(at_once(LOAD.replace("noreboot", "noreboot dom0_mem=256M")), {
        "test.dtb": make_dtb(chosen(
            f'xen,dom0-bootargs = "{DOM0_SAYS}";',
            domain("DomA", ramdisk="device.img", extra=module(3, "device-tree", "passthrough.dtb")),
            DOM0,
            domain("DomB", ramdisk="a.img"),
            module(3, "xen,xsm-policy", "policy"),
        )),
        "device.img": ramdisk("device.img", REPORT),
        "passthrough.dtb": compile_dts(PARTIAL),
        "policy": policy,
    }, grub=GRUB, xen=xen)
    found = machine.domains("Dom0", "DomA", "DomB")
    assert [found[name]["ramdisk"] for name in ("Dom0", "DomA", "DomB")] == ["b.img", "device.img", "a.img"]
    assert found["Dom0"]["cmdline"] == DOM0_SAYS
    assert found["DomA"]["device"] == "through the partial tree"
    # What Xen says of a policy that has the right beginning, and keeps it from starting if it has not.
    assert re.search(rf"xsm: Policy len = 0x0*{len(policy):x} start at 0x", machine.text)
