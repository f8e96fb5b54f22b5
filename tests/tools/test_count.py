"""What scripts/count-results makes of results: `make check` ends with its last line."""

import shutil
import subprocess

import pytest

from paths import ROOT

PASSED, FAILED = '<testcase name="p"/>', '<testcase name="f"><failure message="no"/></testcase>'
SKIPPED = '<testcase name="s"><skipped message="not to be had"/></testcase>'


@pytest.mark.parametrize("files, status, last, code", [
    ({"a.xml": PASSED + SKIPPED}, 0, "1 passed, 0 failed, 1 skipped", 0),
    # A run of many parts leaves a folder of results for each.
    ({"one/a.xml": PASSED, "two/a.xml": PASSED, "a.xml": PASSED}, 0, "3 passed, 0 failed, 0 skipped", 0),
    ({"one/a.xml": FAILED, "two/a.xml": PASSED}, 1, "1 passed, 1 failed, 0 skipped", 1),
    # A runner that failed, and nobody knows where.
    ({"a.xml": PASSED}, 2, "1 passed, 1 failed, 0 skipped", 1),
    ({}, 0, "0 passed, 1 failed, 0 skipped", 1),
    ({"a.xml": SKIPPED}, 0, "0 passed, 0 failed, 1 skipped", 1),
    ({"a.xml": "<testcase"}, 0, "0 passed, 1 failed, 0 skipped", 1),
])
def test_last_line(tmp_path, files, status, last, code):
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(ROOT / "scripts/count-results", tmp_path / "scripts")
    for name, cases in files.items():
        file = tmp_path / "build/results/suite" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<testsuite>{cases}</testsuite>")
    done = subprocess.run([script, f"suite={status}"], capture_output=True, text=True)
    assert (done.stdout.splitlines()[-1], done.returncode) == (last, code)
