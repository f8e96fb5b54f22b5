"""What is refused, in which words, and that nothing has changed then: the next try boots."""

import re

import pytest

from conftest import FIRMWARES, GRUBS
from disk import entry, make_core, menu
from machine import findings
from paths import grub_dir
from prompt import memory_map, refuse
from tree import chosen, domain, make_dtb
from two import LOAD_TWO, check_two


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_missing_ramdisk(boot, firmware):
    """One error, which names file and node; the next entry boots."""
    machine = boot(menu(
        entry("broken", LOAD_TWO.replace("two.dtb", "broken.dtb")),
        entry("good", LOAD_TWO),
    ), {"broken.dtb": make_dtb(chosen(domain("DomA", ramdisk="gone.img")))}, firmware=firmware)
    machine.menu()
    machine.select(0)
    machine.menu()
    found = findings(machine.text)
    assert len(found) == 1
    assert re.search(r"^error: .*\[file-missing\] /chosen/DomA/module@2: .*\(hd0,gpt2\)/gone\.img", found[0])
    machine.select(1)
    check_two(machine.domains("DomA", "DomB"))


@pytest.mark.parametrize("firmware", FIRMWARES)
@pytest.mark.parametrize("grub", GRUBS)
def test_not_xen(boot, grub, firmware):
    """In XEN's place a file that is no EFI image, then one that comes back: each time an error, the firmware's tree
    and memory as before, and a good try boots."""
    comes_back = make_core(grub_dir(grub), ["minicmd"], "exit\n")
    machine = boot(files={"returns.efi": comes_back}, grub=grub, firmware=firmware)
    machine.prompt()
    before = firmware_tree(machine)
    for file in "a.img", "returns.efi":
        bad = LOAD_TWO.replace("xen.efi", file)
        memory = None
        for _ in range(3):
            text, _ = machine.run(f"{bad}; boot")
            assert re.search(rf"^error: .*\(hd0,gpt2\)/{file}\b", text, re.MULTILINE), text
            assert firmware_tree(machine) == before
            # GRUB's own heap may grow in the first round.
            memory, last = loader_memory(machine), memory
        assert memory == last
    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


def firmware_tree(machine):
    """Where the configuration table has the device tree."""
    text, _ = machine.run("lsefisystab")
    return re.search(r"(0x[0-9a-f]+) +b1b621d5-", text).group(1)


def loader_memory(machine):
    """How much memory GRUB and its modules hold."""
    return sum(end - start for kind, start, end in memory_map(machine) if kind.startswith("ldr-"))


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_no_domain(boot, firmware):
    """The firmware's own tree as it is has nothing to start."""
    machine = boot(firmware=firmware)
    machine.prompt()
    refuse(machine, "xen_dom0less /xen.efi", "no-module", "/chosen")


@pytest.mark.parametrize("firmware", FIRMWARES)
def test_no_el2(boot, firmware):
    """Xen at EL1 would die of an exception."""
    machine = boot(firmware=firmware, el2=False)
    machine.prompt()
    refuse(machine, LOAD_TWO, "not-el2", "EL1")


def test_acpi_only(boot):
    """EDK2 with ACPI publishes no tree; with --dtb it boots."""
    machine = boot(firmware="edk2", acpi=True)
    machine.prompt()
    refuse(machine, "xen_dom0less /xen.efi", "tree-missing", "ACPI")
    machine.send(f"{LOAD_TWO}; boot")
    check_two(machine.domains("DomA", "DomB"))


def test_bad_files(boot):
    """Files that are missing, empty or not what they should be; after all of them it still boots."""
    machine = boot(files={
        "empty.img": b"",
        "empty.dtb": make_dtb(chosen(domain("DomA", ramdisk="empty.img"))),
        "cut.dtb": make_dtb()[:1000],
        "text.dtb": "no tree at all\n",
    })
    machine.prompt()
    for command, words in {
        "xen_dom0less": "XEN is missing, the hypervisor's file name",
        "xen_dom0less --dtb /gone.dtb /xen.efi": "gone.dtb",
        "xen_dom0less --dtb /two.dtb /gone.efi": "gone.efi",
        "xen_dom0less --dtb /cut.dtb /xen.efi": "[tree-malformed] not a well-formed device tree: (hd0,gpt2)/cut.dtb: its header is broken, or it is cut short",
        "xen_dom0less --dtb /text.dtb /xen.efi": "[tree-malformed] not a well-formed device tree: (hd0,gpt2)/text.dtb: it does not begin like one",
        "xen_dom0less --dtb /empty.dtb /xen.efi": "[file-empty] /chosen/DomA/module@2: (hd0,gpt2)/empty.img",
    }.items():
        text, status = machine.run(command)
        assert status != 0 and len(findings(text)) == 1 and words in text, text
    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))
