"""Every target that the Makefile's head names ends with 0, in as small a form as it has where it is long.

    make check-targets, or  /usr/bin/python3 -m pytest tests/targets

It stands on what the other suites stand on: what is built already is not built anew.
"""

import os
import re
import subprocess

import pytest

from paths import BUILD, ROOT, need, some_grub, some_xen, why_missing

MAKEFILE = (ROOT / "Makefile").read_text()
GRUB = some_grub()
UPSTREAM = "grub-2.14-upstream"

# What `make check` runs, by the recipes of these targets.
SUITES = {"check", "check-targets", "lint"}

# Where Python has the tests of what a target leaves: test_deb.py, test_demo.py.
WORDS = {
    "make": [f"GRUB={GRUB}"],
    "deb": ["GRUB=2.06"],
    "run": [f"GRUB={GRUB}"],
    "check-boards": ["BOARDS=30"],
    "check-matrix": [f"CELLS={GRUB}-edk2-{some_xen()}-one"],
    "check-machines": [f"CELLS={some_xen()}-edk2-cortex-a57"],
    "judge": ["N=1", "SEED=1"],
    "mutations": ["BUGS=cells-reversed"],
    "fuzz": ["SECONDS=1"],
    "bench": ["QUICK=1", "ROUNDS=1", "SECTIONS=signed", f"GRUB={GRUB}"],
    "docs": [],
    "pdf": [],
    "upstream-patch": [],
    "check-upstream": ["VERSIONS=2.14", "SERIES=01-loader"],
    "layers": [],
    "check-layers": [],
}
NEEDS = {
    "deb": ["grub-2.06", "debhelper", "texinfo"],
    "run": ["vmlinuz", "busybox"],
    "check-boards": ["boards-6.1", "grub-2.06", "debhelper", "texinfo"],
    "check-machines": ["vmlinuz", "busybox"],
    "judge": ["xen-4.17"],
    "fuzz": ["clang", "libclang-rt-dev"],
    "bench": ["vmlinuz", "user-mode-linux", "kmod", "btrfs-progs", "lvm2", "xfsprogs", "xorriso", "gnuplot-nox"],
    "docs": ["texinfo"],
    "pdf": ["texinfo", "texlive-plain-generic"],
    "upstream-patch": [UPSTREAM],
    "check-upstream": [UPSTREAM, "texinfo", "xorriso"],
    "layers": [UPSTREAM],
    "check-layers": [UPSTREAM, "vmlinuz", "busybox"],
}


def make(*words, folder=ROOT, **environment):
    """What make prints; it has to end with 0. The make that runs the tests has nothing to say to it."""
    done = subprocess.run(["make", "--no-print-directory", *words], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={name: value for name, value in {**os.environ, **environment}.items()
                               if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "OPTIONAL", "GRUB", "XEN", "FIRMWARE")})
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def named():
    """The targets of the head: its lines "make TARGET…", and what follows "; make" or stands alone there."""
    head = MAKEFILE[:MAKEFILE.index("\n\n")]
    lines = re.findall(r"^#     make( [a-z-]+)?(.*)$", head, re.MULTILINE)
    assert lines
    found = {target.strip() or "make" for target, _ in lines}
    for _, rest in lines:
        found |= set(re.findall(r"(?:; make |; )(distclean|pdf)\b", rest))
    return found


def test_every_target():
    """No target is named and not run."""
    assert named() == SUITES | set(WORDS) | {"install", "clean", "distclean"}
    assert set(NEEDS) <= set(WORDS)
    for names in NEEDS.values():
        for name in names:
            why_missing(name)  # knows each of them
    suites = re.search(r"^suites = (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert {f"suite-{suite}" for suite in suites} <= set(re.findall(r"^(suite-[a-z]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize("target", WORDS)
def test_target(target):
    need(*NEEDS.get(target, []))
    words = WORDS[target]
    if target == "check-matrix" and not why_missing(UPSTREAM):
        # A GRUB that no other suite builds.
        words = [word.replace(f"={GRUB}-", f"={UPSTREAM.removeprefix('grub-')}-") for word in words]
    said = make(*([] if target == "make" else [target]), *words)
    if target == "run":
        # First what is used, then the machine.
        table, _, console = said.partition("\nQEMU ")
        assert re.search(r"^grub-\S+ +\d", table, re.MULTILINE) and "Xen version" not in table
        assert "DomA: 2 vCPUs" in console and "DomB: 3 vCPUs" in console
    elif target in ("check-matrix", "check-machines", "check-upstream"):
        assert re.search(r"^[1-9]\d* passed, 0 failed, 0 skipped$", said, re.MULTILINE)
    elif target == "bench":
        # Each way of each file system has a time.
        assert len(re.findall(r"\d\.\d{3} s ", said)) == 6 and "failed" not in said
    elif target == "upstream-patch":
        # A series has a cover letter and at least one patch.
        folders = list((BUILD / "upstream-patch").glob("*/??-*"))
        assert len(list((BUILD / "upstream-patch").glob("*/*/*.patch"))) == said.count(".patch") >= 2*len(folders) > 2
    elif target == "check-layers":
        assert re.search(r"^DomA: 2 vCPUs", said, re.MULTILINE) and re.search(r"^DomB: 3 vCPUs", said, re.MULTILINE)


def test_install(tmp_path):
    """An ordinary GRUB, which has the two modules that users need, and none of those for tests."""
    make("install", f"prefix={tmp_path}", f"GRUB={GRUB}")
    modules = tmp_path / "lib/grub/arm64-efi"
    assert {path.stem for path in modules.glob("*dom0less*.mod*")} == {"dom0less", "xen_dom0less"}
    listed = "".join((modules / name).read_text() for name in ("moddep.lst", "command.lst"))
    assert set(re.findall(r"\b(?:xen_)?dom0less\w*", listed)) == {"dom0less", "xen_dom0less"}
    done = subprocess.run([tmp_path / "bin/grub-mkimage", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and str(ROOT) not in done.stdout


def test_clean(tmp_path):
    """In another tree, of course. What was fetched stays until `distclean`."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in "Makefile", "scripts", "grub-core", "include", "util", "debian", "docs", "tests", "Makefile.util.def":
        (folder / name).symlink_to(ROOT / name)
    for name in "build/grub-2.12/obj/x", "build/src/dtc/x", "build/guest/x", "build/results/x":
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    make("clean", folder=folder)
    assert sorted(path.name for path in (folder / "build").iterdir()) == ["guest", "src"]
    make("distclean", folder=folder)
    assert not (folder / "build").exists()
