"""What grub-dom0less-check says of a draft, and the tree that it would give to Xen."""

import gzip
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import fdt

FINE, WARNED, REFUSED = "fine", "warned", "refused"


@dataclass
class Verdict:
    word: str                   # FINE, WARNED or REFUSED
    findings: list              # the lines, errors first
    rules: list                 # their rules
    errors: list                # the rules of errors
    tree: bytes                 # for Xen; None if there can be none
    modules: list               # (address, content) of what lies in memory


def judge(tool, xen, draft, folder):
    """Ask `tool` about `draft`, whose files and trees are written into `folder`."""
    folder = Path(folder)
    for name, content in draft.files.items():
        path = folder / name
        if not path.exists():
            path.write_bytes(content)
    if not (folder / "xen.efi").exists():
        shutil.copy(xen, folder / "xen.efi")
    (folder / "map").write_text(draft.board.memory_map())
    (folder / "tree.dtb").write_bytes(fdt.write(draft.root))
    final = folder / "final.dtb"
    final.unlink(missing_ok=True)
    done = subprocess.run([tool, "--root", folder, "--xen", folder / "xen.efi", "--memory-map", folder / "map", "--json",
                           "--force", "--output", final, folder / "tree.dtb"], capture_output=True, text=True,
                          errors="replace")
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"grub-dom0less-check ended with {done.returncode}: {done.stderr}")
    findings = json.loads(done.stdout)["findings"]
    findings.sort(key=lambda finding: finding["severity"] != "error")
    word = REFUSED if any(finding["severity"] == "error" for finding in findings) else WARNED if findings else FINE
    tree = final.read_bytes() if final.exists() else None
    return Verdict(word, [f"{finding['severity']}: {finding['text']}" for finding in findings],
                   [finding["rule"] for finding in findings],
                   [finding["rule"] for finding in findings if finding["severity"] == "error"], tree, _modules(draft, tree))


def _modules(draft, tree):
    """Each named file at the address that the final tree has for its node. Nodes have other names there, and the same
    order."""
    if tree is None:
        return []
    placed = {}
    before, after = _chosen(draft.root), _chosen(fdt.read(tree))
    assert len(before) == len(after)
    for (_, old), (parent, new) in zip(before, after):
        name = old.string("uefi,binary") or old.string("xen,uefi-binary")
        if name is None or old.properties.get("reg") == new.properties.get("reg"):
            if name is None or "reg" not in new.properties:
                continue
        address_cells, size_cells = _cells(parent)
        reg = new.properties["reg"]
        address = int.from_bytes(reg[:4 * address_cells], "big")
        size = int.from_bytes(reg[4 * address_cells:4 * (address_cells + size_cells)], "big")
        content = draft.files[name]
        if len(content) != size:
            content = gzip.decompress(content)
        assert len(content) == size
        placed[address] = content
    return sorted(placed.items())


def _chosen(root):
    """(parent, node) for all below /chosen."""
    found = []

    def collect(parent):
        for child in parent.children:
            found.append((parent, child))
            collect(child)

    collect(root.find("chosen"))
    return found


def _cells(node):
    return tuple((node.cells(name) or [2])[0] for name in ("#address-cells", "#size-cells"))
