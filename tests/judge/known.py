"""Kinds of disagreement that are known: known.json has a name and a reason for each.

    name            what it is called in the judge's report
    reason          why the tool cannot say it, or does not yet
    xens            words in the names of the Xens that it is seen with; any Xen if there are none
    wrong           what the judge calls it, such as "silent loss"
    differences     a regular expression for what Xen or its domains said
    rules           rules whose errors make up a false refusal
    edits           a regular expression for what is odd in the tree, as the judge names it after it has removed the rest
"""

import json
import re
from pathlib import Path

TABLE = Path(__file__).parent / "known.json"


def read():
    return json.loads(TABLE.read_text())


def find(kinds, described):
    """The first of `kinds` that fits the judge's description of a disagreement, or None."""
    return next((kind for kind in kinds if _fits(kind, described)), None)


def _fits(kind, described):
    errors = {line.split("]")[0].split("[")[-1] for line in described["found"] if line.startswith("error")}
    return (kind["wrong"] == described["wrong"]
            and any(word in described["xen"] for word in kind.get("xens", [""]))
            and ("differences" not in kind or any(re.search(kind["differences"], line) for line in described["differences"]))
            and ("edits" not in kind or any(re.search(kind["edits"], edit) for edit in described["signature"][1:]))
            and ("rules" not in kind or errors == set(kind["rules"])))
