"""Deliberate bugs are put in by their lines (tests/mutations/list): each still has its place in the sources."""

from importlib.machinery import SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_places():
    run = SourceFileLoader("mutations", str(ROOT / "tests/mutations/run")).load_module()
    bugs = run.read_list()
    assert len(bugs) > 20
    lost = []
    for name, (file, _, go, come) in bugs.items():
        text = (ROOT / file).read_text()
        try:
            assert run.mutated(text, go, come) != text
        except ValueError as error:
            lost.append(f"{name}: {error}")
    assert not lost, "\n".join(lost)
