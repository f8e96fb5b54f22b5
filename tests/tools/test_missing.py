"""What cannot be had: scripts/setup and scripts/fetch note it, or end with one line that says what was tried, and a
test that asks for it is skipped with that reason.

The archive is made up, by programs of apt's names in front of the real ones: it lists versions, and serves some.
"""

import os
import shutil
import subprocess
import textwrap

import pytest

from paths import ROOT, why_missing

APT_GET = """
case "$*" in
*--print-uris*) [ ! -e $STATE/no-archive ] && echo "'http://archive.invalid/debian/dists/bookworm/InRelease' x 0 " ;;
*" update"*) ;;
*indextargets*) [ -e $STATE/no-lists ] || echo "http://archive.invalid/debian/ bookworm" ;;
*" install "*) for word; do
    if grep -qxF "$word" $STATE/not-served; then echo "E: $word: 404" >&2; exit 100; fi
  done ;;
*" download "* | *" source "*) for word; do :; done
  echo "$word" >>$STATE/tried
  grep -qxF "$word" $STATE/served || { echo "E: 404" >&2; exit 100; }
  cp $STATE/package.deb . ;;
esac
"""
APT_CACHE = "cat $STATE/madison\n"
# dpkg itself is all that is installed.
DPKG_QUERY = """
case "$*" in *-L*) echo /usr/share/keyrings/debian-archive-keyring.gpg ;; *) echo installed dpkg ;; esac
"""


def make_package(folder, package, names):
    content = folder / "package"
    (content / "DEBIAN").mkdir(parents=True, exist_ok=True)
    (content / "DEBIAN/control").write_text("Package: xen-hypervisor-4.20-arm64\nVersion: 4.20.1\nArchitecture: arm64\n"
                                            "Maintainer: nobody\nDescription: none\n")
    for name in names:
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        (content / name).write_text("a Xen\n")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", content, package], check=True, capture_output=True)


@pytest.fixture
def place(tmp_path):
    """place(PROGRAM, ARGUMENT...) runs a script in a tree of its own, where apt is made up. Returns (status, what it
    said); place.state holds what apt knows."""
    tree, bin, state = (tmp_path / name for name in ("tree", "bin", "state"))
    shutil.copytree(ROOT / "scripts", tree / "scripts")
    for folder in bin, state:
        folder.mkdir()
    for name, text in {"apt-get": APT_GET, "apt-cache": APT_CACHE, "dpkg-query": DPKG_QUERY,
                       "sudo": '[ "$1" != env ] || shift; exec env "$@"'}.items():
        (bin / name).write_text(f"#!/bin/sh\n{text}")
        (bin / name).chmod(0o755)
    for name in "served", "not-served", "madison":
        (state / name).touch()
    make_package(tmp_path, state / "package.deb", ["boot/xen-4.20-arm64.efi"])

    def run(program, *arguments, **environment):
        done = subprocess.run([tree / "scripts" / program, *arguments], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT,
                              env={"PATH": f"{bin}:{os.environ['PATH']}", "STATE": str(state), "HOME": str(tmp_path),
                                   **environment})
        return done.returncode, done.stdout
    run.state, run.tree, run.cache = state, tree, tmp_path / ".cache/xen_dom0less"
    return run


def listed(*versions):
    return "".join(f"xen-hypervisor-4.20-arm64 | {version} | http://archive.invalid bookworm/main arm64 Packages\n"
                   for version in versions)


def note(place, name):
    return (place.tree / "build/missing" / name).read_text()


XEN = "xen-hypervisor-4.20-arm64"


def test_older_version(place):
    """From the newest down to one that is served, by the order of versions and not of the list."""
    (place.state / "madison").write_text(listed("4.20.2", "4.20.10", "4.20.1", "4.20.3"))
    (place.state / "served").write_text(f"{XEN}=4.20.2\n{XEN}=4.20.1\n")
    assert place("fetch", "xen-4.20.efi")[0] == 0
    assert (place.state / "tried").read_text().split() == [f"{XEN}={version}" for version in ("4.20.10", "4.20.3", "4.20.2")]
    assert (place.tree / "build/guest/xen-4.20.efi").read_text() == "a Xen\n"
    assert not list((place.tree / "build/missing").iterdir())


@pytest.mark.parametrize("versions, said", [
    (["4.20.2", "4.20.1"], f"tried {XEN}=4.20.2 {XEN}=4.20.1"),
    ([], "no version listed"),
])
def test_not_served(place, versions, said):
    """An error in one last line for who must have it, and a note for tests; what was fetched before is of no harm."""
    (place.state / "madison").write_text(listed(*versions))
    status, printed = place("fetch", "xen-4.20.efi")
    last = printed.splitlines()[-1]
    assert status == 1 and last.startswith("fetch: xen-4.20 cannot be had: ") and said in last
    assert place("fetch", "xen-4.20.efi", OPTIONAL="yes")[0] == 0
    assert note(place, "xen-4.20").startswith("xen-4.20 cannot be had: ") and said in note(place, "xen-4.20")
    assert not (place.tree / "build/guest/xen-4.20.efi").exists()
    # When it is there some day, the note goes.
    (place.state / "madison").write_text(listed("4.20.5"))
    (place.state / "served").write_text(f"{XEN}=4.20.5\n")
    assert place("fetch", "xen-4.20.efi")[0] == 0
    assert not list((place.tree / "build/missing").iterdir())


@pytest.mark.parametrize("state, said", [("no-archive", "no archive of Debian's"), ("no-lists", "http://archive.invalid")])
def test_no_lists(place, state, said):
    """Neither is an error that ends a test run."""
    (place.state / state).touch()
    assert place("fetch", "xen-4.20.efi", "vmlinuz", OPTIONAL="yes")[0] == 0
    for name in "xen-4.20", "vmlinuz":
        assert said in note(place, name)


def test_needed_always(place):
    status, printed = place("fetch", "dtc", OPTIONAL="yes")
    assert status == 1 and "dtc cannot be had: " in printed.splitlines()[-1]


def test_unavailable(place):
    """As if the archive had it not."""
    (place.state / "madison").write_text(listed("4.20.5"))
    (place.state / "served").write_text(f"{XEN}=4.20.5\n")
    assert place("fetch", "xen-4.20.efi", OPTIONAL="yes", UNAVAILABLE="grub-2.14 xen-4.20")[0] == 0
    assert note(place, "xen-4.20") == "xen-4.20 cannot be had: it is in UNAVAILABLE\n"
    assert not (place.state / "tried").exists()


def test_broken_download(place):
    """What lies in the cache and is not whole is fetched anew; what is whole is not asked for again."""
    (place.state / "madison").write_text(listed("4.20.5"))
    (place.state / "served").write_text(f"{XEN}=4.20.5\n")
    image = place.tree / "build/guest/xen-4.20.efi"
    tries = []
    for broken in None, None, b"half a pack":
        if broken:
            (place.cache / "xen-4.20.efi/package.deb").write_bytes(broken)
        image.unlink(missing_ok=True)
        assert place("fetch", "xen-4.20.efi")[0] == 0
        assert image.read_text() == "a Xen\n"
        tries.append((place.state / "tried").read_text().count("\n"))
    assert tries == [1, 1, 2]


@pytest.mark.parametrize("name", ["xen-4.20-arm64.efi", "xen-4.20.1-arm64.efi"])
def test_two_files(place, tmp_path, name):
    """Of two files in a package that could be meant, neither is taken: which comes first is not the package's choice."""
    make_package(tmp_path, place.state / "package.deb", [f"usr/lib/xen-4.20/boot/{name}"])
    (place.state / "madison").write_text(listed("4.20.5"))
    (place.state / "served").write_text(f"{XEN}=4.20.5\n")
    status, printed = place("fetch", "xen-4.20.efi")
    assert status == 1 and "the package holds more than one */xen-4.*-arm64.efi: " in printed.splitlines()[-1]
    assert not (place.tree / "build/guest/xen-4.20.efi").exists()


def test_cache_elsewhere(place):
    """Without a home, and with one that cannot be made, build/ has the cache."""
    (place.state / "madison").write_text(listed("4.20.5"))
    (place.state / "served").write_text(f"{XEN}=4.20.5\n")
    assert place("fetch", "xen-4.20.efi", HOME="", XDG_CACHE_HOME="/dev/null/nowhere")[0] == 0
    assert (place.tree / "build/cache/xen_dom0less/xen-4.20.efi/package.deb").exists()


def test_packages(place):
    """Of a group that does not install as a whole all but one is installed, and that is noted; if nothing can be done
    without it, it is an error."""
    (place.state / "not-served").write_text("swtpm\n")
    assert place("setup", "boot")[0] == 0
    assert note(place, "swtpm").startswith("swtpm cannot be had: apt-get install says: E: swtpm: 404")
    (place.state / "not-served").write_text("qemu-system-arm\n")
    status, printed = place("setup", "boot")
    assert status == 1 and "setup: qemu-system-arm cannot be had: apt-get install says: " in printed.splitlines()[-1]


SUITE = """
    import subprocess

    import pytest

    from needs import needs, pytest_fixture_setup
    from paths import BUILD, grub_dir, need, some_grub, some_xen, xen_image

    @pytest.fixture(scope="module")
    def shared():
        return xen_image("4.20").read_text()

    def test_asks():
        assert xen_image("4.20").read_text() and xen_image("4.17").read_text()

    def test_first(shared):
        pass

    def test_second(shared):
        pass

    def test_any():
        assert xen_image(some_xen()).read_text() and grub_dir(some_grub())

    def test_opens():            # what another test has asked for
        open(BUILD / "guest/xen-4.17.efi").close()

    def test_runs():
        subprocess.run(["PROGRAM", "--version"], capture_output=True)

    def test_in_script():
        need("PACKAGE")
        subprocess.run(["sh", "-c", "PROGRAM --version"], check=True, capture_output=True)
"""


def suite(folder, **environment):
    """Run that suite; {test: outcome}, and its output."""
    names = ["zstd", "xorriso", "shellcheck", "mandoc"]         # of programs and of their packages
    program = package = next((name for name in names if shutil.which(name) and not why_missing(name)), None)
    if not program:
        pytest.skip(f"none of {', '.join(names)} can be had")
    guest = folder / "build/guest"
    guest.mkdir(parents=True, exist_ok=True)
    for name in "4.17", "4.20", "static":
        (guest / f"xen-{name}.efi").write_text("a Xen\n")
    text = textwrap.dedent(SUITE).replace("PROGRAM", program).replace("PACKAGE", package)
    (folder / "test_it.py").write_text(text)
    environment = {name: value.replace("PACKAGE", package) for name, value in environment.items()}
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-rA", "-p", "no:cacheprovider", "test_it.py"], cwd=folder,
                          capture_output=True, text=True,
                          env={**os.environ, "BUILD": str(folder / "build"), "PYTHONPATH": str(ROOT / "tests/boot"),
                               "UNAVAILABLE": "", **environment})
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED", "ERROR"))]
    return {words[1].partition("::")[2]: words[0] for words in sorted(lines, reverse=True)}, done.stdout


def test_asking(tmp_path):
    """Whoever asks passes, whoever does not is found out; so does what it runs."""
    outcome, printed = suite(tmp_path)
    assert outcome == {**dict.fromkeys(["test_asks", "test_first", "test_second", "test_any", "test_in_script"], "PASSED"),
                       **dict.fromkeys(["test_opens", "test_runs"], "ERROR")}, printed


def test_skipping(tmp_path):
    """Just who needs it is skipped, with the reason; one of several stands in for another."""
    (tmp_path / "build/missing").mkdir(parents=True)
    (tmp_path / "build/missing/xen-4.20").write_text("xen-4.20 cannot be had: tried everything\n")
    outcome, printed = suite(tmp_path, UNAVAILABLE="xen-4.17 PACKAGE")
    assert "test_any" in outcome and outcome["test_any"] == "PASSED"
    assert not {"test_asks", "test_first", "test_second", "test_in_script"} & set(outcome)
    assert "tried everything" in printed and printed.count("it is in UNAVAILABLE") >= 1 and "4 skipped" in printed
