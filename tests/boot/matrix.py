"""The table of a run of test_matrix.py, from what pytest has left of it:

    tests/boot/matrix.py build/results/matrix/pytest.xml

matrix.md and matrix.json come beside that file, and the first is printed.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def read_results(file):
    """[{grub, firmware, xen, domains, result, reason, seconds}]"""
    rows = []
    for case in ElementTree.parse(file).iter("testcase"):
        cell = re.fullmatch(r"test_cell\[(.+)-(edk2|uboot|own)-(.+)-(one|several)\]", case.get("name"))
        if cell:
            gap = next(iter(case), None)
            result = "boots" if gap is None else {"skipped": "skipped"}.get(gap.tag, "fails")
            reason = "" if gap is None else " ".join(gap.get("message", "").split())
            rows.append(dict(zip(("grub", "firmware", "xen", "domains"), cell.groups()), result=result, reason=reason,
                             seconds=float(case.get("time"))))
    return sorted(rows, key=lambda row: [row[name] for name in ("grub", "firmware", "xen", "domains")])


def make_table(rows):
    """As Markdown, with the reasons of all gaps below."""
    columns = sorted({(row["xen"], row["domains"]) for row in rows})
    lines = ["| GRUB | firmware | " + " | ".join(f"Xen {xen}, {domains}" for xen, domains in columns) + " |",
             "|" + " --- |" * (len(columns) + 2)]
    found = {(row["grub"], row["firmware"], row["xen"], row["domains"]): row["result"] for row in rows}
    for grub, firmware in sorted({(row["grub"], row["firmware"]) for row in rows}):
        cells = [found.get((grub, firmware, *column), "not run") for column in columns]
        lines.append(f"| {grub} | {firmware} | " + " | ".join(cells) + " |")
    gaps = [f"- {row['grub']}, {row['firmware']}, Xen {row['xen']}, {row['domains']}: {row['result']}: {row['reason']}"
            for row in rows if row["reason"]]
    return "\n".join([*lines, "", *gaps]).rstrip() + "\n"


if __name__ == "__main__":
    results = Path(sys.argv[1])
    rows = read_results(results)
    results.with_name("matrix.json").write_text(json.dumps(rows, indent=1) + "\n")
    results.with_name("matrix.md").write_text(make_table(rows))
    print(make_table(rows), end="")
