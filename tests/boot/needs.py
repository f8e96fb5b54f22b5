"""What a test opens and runs is what it has asked for: checked for every test, so that whatever cannot be had (paths.py)
makes just those tests skip that need it.

What each test asked for is in its JUnit file as the property `needs`; scripts/who-needs reads that.
"""

import functools
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

import paths
from paths import BUILD, NAMES, PACKAGES

_used = set()

# Where the things lie.
_PLACES = re.compile(rf"{re.escape(os.path.realpath(BUILD))}/(?:guest/(?P<guest>[^/]+)|(?:src/)?(?P<grub>grub-[^/]+)/)")


@functools.cache
def _files(package):
    """The names that an installed package brings."""
    found = Path(f"/var/lib/dpkg/info/{package}.list")
    return set(found.read_text().split("\n")) if found.exists() else set()


@functools.cache
def _package_of(program):
    """Which of the packages that may be missing a program is in."""
    path = shutil.which(program)
    if not path:
        return None
    names = {path, os.path.realpath(path), *(name.removeprefix("/usr") for name in (path, os.path.realpath(path)))}
    return next((package for package in PACKAGES if names & _files(package)), None)


def _notice(path):
    if isinstance(path, (bytes, os.PathLike)):
        path = os.fsdecode(path)
    found = isinstance(path, str) and _PLACES.match(os.path.abspath(path))
    if found:
        _used.add(re.sub(r"\.(efi|tar)$", "", found["guest"]) if found["guest"] else found["grub"])


def _audit(event, arguments):
    if event == "open":
        _notice(arguments[0])
    elif event in ("subprocess.Popen", "os.posix_spawn", "os.exec"):
        program, words = arguments[:2]
        for word in [program, *(words or [])]:
            for name in str(os.fsdecode(word) if isinstance(word, (bytes, str, os.PathLike)) else word).split(","):
                _notice(name.rpartition("=")[2])
        package = _package_of(os.fsdecode(program) if program else str(words[0]))
        if package:
            _used.add(package)


sys.addaudithook(_audit)



def _hide():
    """What is in UNAVAILABLE and installed all the same: its programs are not found, by whatever program or script a
    test runs."""
    hidden = {Path(name).name for package in PACKAGES & set(os.environ.get("UNAVAILABLE", "").split())
              for name in _files(package) if Path(name).parent.name in ("bin", "sbin")}
    if hidden:
        folder = BUILD / "missing/.programs"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in hidden:
            (folder / name).write_text(f"#!/bin/sh\necho '{name}: not found' >&2\nexit 127\n")
            (folder / name).chmod(0o755)
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"


_hide()

_of_fixtures = {}       # {(where it is, its name): what it asked for, was given and used}
_SETS = paths.asked, paths.chosen, _used


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef):
    """What a fixture asks for, each test that has it needs, though only the first sees it asked."""
    if fixturedef.argname == "needs":
        yield               # which begins anew
        return
    before = [set(one) for one in _SETS]
    for one in _SETS:
        one.clear()
    yield
    _of_fixtures[fixturedef.baseid, fixturedef.argname] = [set(one) for one in _SETS]
    for one, more in zip(_SETS, before):
        one |= more


@pytest.fixture(autouse=True)
def needs(request):
    """The test asks for all that it uses."""
    for one in _SETS:
        one.clear()
    yield
    for (place, name), sets in _of_fixtures.items():
        if name in request.fixturenames and request.node.nodeid.startswith(place):
            for one, more in zip(_SETS, sets):
                one |= more
    request.node.user_properties.append(("needs", " ".join(sorted(paths.asked))))
    unasked = (_used & NAMES) - paths.asked - paths.chosen
    assert not unasked, f"used without asking: {', '.join(sorted(unasked))}"
