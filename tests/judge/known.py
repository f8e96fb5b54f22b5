"""Kinds of disagreement that are known: known.json has a name and a reason for each.

    name            what it is called in the judge's report
    reason          why the tool cannot say it, or does not yet
    xens            words in the names of the Xens that it is seen with; any Xen if there are none
    wrong           a regular expression for all of what the judge calls it, such as "silent loss"
    differences     a regular expression for what Xen or its domains said
    rules           rules whose errors make up a false refusal
    edits           a regular expression for what is odd in the tree, as the judge names it when the rest is gone
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
    return (re.fullmatch(kind["wrong"], described["wrong"])
            and any(word in described["xen"] for word in kind.get("xens", [""]))
            and _one_fits(kind, "differences", described["differences"])
            and _one_fits(kind, "edits", described["signature"][1:])
            and ("rules" not in kind or errors == set(kind["rules"])))


def _one_fits(kind, key, lines):
    """Whether any of `lines` fits what the kind says of them, if it does."""
    return key not in kind or any(re.search(kind[key], line) for line in lines)
