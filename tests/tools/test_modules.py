"""GRUB's modules see each other's global names, all of them in one space: ours must be known as ours, and be nobody
else's. GRUB's build looks at this too, but only at the modules that one configuration makes, and with a user's other
modules it is too late."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEFINITIONS = (ROOT / "grub-core/Makefile.core.def").read_text()
OURS = re.findall(r"^  name = (\w+);", DEFINITIONS, re.MULTILINE)

# libfdt's names are its own.
PREFIXES = r"(grub_)?dom0less_|fdt_"


@pytest.fixture
def defined(grub):
    """{global name: the modules that define it}"""
    folder = grub / "lib/grub/arm64-efi"
    found = defaultdict(set)
    nm = subprocess.run(["aarch64-linux-gnu-nm", "-A", "-g", "--defined-only", *sorted(folder.glob("*.module"))],
                        capture_output=True, text=True, check=True)
    for line in nm.stdout.splitlines():
        file, _, symbol = line.partition(":")
        found[symbol.split()[-1]].add(Path(file).stem)
    return found


def test_names_say_whose_they_are(defined, grub):
    assert all((grub / f"lib/grub/arm64-efi/{module}.module").exists() for module in OURS)
    ours = {name: modules for name, modules in defined.items() if modules & set(OURS)}
    assert len(ours) > 100
    assert not [name for name in ours if not re.match(PREFIXES, name)]


def test_switches(grub):
    """The shipped loader asks for the variables that the manual has, and for no other of its own: nothing in it switches
    a rule off."""
    manual = "".join(chapter.read_text() for chapter in (ROOT / "docs").glob("*.texi"))
    known = set(re.findall(r"^@vindex (xen_dom0less_\w+)$", manual, re.MULTILINE))
    assert known
    for module, variables in ("dom0less", set()), ("xen_dom0less", known):
        image = (grub / f"lib/grub/arm64-efi/{module}.mod").read_bytes()
        assert b"dom0less_force" not in image
        assert {text.decode() for text in re.findall(rb"(?<=\0)xen_dom0less_[a-z0-9_]+(?=\0)", image)} == variables


def test_no_two_modules_share_a_name(defined):
    assert not {name: modules for name, modules in defined.items() if len(modules) > 1}
