"""Cut a case down to what its disagreement needs: delta debugging (Zeller and Hildebrandt's ddmin) on its edits."""

from dataclasses import replace


def minimise(case, holds):
    """The smallest case found that still `holds` (a function of a case)."""
    case = replace(case, edits=_ddmin(case.edits, lambda edits: holds(replace(case, edits=edits))))
    for simpler in _simpler(case):
        if holds(simpler):
            return minimise(simpler, holds)
    return case


def _simpler(case):
    if case.dom0:
        yield replace(case, dom0=False)
    if case.domains > 1:
        yield replace(case, domains=case.domains - 1)
    if case.board:
        yield replace(case, board=0)


def _ddmin(items, holds):
    """The items without those that are not needed."""
    size = (len(items) + 1) // 2
    while items and size:
        for start in range(0, len(items), size):
            fewer = items[:start] + items[start + size:]
            if holds(fewer):
                items = fewer
                size = min(size, (len(items) + 1) // 2) or 1
                break
        else:
            size = size // 2
    return items
