"""The rules as the code has them, and their fixtures in tests/dts."""

import re
import subprocess

from paths import ROOT

HEADER = ROOT / "include/grub/xen_dom0less_rules.h"
FIXTURES = ROOT / "tests/dts"


def rules():
    """{name: (severity, phase)} in the header's order."""
    found = re.findall(r'^RULE \(\w+, "([a-z0-9-]+)", (\w+), (\w+),', HEADER.read_text(), re.MULTILINE)
    assert len(found) == len(re.findall(r"^RULE \(", HEADER.read_text(), re.MULTILINE)) > 0
    return {name: (severity.lower(), phase) for name, severity, phase in found}


def expand(path):
    """The source of a fixture, with what it repeats."""
    return subprocess.run([FIXTURES / "expand", path], check=True, capture_output=True, text=True).stdout


def fixtures(prefix):
    """{rule: source} of tests/dts/PREFIX-RULE.dts."""
    return {path.stem.removeprefix(f"{prefix}-"): expand(path) for path in FIXTURES.glob(f"{prefix}-*.dts")}


def finds(source):
    """What the findings of a fixture begin with, as it says itself."""
    return re.findall(r"^ \* Finds:\s+(.*)", source, re.MULTILINE)
