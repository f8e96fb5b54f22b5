"""docs/xen-map.md names rules that exist, every rule about Xen, and a reason where there is none."""

import re

from paths import ROOT
from rules import rules

# What Xen has no part in: the loader's own files and limits, GRUB's trust, and mistakes in what only the loader reads.
OURS = {"address-in-use", "address-too-big", "file-refused", "file-too-big", "file-unreadable",
        "index-malformed", "index-unknown", "key-unused", "option-after-xen", "names-differ", "overlay-malformed", "overlay-misfit",
        "reg-unmeasured", "reg-unverified", "shim", "signatures-off", "too-many-nodes", "tree-malformed"}


def rows():
    text = (ROOT / "docs/xen-map.md").read_text()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    return [row for row in found if row[0] not in ("place", "---")]


def test_rows():
    assert len(rows()) > 60
    for row in rows():
        assert len(row) == 4, row
        place, versions, what, covered = row
        assert place.startswith("`") and versions and what, row
        assert re.fullmatch(r"none: .{8,}|`[a-z0-9-]+`(, `[a-z0-9-]+`)*", covered), row


def test_rules():
    named = {name for row in rows() for name in re.findall(r"`([a-z0-9-]+)`", row[3])}
    known = set(rules())
    assert named <= known, named - known
    assert not named & OURS
    assert known - named == OURS, (known - named) ^ OURS
