"""From the firmware to Xen: on firmware that runs with VHE where the processor has it, or whose ExitBootServices fails
once. Without the handover, and with Xen's own stub started by the firmware, Xen says nothing there.

`make check` boots each of the firmwares and processors once; `make check-machines` each with every Xen and with Linux,
and what is silent.
"""

import os
import time

import pytest

import conftest
from disk import at_once
from faults import force, forced_modules
from guest import kernel, ramdisk
from machine import FIRMWARES, Died
from paths import some_grub, some_xen, xen_image
from prompt import refuse
from tree import make_dtb
from two import LOAD_TWO, TWO, XEN_EFI, check_two

# Whether Xen's own stub is silent there.
SILENT = {
    ("edk2", "cortex-a57"): False,
    ("edk2", "neoverse-n1"): False,
    ("edk2", "max"): False,
    ("edk2-2025", "cortex-a57"): False,
    ("edk2-2025", "neoverse-n1"): True,
    ("edk2-2025", "max"): True,
    ("edk2-newest", "cortex-a57"): True,
    ("edk2-newest", "neoverse-n1"): True,
    ("edk2-newest", "max"): True,
}
ALL = os.environ.get("MACHINES") == "all"
CPUS = {"max": "max,pauth-impdef=on"}
pytestmark = pytest.mark.skipif(FIRMWARES == ["own"], reason="FIRMWARE is a file")


@pytest.mark.parametrize("firmware, cpu", [cell for cell in SILENT if ALL or SILENT[cell] and cell[1] != "max"])
@pytest.mark.parametrize("xen", conftest.XENS if ALL else [None])
def test_boots(boot, firmware, cpu, xen):
    machine = boot(at_once(LOAD_TWO), grub=some_grub(), linux=ALL, firmware=firmware, cpu=CPUS.get(cpu, cpu), xen=xen or some_xen())
    check_two(machine.domains("DomA", "DomB"), ALL)


def is_silent(machine, taken):
    """Whether Xen says nothing at all in more time than `taken`, which it needs elsewhere."""
    machine.expect("EFI loader")
    try:
        machine.expect(r"\(XEN\)", timeout=10 + 10 * taken)
    except Died as died:
        assert "no \\(XEN\\) within" in str(died), died
        return True
    return False


def time_taken(machine):
    """From Xen's stub to Xen, where all is well."""
    machine.expect("EFI loader")
    started = time.monotonic()
    machine.expect(r"\(XEN\)")
    return time.monotonic() - started


def check_without(boot, tmp_path, firmware, cpu):
    """The same firmware with no GRUB, and with the handover switched off and no rule that stops, beside what boots."""
    grub = some_grub()
    options = {"firmware": firmware, "cpu": CPUS.get(cpu, cpu), "xen": some_xen(), "grub": grub}
    machine = boot(at_once(LOAD_TWO), **options)
    taken = time_taken(machine)
    machine.domains("DomA", "DomB")
    machine.close()

    machine = boot(files=forced_modules(grub, tmp_path), **options)
    machine.prompt()
    force(machine)
    machine.run("set xen_dom0less_handover=0")
    text, status = machine.run(LOAD_TWO)
    assert status == 0 and ("[vhe]" in text) == (SILENT[firmware, cpu] and cpu != "cortex-a57"), text
    machine.send("boot")
    assert is_silent(machine, taken) == SILENT[firmware, cpu]
    machine.close()

    # What the stub loads itself it finds beside itself, under its own name's .cfg.
    stub = {"BOOTAA64.CFG": f"[global]\ndefault=two\n[two]\ndtb=two.dtb\noptions={XEN_EFI.partition(' ')[2]}\n",
            "two.dtb": make_dtb(TWO.replace("uefi,binary", "xen,uefi-binary")),
            "vmlinuz": kernel(), "a.img": ramdisk("a.img"), "b.img": ramdisk("b.img")}
    machine = boot(esp={f"EFI/BOOT/{name}": content for name, content in stub.items()},
                   core=xen_image(options["xen"]), **options)
    assert is_silent(machine, taken) == SILENT[firmware, cpu]


if ALL:
    test_without = pytest.mark.parametrize("firmware, cpu", SILENT)(check_without)


def test_off(boot):
    """Firmware with VHE is refused then, and without it Xen gets what it always got."""
    machine = boot(grub=some_grub(), firmware="edk2-2025", cpu="neoverse-n1")
    machine.prompt()
    machine.run("set xen_dom0less_handover=0")
    refuse(machine, LOAD_TWO, "vhe", "HCR_EL2.E2H", "xen_dom0less_handover")
    machine.run("unset xen_dom0less_handover")
    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))
