#!/usr/bin/python3
"""Xen as the judge of grub-dom0less-check's verdicts.

    tests/judge/judge.py --xen build/guest/xen-4.20.efi --seed 1 --count 1000
    tests/judge/judge.py --xen build/guest/xen-4.20.efi --case tests/judge/found/NAME.json

For each seed from the first on, a tree is made by the grammar. The tool says what it thinks of it, and Xen is started
on the tree that the loader would hand over. Where the two disagree, the case is cut down. Kinds of disagreement that are
known (known.json) are counted by their names. All others are printed with their seeds and written to --keep, one case
and one tree of each kind; the exit status is then 1."""

import argparse
import collections
import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))

import compare
import fdt
import grammar
import known
import verdict as verdicts
from minimise import minimise
from run import run


class Judge:
    def __init__(self, tool, xen, keep):
        self.tool, self.xen, self.keep = tool, xen, keep

    def judge(self, case):
        """(what is wrong or None, what became of it, the verdict, the differences, the outcome)"""
        draft = grammar.build(case)
        with tempfile.TemporaryDirectory(prefix="judge-") as folder:
            verdict = verdicts.judge(self.tool, self.xen, draft, folder)
            if verdict.tree is None:
                return None, "no tree", verdict, [], None
            command = [*draft.board.command(), "-kernel", self.xen, "-dtb", f"{folder}/final.dtb"]
            for number, (address, content) in enumerate(verdict.modules):
                file = Path(folder) / f"module-{number}"
                file.write_bytes(content)
                command += ["-device", f"loader,file={file},addr={address:#x},force-raw=on"]
            promised = len(compare.promises(draft))
            outcome = run(command, promised)
        word, differences = compare.compare(draft, outcome)
        return compare.disagree(verdict, word), word, verdict, differences, outcome

    def describe(self, case, result):
        wrong, word, verdict, differences, outcome = result
        return {"wrong": wrong, "xen": Path(self.xen).name, "case": case.as_json(), "found": verdict.findings,
                "differences": differences, "console": outcome.text.splitlines()[-12:] if outcome else []}

    def cut(self, case, wrong):
        """The smallest case that is wrong in the same way, judged once more."""
        small = minimise(case, lambda other: self.judge(other)[0] == wrong)
        return small, self.judge(small)


def signature(described):
    """What tells one kind of disagreement from another: where it is not a refusal, why Xen ended."""
    if described["wrong"] == "false refusal":
        return [described["wrong"], *sorted({finding.split("]")[0].split("[")[-1] for finding in described["found"]
                                             if finding.startswith("error")})]
    return [described["wrong"], *sorted(edit[0] + ": " + json.dumps(edit[2]) for edit in described["case"]["edits"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", default=str(ROOT / "build/grub-2.12/install/bin/grub-dom0less-check"))
    parser.add_argument("--xen", required=True)
    parser.add_argument("--seed", type=int, default=None, help="the first one [default=the time]")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", default=str(ROOT / "build/judge"), help="where disagreements are written")
    parser.add_argument("--case", help="judge the case in this file instead")
    arguments = parser.parse_args()
    judge = Judge(arguments.tool, arguments.xen, Path(arguments.keep))

    if arguments.case:
        case = grammar.Case(**json.loads(Path(arguments.case).read_text())["case"])
        print(json.dumps(judge.describe(case, judge.judge(case)), indent=1))
        return 0

    seed = int(time.time()) if arguments.seed is None else arguments.seed
    print(f"judge: {arguments.count} trees, seeds {seed} to {seed + arguments.count - 1}, {Path(arguments.xen).name}",
          flush=True)
    judge.keep.mkdir(parents=True, exist_ok=True)
    kinds = known.read()
    counts, unknown = collections.Counter(), collections.Counter()

    def one(number):
        case = grammar.draw(number)
        return number, case, judge.judge(case)

    with ThreadPoolExecutor(arguments.jobs) as pool:
        for number, case, result in pool.map(one, range(seed, seed + arguments.count)):
            wrong, word, verdict, *_ = result
            with (judge.keep / "log").open("a") as log:
                print(Path(arguments.xen).name, number, verdict.word, word, *verdict.rules, sep="\t", file=log)
            counts[f"{verdict.word}, {word}"] += 1
            if not wrong:
                continue
            # A busy machine may have been slow: it has to be wrong twice.
            small, again = judge.cut(case, wrong)
            if again[0] != wrong:
                counts["wrong once only"] += 1
                continue
            described = judge.describe(small, again)
            described["seed"], described["signature"] = number, signature(described)
            counts[wrong] += 1
            kind = known.find(kinds, described)
            if kind:
                counts[f"known: {kind['name']} ({kind['reason']})"] += 1
                continue
            key = tuple(described["signature"])
            unknown[key] += 1
            if unknown[key] == 1:
                kept = judge.keep / f"{Path(arguments.xen).stem}-{number}"
                kept.with_suffix(f"{kept.suffix}.json").write_text(json.dumps(described, indent=1) + "\n")
                kept.with_suffix(f"{kept.suffix}.dtb").write_bytes(fdt.write(grammar.build(small).root))
                print(f"NOT KNOWN: seed {number}: {'; '.join(key)}; kept in {kept}.json and .dtb\n  "
                      + "\n  ".join([*described["found"], *described["differences"]]), flush=True)
    for what, count in sorted(counts.items()):
        print(f"{count:7} {what}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
