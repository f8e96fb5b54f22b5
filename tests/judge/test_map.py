"""docs/xen-map.md names rules that exist, and a reason where there is none."""

import re

from paths import ROOT
from rules import rules


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
