"""The Debian packages: what is in them, and their life in a Debian from the first install to the last purge.

That Debian, 12 and 13, is a folder with a real dpkg, apt and update-grub and Debian's own GRUB for arm64. Only
grub-probe is made up, because a folder is on no disk that a GRUB could find.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from guest import linux_kernel, linux_ramdisk
from paths import BUILD, GUEST, need, some_xen, xen_image
from tree import make_dtb
from two import TWO

GRUBS = {"2.06": "Debian-12", "2.12": "Debian-13"}
MODULES = "usr/lib/grub/arm64-efi"      # of the installed GRUB
BOOT = "boot/grub/arm64-efi"            # of the GRUB that boots
PROGRAMS = ["grub-dom0less-check", "grub-dom0less-import"]
SCRIPTS = ["grub-dom0less-new", "grub-dom0less-sign"]
OURS = ["dom0less.mod", "xen_dom0less.mod"]


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def field(file, name):
    return output("dpkg-deb", "--field", file, name).strip()


def unpacked(file, folder):
    subprocess.run(["dpkg-deb", "--extract", file, folder], check=True)
    return folder


class Packages:
    """Our packages for the GRUB of one Debian.

    grub     the series of that GRUB, such as 2.12
    version  of Debian's package of it
    module   the file of the modules' package
    tools    {architecture: file}
    """

    def __init__(self, grub):
        need(f"grub-{grub}", "debhelper", "texinfo")
        self.grub = grub
        self.version = output("dpkg-parsechangelog", "-l", BUILD / f"src/grub-{grub}/debian/changelog", "-S", "Version").strip()
        self.native = output("dpkg", "--print-architecture").strip()
        self.module = self.package("grub-efi-arm64-dom0less", "arm64")
        self.tools = {architecture: self.package("grub-dom0less-tools", architecture)
                      for architecture in {self.native, "arm64"}}

    def package(self, name, architecture):
        """The one file of that package."""
        file, = (BUILD / "deb").glob(f"{name}_*+{self.version.replace('-', '+')}_{architecture}.deb")
        return file


@pytest.fixture(params=GRUBS, ids=GRUBS.values())
def packages(request):
    return Packages(request.param)


# What is in them

def test_version(packages):
    """A package says which GRUB it is for, and the modules' wants no other."""
    assert f"grub-efi-arm64-bin (= {packages.version})" in field(packages.module, "Depends").split(", ")
    broken = field(packages.module, "Breaks").split(", ")
    assert set(broken) == {f"grub-efi-arm64-bin ({less} {packages.version})" for less in ("<<", ">>")}
    for file in packages.module, *packages.tools.values():
        assert field(file, "Version").endswith("+" + packages.version.replace("-", "+"))


def symbols(file, kind):
    """The global names that an object defines (kind U: wants)."""
    lines = output("readelf", "--wide", "--symbols", file).split("\n")
    rows = [line.split() for line in lines if re.match(r" *\d+: ", line)]
    return {row[7] for row in rows if len(row) == 8 and row[4] != "LOCAL" and (row[6] == "UND") == (kind == "U")}


def test_modules(packages, tmp_path):
    """Modules for arm64 which Debian's own GRUB can link: all that they want, that has."""
    folder = unpacked(packages.module, tmp_path) / MODULES
    assert sorted(file.name for file in folder.iterdir()) == OURS
    debian = GUEST / f"grub-efi-{packages.grub}"
    known = symbols(debian / "kernel.img", "D")
    for name in OURS:
        header = output("readelf", "--file-header", folder / name)
        assert re.search(r"Type: +REL ", header) and re.search(r"Machine: +AArch64", header)
        strings = output("readelf", "--string-dump=.module_license", "--string-dump=.moddeps", folder / name)
        license, *needed = re.findall(r"^ *\[ *[0-9a-f]+\]  (\S+)$", strings, re.MULTILINE)
        assert license == "LICENSE=GPLv3+"
        found = set()
        for module in needed:
            home = folder if f"{module}.mod" in OURS else debian
            found |= symbols(home / f"{module}.mod", "D")
        assert symbols(folder / name, "U") - known - found == set()


@pytest.mark.parametrize("architecture, machine", [("amd64", "X86-64"), ("arm64", "AArch64")])
def test_tools(packages, tmp_path, architecture, machine):
    """Programs for the package's architecture."""
    if architecture not in packages.tools:
        pytest.skip(f"this machine is {packages.native}, and builds no packages for {architecture}")
    folder = unpacked(packages.tools[architecture], tmp_path) / "usr/bin"
    assert {program.name for program in folder.iterdir()} == {*PROGRAMS, *SCRIPTS}
    for program in PROGRAMS:
        assert machine in output("readelf", "--file-header", folder / program)
    for name in SCRIPTS:
        script = (folder / name).read_text()
        assert script.startswith("#!/bin/sh\n") and not re.search(r"@\w+@", script)


# Their life

class Debian:
    """A Debian in a folder, with GRUB as grub-install leaves it and what a dom0less Xen boots from."""

    def __init__(self, folder, packages, scratch):
        self.folder = folder
        subprocess.run(["tar", "-xf", GUEST / f"debian-{packages.grub}.tar", "-C", folder], check=True)
        # The archive may have kept the source of another version than the binaries. How packages behave depends on what
        # they say.
        self.grub_version, = re.findall('^grub_package_version="(.*)"$', (folder / MODULES / "modinfo.sh").read_text(), re.MULTILINE)
        self.module, self.tools = packages.module, packages.tools[packages.native]
        if self.grub_version != packages.version:
            self.module = our_package_for(scratch, self.module, packages.version, self.grub_version)
        self.write("usr/sbin/grub-probe", PROBE).chmod(0o755)
        shutil.copytree(folder / MODULES, folder / BOOT, ignore=shutil.ignore_patterns("monolithic"))
        for name, content in {
            "xen-4.17-arm64": xen_image(some_xen()).read_bytes(),
            "vmlinuz": linux_kernel().read_bytes(),
            "a.img": linux_ramdisk("a.img"),
            "b.img": linux_ramdisk("b.img"),
            "dom0less/two.dtb": make_dtb(TWO),
        }.items():
            self.write(f"boot/{name}", content)
        assert self.run("update-grub", "--output=/boot/grub/grub.cfg")[0] == 0

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *command):
        """Returns (status, all that it said)."""
        done = subprocess.run(["chroot", self.folder, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={
                                  "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root",
                                  "DEBIAN_FRONTEND": "noninteractive"})
        print(done.stdout)      # seen when a test fails
        return done.returncode, done.stdout

    def apt(self, command, *words):
        """apt with names or files of packages."""
        for word in words:
            if isinstance(word, Path):
                shutil.copy(word, self.folder / "tmp")
        return self.run("apt-get", "--yes", "--no-install-recommends", command,
                        *(f"/tmp/{word.name}" if isinstance(word, Path) else word for word in words))

    def status(self, name):
        return self.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name)[1]

    def ours(self, where):
        """Those of our modules that are there."""
        return sorted(file.name for file in (self.folder / where).glob("*dom0less.mod"))

    def menu(self):
        return (self.folder / "boot/grub/grub.cfg").read_text()

    def files(self):
        """All there is, but for the diaries of apt and dpkg: {name: a sum of its content}."""
        found = {}
        for path, folders, names in os.walk(self.folder):
            inside = os.path.relpath(path, self.folder)
            if inside in ("tmp", "proc", "sys", "dev", "var/log", "var/cache/apt", "var/lib/apt"):
                folders.clear()
                continue
            found[inside] = ""
            for name in names:
                file = Path(path, name)
                content = os.readlink(file) if file.is_symlink() else (
                    "" if inside.startswith("var/lib/dpkg") else hashlib.sha256(file.read_bytes()).hexdigest())
                found[f"{inside}/{name}"] = content
        return found


# What grub-probe would say of a boot partition.
PROBE = """#!/bin/sh
case "$*" in
*--target=device*) echo /dev/vda2 ;;
*--target=fs_uuid*) echo 0f5fc2c2-28c1-4b8a-a2c7-000000000001 ;;
*--target=fs\\ * | *--target=fs) echo ext2 ;;
*--target=partmap*) echo gpt ;;
esac
"""


@pytest.fixture
def debian(tmp_path, packages, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("installing packages takes root, also in a folder")
    yield Debian(tmp_path, packages, tmp_path_factory.mktemp("ours"))
    shutil.rmtree(tmp_path)


def test_install_and_purge(debian):
    """Installed, the modules are where GRUB looks and the menu has the tree. Purged, everything is as before."""
    before = debian.files()
    assert "xen_dom0less" not in debian.menu()

    assert debian.apt("install", debian.module, debian.tools)[0] == 0
    assert debian.ours(MODULES) == debian.ours(BOOT) == OURS
    menu = debian.menu()
    assert "insmod xen_dom0less" in menu and "dom0less/two.dtb" in menu
    assert debian.run("grub-script-check", "/boot/grub/grub.cfg") == (0, "")
    assert debian.run("update-grub")[0] == 0
    assert debian.menu() == menu

    # The script is configuration, and stays behind; without the programs it makes no entries.
    assert debian.apt("remove", "grub-dom0less-tools")[0] == 0
    assert (debian.folder / "etc/grub.d/21_xen_dom0less").exists()
    assert "dom0less/two.dtb" not in debian.menu()

    assert debian.apt("purge", "grub-efi-arm64-dom0less", "grub-dom0less-tools")[0] == 0
    assert debian.files() == before


def test_modules_of_another_grub(debian):
    """GRUB's package is right, but its files are of a GRUB that was built by hand: nothing is unpacked."""
    modinfo = debian.folder / MODULES / "modinfo.sh"
    modinfo.write_text(modinfo.read_text().replace(f'"{debian.grub_version}"', '"2.02"'))
    status, said = debian.apt("install", debian.module)
    assert status != 0
    assert f"these modules are for GRUB {debian.grub_version}, and /{MODULES}/modinfo.sh is of another" in said
    assert debian.ours(MODULES) == debian.ours(BOOT) == []


def test_boot_of_another_grub(debian):
    """The GRUB that boots is an older one: no module is put there before grub-install has run."""
    modinfo = debian.folder / BOOT / "modinfo.sh"
    modinfo.write_text(modinfo.read_text().replace(f'"{debian.grub_version}"', '"2.02-1"'))
    status, said = debian.apt("install", debian.module)
    assert status == 0
    assert f"the GRUB in /{BOOT} is not {debian.grub_version}; grub-install will bring both" in said
    assert (debian.ours(MODULES), debian.ours(BOOT)) == (OURS, [])


NO_MODULE = f"/boot/dom0less: no entry, there is no xen_dom0less.mod in /{BOOT}: install it for this GRUB"


@pytest.mark.parametrize("command", ["upgrade", "downgrade", "remove-grub", "remove-module"])
def test_update_grub_without_module(debian, tmp_path_factory, command):
    """Whatever takes the module away, update-grub says so, then and later, and leaves no entry that is dead. With the
    module for the GRUB that is there, the entries are back."""
    assert debian.apt("install", debian.module, debian.tools)[0] == 0
    menu = debian.menu()
    assert "dom0less/two.dtb" in menu
    if command == "remove-grub":
        status, said = debian.apt("remove", "grub-efi-arm64-bin:arm64")
    elif command == "remove-module":
        status, said = debian.apt("remove", "grub-efi-arm64-dom0less")
    else:
        folder = tmp_path_factory.mktemp(command)
        version = f"{debian.grub_version}.1" if command == "upgrade" else "2.02-1"
        status, said = debian.apt("install", "--allow-downgrades", another_grub(folder, version))
    assert status == 0 and NO_MODULE in said and debian.status("grub-efi-arm64-dom0less").startswith("config-files ")
    assert debian.ours(MODULES) == debian.ours(BOOT) == [] and "dom0less/two.dtb" not in debian.menu()

    status, said = debian.run("update-grub")
    assert status == 0 and said.count(NO_MODULE) == 1 and "Found device tree" not in said
    assert "dom0less/two.dtb" not in debian.menu()

    if command == "remove-module":
        status, said = debian.apt("install", debian.module)
        assert status == 0 and "Found device tree: /boot/dom0less/two.dtb" in said and NO_MODULE not in said
        assert debian.menu() == menu


@pytest.mark.parametrize("command, kept", [("upgrade", True), ("dist-upgrade", False)])
def test_security_update(debian, tmp_path_factory, command, kept):
    """An archive has a newer GRUB, and our module for that is not there yet: a plain upgrade keeps GRUB back. One that may
    remove packages removes the module, and says that there is no entry."""
    assert debian.apt("install", debian.module, debian.tools)[0] == 0
    archive = debian.folder / "tmp/archive"
    archive.mkdir()
    shutil.copy(another_grub(tmp_path_factory.mktemp("newer"), debian.grub_version + ".1"), archive)
    (archive / "Packages").write_text(subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=archive, check=True,
                                                     capture_output=True, text=True).stdout)
    debian.write("tmp/archive.list", "deb [trusted=yes] file:/tmp/archive ./\n")
    here = "-oDir::Etc::SourceList=/tmp/archive.list", "-oDir::Etc::SourceParts=/dev/null"
    assert debian.run("apt-get", *here, "update")[0] == 0
    status, said = debian.run("apt-get", *here, "--yes", command)
    assert status == 0 and (NO_MODULE in said) != kept and ("have been kept back" in said) == kept
    assert debian.status("grub-efi-arm64-bin") == f"installed {debian.grub_version}{'' if kept else '.1'}"
    assert debian.ours(BOOT) == (OURS if kept else []) and ("dom0less/two.dtb" in debian.menu()) == kept


def test_update_grub_module_deleted(debian):
    """The same where the module's file alone has gone from the GRUB that boots, as by a grub-install of another GRUB."""
    assert debian.apt("install", debian.module, debian.tools)[0] == 0
    (debian.folder / BOOT / "xen_dom0less.mod").unlink()
    status, said = debian.run("update-grub")
    assert status == 0 and said.count(NO_MODULE) == 1 and "dom0less/two.dtb" not in debian.menu()

    shutil.copy(debian.folder / MODULES / "xen_dom0less.mod", debian.folder / BOOT)
    status, said = debian.run("update-grub")
    assert status == 0 and NO_MODULE not in said and "dom0less/two.dtb" in debian.menu()


def another_grub(folder, version):
    """A package of GRUB's name and another version."""
    modinfo = folder / "grub" / MODULES / "modinfo.sh"
    modinfo.parent.mkdir(parents=True)
    modinfo.write_text(f'grub_package_version="{version}"\n')
    control = folder / "grub/DEBIAN/control"
    control.parent.mkdir()
    control.write_text(f"Package: grub-efi-arm64-bin\nVersion: {version}\nArchitecture: arm64\n"
                       "Multi-Arch: foreign\nMaintainer: nobody\nDescription: another GRUB\n")
    return build(folder, "grub")


def our_package_for(folder, package, old, new):
    """Our modules' package, which is for the GRUB of version `old`, as a build for `new` would make it."""
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder / "ours"], check=True)
    for file in (folder / "ours/DEBIAN").iterdir():
        text = file.read_text().replace(old, new)
        file.write_text(text.replace(old.replace("-", "+"), new.replace("-", "+")))
    return build(folder, "ours")


def build(folder, name):
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", folder / name], check=True, capture_output=True)
    return folder / f"{name}.deb"


@pytest.fixture
def newer(debian, tmp_path_factory):
    """Another GRUB's package, and our modules' for that."""
    folder = tmp_path_factory.mktemp("packages")
    version = debian.grub_version + ".1"
    return another_grub(folder, version), our_package_for(folder, debian.module, debian.grub_version, version)


def test_package_of_another_grub(debian, newer):
    """Modules for another GRUB are not even unpacked."""
    _, ours = newer
    shutil.copy(ours, debian.folder / "tmp")
    status, said = debian.run("dpkg", "--install", f"/tmp/{ours.name}")
    assert status != 0 and "would break grub-efi-arm64-bin" in said
    assert debian.ours(MODULES) == debian.ours(BOOT) == []


def test_another_grub_alone(debian, newer):
    """dpkg does not set up another GRUB beside our modules, so it does not install itself with them. apt cures that."""
    grub, _ = newer
    assert debian.apt("install", debian.module)[0] == 0
    shutil.copy(grub, debian.folder / "tmp")
    status, said = debian.run("dpkg", "--install", f"/tmp/{grub.name}")
    assert status != 0 and "breaks grub-efi-arm64-bin" in said
    assert debian.status("grub-efi-arm64-bin") == f"unpacked {field(grub, 'Version')}"

    assert debian.apt("install", "--fix-broken")[0] == 0
    assert debian.status("grub-efi-arm64-bin") == f"installed {field(grub, 'Version')}"
    assert debian.ours(MODULES) == debian.ours(BOOT) == []


def test_upgrade(debian, newer):
    """Another GRUB and our modules for that are one upgrade."""
    assert debian.apt("install", debian.module)[0] == 0
    assert debian.apt("install", *newer)[0] == 0
    for name, file in zip(("grub-efi-arm64-bin", "grub-efi-arm64-dom0less"), newer):
        assert debian.status(name) == f"installed {field(file, 'Version')}"
    # grub-install has not run: /boot has the GRUB from before, and the modules for that.
    assert debian.ours(MODULES) == debian.ours(BOOT) == OURS
