"""grub-dom0less-check --diff: what has changed from one plan to another."""

import copy
import json

import pytest

from conftest import IMAGE
from test_check import FILES, ONE, STATIC, tree
from tree import domain


@pytest.fixture
def diff(check, tmp_path):
    """diff(BEFORE, AFTER) -> (status, lines) of two plans, which are objects or texts."""
    def run(*plans):
        for name, plan in zip("ab", plans):
            (tmp_path / name).write_text(plan if isinstance(plan, str) else json.dumps(plan))
        done = check("--diff", tmp_path / "a", tmp_path / "b")
        return done.returncode, done.stdout.splitlines() or done.stderr
    return run


@pytest.fixture
def plan(check, put):
    """plan() -> the plan of one.dtb, which has a static range."""
    def make():
        folder = put({**FILES, "one.dtb": tree(STATIC)})
        return json.loads(check("--json", folder / "one.dtb").stdout)
    return make


def test_same(diff, plan, check, put, tmp_path):
    """Nothing has changed: 0. Of a boot that is looked at now too; it is the boot's own findings that decide then."""
    same = plan()
    assert diff(same, same) == (0, ["0 differences"])
    (tmp_path / "good.json").write_text(json.dumps(same))
    done = check("--diff", tmp_path / "good.json", put({}) / "one.dtb")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 differences\n", "")
    put({"vmlinuz": b"no kernel"})
    done = check("--diff", tmp_path / "good.json", put({}) / "one.dtb")
    assert done.returncode == 2 and done.stderr.startswith("error: [kernel-format] ")
    assert "file /vmlinuz: another content\n" in done.stdout


CHANGES = {
    "memory": (lambda plan: plan["domains"][1].update(memory_kib=5), "domain DomA, memory_kib: 131072 -> 5"),
    "unknown memory": (lambda plan: plan["domains"][1].pop("cpus"), "domain DomA, cpus: 1 -> none"),
    "a domain": (lambda plan: plan["domains"].append({"name": "DomB", "id": 2, "modules": []}), "domain DomB: new"),
    "no domain": (lambda plan: plan["domains"].pop(), "domain DomA: gone"),
    "a file": (lambda plan: plan["domains"][1]["modules"][0].update(file="/b"), "domain DomA, kernel, file: /vmlinuz -> /b"),
    "arguments": (lambda plan: plan["domains"][1]["modules"][0].update(bootargs="a"), "domain DomA, kernel, bootargs: console=ttyAMA0 quiet hostname=DomA  -> a"),
    "no file": (lambda plan: plan["domains"][1]["modules"].pop(), "domain DomA, ramdisk: gone"),
    "two of a kind": (lambda plan: plan["domains"][1]["modules"].append(plan["domains"][1]["modules"][1]), "domain DomA, ramdisk: new"),
    "Xen": (lambda plan: plan.update(xen_version="4.20"), "xen_version: none -> 4.20"),
    "Xen's arguments": (lambda plan: plan.update(xen_args="b"), "xen_args: none -> b"),
    "a range": (lambda plan: plan["ranges"][0].update(size=1), "static-mem /chosen/DomA, size: 134217728 -> 1"),
    "a finding": (lambda plan: plan["findings"].append({"severity": "error", "rule": None, "node": None, "text": "[x] y", "hint": None}),
                  "finding [x] y: new"),
    "content": (lambda plan: plan["measurements"][0].update(sha256="0" * 64), "file /one.dtb: another content"),
    "a terminal's": (lambda plan: plan.update(model="a\x1b[m\ud83d\ude00"), "model: A board, rev. 1 -> a?[m\ufffd\ufffd"),
    "an address": (lambda plan: plan["domains"][1]["modules"][0].update(address=7), None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changes(diff, plan, change):
    """One line for each difference, in both directions, and 1."""
    function, line = CHANGES[change]
    before = plan()
    after = copy.deepcopy(before)
    function(after)
    assert diff(before, after) == ((1, [line, "1 difference"]) if line else (0, ["0 differences"]))
    status, lines = diff(after, before)
    assert status == (1 if line else 0) and lines[-1] == ("1 difference" if line else "0 differences")


def test_real_change(check, put, tmp_path):
    """What two boots print is compared; the second has its kernel elsewhere, and more of everything."""
    folder = put({**FILES, "xen.efi": b"", "new": IMAGE, "one.dtb": tree(ONE),
                  "two.dtb": tree(ONE.replace('"vmlinuz"', '"new"').replace("cpus = <1>", "cpus = <2>"), domain("DomB"))})
    for name, args in ("one", "a"), ("two", "b"):
        done = check("--json", "--xen", folder / "xen.efi", "--xen-args", args, folder / f"{name}.dtb")
        assert done.returncode == 0
        (tmp_path / f"{name}.json").write_text(done.stdout)
    done = check("--diff", tmp_path / "one.json", tmp_path / "two.json")
    assert (done.returncode, done.stdout.splitlines()) == (1, [
        "tree: /one.dtb -> /two.dtb", "xen_args: a -> b", "domain DomA, cpus: 1 -> 2", "domain DomA, kernel, file: /vmlinuz -> /new",
        "domain DomB: new", "5 differences"])


@pytest.mark.parametrize("text", [
    "", "{", "{}", "[]", '"x"', "null", '{"format": 1}', '{"format": 2, "domains": []}', '{"format": 1, "domains": []} x',
    '{"format": 1, "domains": {}}', '{"format": 1, "domains": [1]}', '{"format": 1, "domains": [{"modules": [[]]}]}',
    '{"format": 1, "domains": [], "a": "\\u12"}', '{"format": 1, "domains": [], "a": "\\u0000"}', '{"format": 1, "domains": [], "a": "\\',
    '{"format": 1, "domains": [], "a": "', '{"format": 1, "domains": [], "a" 1}', '{"format": 1, "domains": [], }',
    '{"format": 1, "domains": [], "a": ' + "[" * 100000, '{"format": 1, "domains": [], "a": x}',
    '{"format": 1, "domains": [' + "{}, " * 4096 + "{}]}",
], ids=lambda text: text[:40])
def test_no_plan(diff, plan, text):
    """What is no plan of ours is a wrong command line, in either place; nothing is compared."""
    status, said = diff(text, plan())
    assert status == 64 and "/a: no plan, as --json prints it" in said
    if text.startswith("{"):
        status, said = diff(plan(), text)
        assert status == 64 and "/b: no plan, as --json prints it" in said


def test_json_of_arguments(check, put):
    """--json says what Xen and each kernel are started with, wherever that stands."""
    dom0 = 'dom0 { compatible = "multiboot,kernel", "multiboot,module"; uefi,binary = "vmlinuz"; };'
    folder = put({**FILES, "one.dtb": tree('xen,dom0-bootargs = "for dom0"; xen,xen-bootargs = "for Xen";',
                                           dom0, domain("DomA", ramdisk="a.img", bootargs="for DomA"))})
    found = json.loads(check("--json", folder / "one.dtb").stdout)
    assert found["xen_args"] == "for Xen"
    assert [domain["modules"][0].get("bootargs") for domain in found["domains"]] == \
        ["for dom0", "console=ttyAMA0 quiet hostname=DomA for DomA"]
    assert "bootargs" not in found["domains"][1]["modules"][1]
    assert json.loads(check("--json", "--xen-args=other", folder / "one.dtb").stdout)["xen_args"] == "other"
