"""A short run of the judge, and whether it can judge.

    make check-judge, or  /usr/bin/python3 -m pytest tests/judge

JUDGE_SEED chooses the trees, otherwise the time does; a failure names the seed. `make judge` runs as many as one likes.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import compare
import fdt
import grammar
import known
import verdict as verdicts
from judge import Judge
from minimise import minimise
from paths import ROOT, THINGS, grub_dir, some_grub, some_xen, xen_image

COUNT = int(os.environ.get("JUDGE_COUNT", 20))
SEED = int(os.environ.get("JUDGE_SEED", 0)) or int(time.time())
FIXED_SEED = 1
KEEP = ROOT / "build/judge"


def tool():
    return grub_dir(some_grub("2.12")) / "bin/grub-dom0less-check"


def judge_of(xen, tmp_path):
    return Judge(str(tool()), str(xen_image(xen)), tmp_path)


def run_judge(xen, seed):
    """What judge.py prints about COUNT trees from `seed` on, and its lines about disagreements that are not known."""
    command = [sys.executable, Path(__file__).parent / "judge.py", "--tool", tool(), "--xen", xen_image(xen),
               "--seed", str(seed), "--count", str(COUNT), "--keep", KEEP]
    done = subprocess.run(command, capture_output=True, text=True)
    print(done.stdout)
    unknown = [line for line in done.stdout.splitlines() if line.startswith("NOT KNOWN: ")]
    assert not done.stderr and done.returncode == (1 if unknown else 0), done.stdout + done.stderr
    return done.stdout, unknown


@pytest.mark.parametrize("xen", THINGS["xen"])
def test_trees_of_old(xen):
    """The same trees each time: what the tool says of them is what Xen does, or is known."""
    said, unknown = run_judge(xen, FIXED_SEED)
    assert not unknown, said


@pytest.mark.parametrize("xen", THINGS["xen"])
def test_random_trees(xen):
    """Other trees each time. One that nobody has seen before is no fault of whoever runs the tests: a disagreement that
    is not known is a reason to skip, with its seed, and its case is kept; `make judge` fails for it."""
    _, unknown = run_judge(xen, SEED)
    if unknown:
        pytest.skip("; ".join(unknown))


def described(**changed):
    return {"wrong": "silent loss", "xen": "xen-4.17.efi", "found": [], "differences": ["DomA: memory is 1 kB, not 2 kB"],
            "signature": ["silent loss", 'memory: "odd"'], **changed}


def test_known():
    """A kind fits if all that it says fits, and no kind fits everything."""
    kind = {"name": "memory", "reason": "because", "xens": ["4.17"], "wrong": "silent loss", "differences": "memory is 1 kB"}
    assert known.find([kind], described()) is kind
    for changed in {"wrong": "silent death"}, {"xen": "xen-4.20.efi"}, {"differences": ["DomA: is not up"]}:
        assert known.find([kind], described(**changed)) is None
    assert known.find([{**kind, "edits": "^memory: "}], described())
    assert not known.find([{**kind, "edits": "^silent"}], described())
    refused = {"name": "rule", "reason": "because", "wrong": "false refusal", "rules": ["tree-deep"]}
    deep, other = "error: [tree-deep] /: deep", "error: [bootargs-long] /: long"
    assert known.find([refused], described(wrong="false refusal", found=[deep, "warning: [x] y"])) is refused
    for found in [], [other], [deep, other]:
        assert known.find([refused], described(wrong="false refusal", found=found)) is None


def test_known_table():
    """Each kind that is in the table has a name of its own, a reason, and something to tell it by."""
    kinds = known.read()
    assert len({kind["name"] for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert set(kind) <= {"name", "reason", "xens", "wrong", "differences", "rules", "edits"}, kind
        assert len(kind["reason"]) > 20 and {"differences", "rules", "edits"} & set(kind), kind


@pytest.mark.parametrize("xen", THINGS["xen"])
def test_every_promise(xen, tmp_path):
    """A tree with all that a domain can report is fine, and Xen keeps what it promises."""
    case = grammar.Case(domains=2, dom0=True, edits=[
        ["cpus", "DomA", 2], ["device_tree", "DomA", "good"], ["event_channel", "DomA", "pair"],
        ["kernel_format", "DomB", "gzip"]])
    wrong, word, verdict, differences, _ = judge_of(xen, tmp_path).judge(case)
    assert (wrong, word, verdict.word, differences) == (None, compare.BOOTS, verdicts.FINE, [])


def test_can_fail(tmp_path):
    """Xen panics at a kernel that is none. If the tool did not say so, the judge would."""
    case = grammar.Case(domains=2, edits=[["cpus", "DomA", 2], ["cpus", "DomB", 129], ["status", "DomA", "okay"]])
    judge = judge_of(some_xen(), tmp_path)
    wrong, word, verdict, _, _ = judge.judge(case)
    assert (wrong, word, verdict.word) == (None, compare.DIES, verdicts.REFUSED)
    for said, name in (verdicts.FINE, "silent death"), (verdicts.WARNED, "death, no more than a warning"):
        verdict.word = said
        assert compare.disagree(verdict, word) == name
    verdict.word = verdicts.REFUSED
    assert compare.disagree(verdict, compare.BOOTS) == "false refusal"
    verdict.word = verdicts.FINE
    assert compare.disagree(verdict, compare.LOSES) == "silent loss"


def test_losses_are_seen():
    """Each promise, when it is not kept."""
    draft = grammar.build(grammar.Case(edits=[["device_tree", "DomA", "good"], ["shared_memory", "DomA", "plain"]]))
    kept = {"DomA": {fact: list(values) for fact, values in compare.promises(draft)[0].facts.items()}}

    def outcome(guests):
        return type("Outcome", (), {"guests": guests, "reason": "it ended", "text": ""})()

    assert compare.compare(draft, outcome(kept)) == (compare.BOOTS, [])
    for fact in kept["DomA"]:
        lost = {"DomA": {other: values for other, values in kept["DomA"].items() if other != fact}}
        word, differences = compare.compare(draft, outcome(lost))
        assert word == (compare.DIES if fact == "up" else compare.LOSES) and differences, fact


def test_minimise():
    """Only what is needed is left."""
    case = grammar.Case(board=1, domains=3, dom0=True, edits=[["x", "/", number] for number in range(20)])
    small = minimise(case, lambda case: {3, 17} <= {edit[2] for edit in case.edits})
    assert small == grammar.Case(edits=[["x", "/", 3], ["x", "/", 17]])


def test_trees_as_libfdt_reads_them():
    """The judge's trees are well-formed for dtc, and are read back as they were."""
    for seed in range(SEED, SEED + 50):
        blob = fdt.write(grammar.build(grammar.draw(seed)).root)
        assert fdt.write(fdt.read(blob)) == blob, seed
        # Two edits may make nodes of one name, which dtc takes only with -f; what is no tree it never takes.
        done = subprocess.run(["dtc", "-f", "-q", "-I", "dtb", "-O", "dtb"], input=blob, capture_output=True)
        assert done.returncode == 0, f"seed {seed}: {done.stderr.decode()}"


def test_every_feature():
    """Each value of each feature can be applied to a tree, alone and beside a dom0."""
    for name, entry in grammar.FEATURES.items():
        for value in [*entry.good, *entry.odd]:
            for dom0 in False, True:
                place = "DomA" if entry.where == "domain" else "/"
                fdt.write(grammar.build(grammar.Case(domains=2, dom0=dom0, edits=[[name, place, value]])).root)
