"""The list of rules in the manual is the list in the code."""

import re

from paths import ROOT
from rules import rules


def test_rules():
    """The same rules with the same severities, in the same order."""
    headings = re.findall(r"^### ([a-z0-9-]+) \((\w+)\)$", (ROOT / "docs/rules.md").read_text(), re.MULTILINE)
    assert headings == [(name, severity) for name, (severity, _) in rules().items()]
