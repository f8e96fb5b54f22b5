"""From the firmware to Xen: on firmware that runs with VHE, or has ExitBootServices fail once."""

import pytest

from disk import at_once
from two import LOAD_TWO, check_two

CELLS = [("edk2-2025", "neoverse-n1"), ("edk2-newest", "cortex-a57"), ("edk2-newest", "neoverse-n1")]


@pytest.mark.parametrize("xen", ["4.17", "4.20"])
@pytest.mark.parametrize("firmware, cpu", CELLS)
def test_boots(boot, firmware, cpu, xen):
    machine = boot(at_once(LOAD_TWO), grub="2.12", firmware=firmware, cpu=cpu, xen=xen)
    check_two(machine.domains("DomA", "DomB"))
