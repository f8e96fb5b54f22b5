"""The table of a run of test_matrix.py, or of test_machines.py and test_handover.py, from what pytest has left of it:

    tests/boot/matrix.py build/results/matrix/pytest.xml
    tests/boot/matrix.py build/results/machines/pytest.xml

A .md and a .json with the folder's name come beside that file, and the first is printed.
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


def read_machines(file):
    """[(test, what is different, result, reason)]"""
    rows = []
    for case in ElementTree.parse(file).iter("testcase"):
        test, _, cell = case.get("name").rstrip("]").partition("[")
        if not cell:
            continue
        gap = next((one for one in case if one.tag in ("skipped", "failure", "error")), None)
        result = "as expected" if gap is None else "skipped" if gap.tag == "skipped" else "fails"
        rows.append((test.removeprefix("test_"), cell, result,
                     "" if gap is None else " ".join(gap.get("message", "").split())))
    return rows


def make_machines_table(rows):
    lines = ["| test | machine | result |", "| --- | --- | --- |"]
    lines += [f"| {test} | {cell} | {result} |" for test, cell, result, _ in rows]
    return "\n".join([*lines, "", *(f"- {cell}: {result}: {reason}" for _, cell, result, reason in rows if reason)]) + "\n"


if __name__ == "__main__":
    results = Path(sys.argv[1])
    name = results.parent.name
    if name == "machines":
        rows = read_machines(results)
        table = make_machines_table(rows)
    else:
        rows = read_results(results)
        table = make_table(rows)
    results.with_name(f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n")
    results.with_name(f"{name}.md").write_text(table)
    print(table, end="")
