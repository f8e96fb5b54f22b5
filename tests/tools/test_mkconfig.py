"""grub-mkconfig with 21_xen_dom0less, in a made-up root: tests/boot/mkconfig.py says what is not real there. That its
grub.cfg boots is tests/boot/test_mkconfig.py's."""

import gzip
import itertools
import lzma
import re
import subprocess

import pytest

from conftest import IMAGE
from disk import BOOT_UUID
from mkconfig import OTHER_UUID, entries, mkconfig, our_part
from paths import ROOT, some_xen, xen_image
from tree import chosen, compile_dts, domain, module

BASE = (ROOT / "tests/dts/base.dtsi").read_text()
MODEL = "linux,dummy-virt"
ONE = domain("DomA", ramdisk="a.img")
OVERLAY = "/dts-v1/; /plugin/; / { fragment@0 { target-path = \"/chosen\"; __overlay__ {" + ONE + "}; }; };"

XEN = xen_image(some_xen())
BOOT = {"boot/vmlinuz": IMAGE, "boot/a.img": b"a", "boot/xen-4.17-arm64": XEN, "boot/xen-4.17-arm64.efi": XEN}
TWO_XENS = {**BOOT, "boot/xen-4.20": XEN}


def dtb(*nodes, model=MODEL):
    """The least machine with these nodes in /chosen."""
    return compile_dts((BASE.replace(f'model = "{MODEL}"', f'model = "{model}"') + chosen(*nodes))
                       .encode(errors="surrogateescape"))


PLAIN = "GRUB_DISABLE_RECOVERY=true\nGRUB_DISABLE_SUBMENU=true\n"      # one entry for each tree and hypervisor
GOOD = dtb(ONE)
TREES = {
    "boot/dom0less/bad.dtb": dtb(ONE.replace("cpus = <1>;", "")),
    "boot/dom0less/good.dtb": GOOD,
    "boot/dom0less/incomplete.dtb": dtb(domain("DomA", ramdisk="gone.img")),
    "boot/dom0less/warn.dtb": dtb('bootargs = "x";', ONE),
}


@pytest.fixture
def make(grub, tmp_path):
    """make(files, settings="", separate=True) -> (what entries() says of the menu, what was said on standard error, the
    whole grub.cfg). grub-script-check has seen to it that GRUB can read it."""
    runs = itertools.count()

    def run(files, settings="", separate=True, links=None):
        menu, said = mkconfig(tmp_path / str(next(runs)), grub, files, settings, separate, links or {})
        checked = subprocess.run([grub / "bin/grub-script-check"], input=menu, capture_output=True,
                                 text=True, errors="surrogateescape")
        assert (checked.returncode, checked.stderr) == (0, "")
        return entries(menu), said, menu
    return run


def titles(found):
    """The menu as it is seen, what is in a submenu two spaces to the right."""
    return [("  " * depth) + title for depth, _, title, _, _ in found]


def boots(found):
    """The last command of each entry."""
    return [commands[-1] for _, kind, _, _, commands in found if kind == "menuentry"]


def test_trees_and_hypervisors(make):
    """An entry and a submenu for each tree without an error; a line on standard error for each finding. Debian's second
    name of a hypervisor is no second hypervisor."""
    found, said, _ = make({**TWO_XENS, **TREES})
    assert titles(found) == [line for name in ("good", "warn") for line in (
        f"{MODEL} ({name}), with Xen hypervisor",
        f"Advanced options for {MODEL} ({name}) (with Xen hypervisor)",
        f"  {MODEL} ({name}), with Xen 4.20",
        f"  {MODEL} ({name}), with Xen 4.20 (recovery mode)",
        f"  {MODEL} ({name}), with Xen 4.17-arm64",
        f"  {MODEL} ({name}), with Xen 4.17-arm64 (recovery mode)")]
    assert [kind for _, kind, _, _, _ in found] == ["menuentry", "submenu", *["menuentry"] * 4] * 2
    assert boots(found) == [["xen_dom0less", "--dtb", f"/dom0less/{name}.dtb", f"/{xen}"] for name in ("good", "warn")
                            for xen in ("xen-4.20", "xen-4.20", "xen-4.20", "xen-4.17-arm64", "xen-4.17-arm64")]

    expected = {
        "bad": ["error: [cpus-impossible", "/boot/dom0less/bad.dtb: no entry for Xen {}"],
        "good": [],
        "incomplete": ["error: [file-missing", "/boot/dom0less/incomplete.dtb: no entry for Xen {}"],
        "warn": ["warning: [bootargs-ignored"],
    }
    assert [line.split("]")[0] for line in said.splitlines() if re.search(r"dom0less|error|warning", line)] == [
        line.format(xen) for name in expected for xen in ("4.20", "4.17-arm64")
        for line in (f"Found device tree: /boot/dom0less/{name}.dtb, for Xen {{}}", *expected[name])]


def test_checked_as_written(make, check, tmp_path):
    """--grub-cfg finds every entry of what grub-mkconfig has written, and judges each as grub-mkconfig did."""
    found, _, menu = make({**TWO_XENS, **TREES}, separate=False)
    (tmp_path / "grub.cfg").write_text(menu)
    done = check("--root", tmp_path / "0/root", "--grub-cfg", tmp_path / "grub.cfg")
    assert done.stdout.endswith(f"\n{len(boots(found))} xen_dom0less commands\n") and done.returncode == 1, done
    assert [line for line in done.stdout.splitlines() if line.endswith(" (recovery mode):")] == [
        f"Advanced options for {MODEL} ({name}) (with Xen hypervisor) > {MODEL} ({name}), with Xen {xen} (recovery mode):"
        for name in ("good", "warn") for xen in ("4.20", "4.17-arm64")]


def test_identifiers(make):
    """They name what the entry is made of, and no two are the same."""
    found, _, _ = make({**TWO_XENS, **TREES, "boot/dom0less/good.dtbo": compile_dts(OVERLAY.encode())})
    identifiers = [identifier for *_, identifier, _ in found]
    assert len(set(identifiers)) == len(identifiers) == 18
    assert identifiers[:4] == [f"xen-dom0less-{what}-good.dtb-{BOOT_UUID}" for what in (
        "simple", "advanced", "4.20-advanced", "4.20-recovery")]


def test_commands(make):
    """Everything that an entry says, in its order."""
    found, _, _ = make({**BOOT, "boot/dom0less/good.dtb": GOOD}, "GRUB_DISABLE_RECOVERY=true\nGRUB_SAVEDEFAULT=true\n")
    search = ["search", "--no-floppy", "--fs-uuid", "--set=root"]
    assert found[0][4] == [
        ["savedefault"],
        ["insmod", "part_gpt"],
        ["insmod", "ext2"],
        ["set", "root=hd7,gpt9"],
        ["if", "[", "x$feature_platform_search_hint", "=", "xy", "];", "then"],
        [*search, "--hint=hd7,gpt9", BOOT_UUID],
        ["else"],
        [*search, BOOT_UUID],
        ["fi"],
        ["insmod", "xen_dom0less"],
        ["echo", "Loading Xen 4.17-arm64 ..."],
        ["xen_dom0less", "--dtb", "/dom0less/good.dtb", "/xen-4.17-arm64"],
    ]
    assert found[2][4] == found[0][4]


def test_settings(make):
    """What other entries for Xen obey: its command line, no submenus, the hypervisor that comes first. A recovery entry
    has less of the command line, and does not become the default."""
    found, _, _ = make({**TWO_XENS, "boot/dom0less/good.dtb": GOOD}, """
GRUB_CMDLINE_XEN='console=dtuart  "dtuart=serial0"'
GRUB_CMDLINE_XEN_DEFAULT=noreboot
GRUB_DISABLE_SUBMENU=y
GRUB_SAVEDEFAULT=true
export GRUB_TOP_LEVEL_XEN=/boot/xen-4.17-arm64
""")
    assert titles(found) == [f"{MODEL} (good), with Xen {xen}{recovery}" for xen in ("4.17-arm64", "4.20")
                             for recovery in ("", " (recovery mode)")]
    always = ["xen_dom0less", "--dtb", "/dom0less/good.dtb"]
    assert boots(found) == [[*always, xen, "console=dtuart", "dtuart=serial0", *more]
                            for xen in ("/xen-4.17-arm64", "/xen-4.20") for more in (["noreboot"], [])]
    assert [commands[0] == ["savedefault"] for *_, commands in found] == [True, False] * 2


def test_recovery_with_an_error(make):
    """Without its default arguments this Xen would not boot this tree: no recovery entry, and it is told why."""
    large = dtb(module(9, "kernel", "vmlinuz"), domain("DomA", ramdisk="a.img", memory=1600))
    found, said, _ = make({**BOOT, "boot/dom0less/c.dtb": large},
                          "GRUB_CMDLINE_XEN=console=dtuart\nGRUB_CMDLINE_XEN_DEFAULT=dom0_mem=64M\n")
    assert [identifier.split("-c.dtb")[0] for *_, identifier, _ in found] == [
        f"xen-dom0less-{what}" for what in ("simple", "advanced", "4.17-arm64-advanced")]
    assert "error: [memory-too-much]" in said
    assert "/boot/dom0less/c.dtb: no recovery entry for Xen 4.17-arm64\n" in said


def test_one_entry_for_each_hypervisor(make):
    """Xen's own `make install' has links to it, which are no others; a link to elsewhere is one, and GRUB follows it."""
    links = {"boot/xen-4.20": "xen-4.20.0", "boot/xen-4": "xen-4.20.0", "boot/xen": "xen-4", "boot/xen-4.16": "images/hv"}
    found, said, _ = make({"boot/vmlinuz": IMAGE, "boot/a.img": b"a", "boot/dom0less/good.dtb": GOOD, "boot/xen-4.20.0": XEN,
                           "boot/images/hv": XEN, "boot/images/vmlinuz": b"no kernel"}, PLAIN, links=links)
    assert [words[-1] for words in boots(found)] == ["/xen-4.20.0", "/xen-4.16"], said


def test_order_of_hypervisors(make):
    """By version, not by letter, and an old one behind its successor. What is no hypervisor is not listed, an .efi
    that is none's second name is."""
    names = ["xen-4.9", "xen-4.10", "xen-4.10.old", "xen-4.17 a", "xen-4.20.efi", "xen-4.20-rc10.efi", "xen-4.20-rc9.efi", "xen",
             "xen-own", "xen-unstable.efi"]
    others = {"boot/xen-syms-4.20": b"ELF", "boot/xen-4.20.config": b"CONFIG", "boot/xenpolicy-4.20": b"",
              "boot/xen-4.20~": XEN, "boot/xen-4.20.dpkg-new": XEN, "boot/xen.cfg": b"[global]", "boot/xen-\n": XEN}
    found, _, _ = make({"boot/vmlinuz": IMAGE, "boot/a.img": b"a", "boot/dom0less/good.dtb": GOOD, **others,
                        **{f"boot/{name}": XEN for name in names}}, PLAIN)
    assert [words[-1] for words in boots(found)] == [
        "/xen-4.20.efi", "/xen-4.20-rc10.efi", "/xen-4.20-rc9.efi", "/xen-4.17 a", "/xen-4.10", "/xen-4.10.old", "/xen-4.9",
        "/xen-unstable.efi", "/xen-own", "/xen"]


NAMES = ["two words", "  spaces  ", "it's", "'", 'the "board"', "$HOME ${x}", "$(reboot)", "`reboot`", "a;b&c|d",
         "back\\slash", "back\\nslash\\c", "--help", "*?[a-z]{b,c}", "#no", "ünïcödé 板 €", "%s %d", "(hd0,gpt1)",
         "a>b>>c", "=", "{", b"latin-1 \xe9".decode(errors="surrogateescape")]
SLASH = "\\"      # in a tree, and in the name of its folder's hypervisor


def test_names(make):
    """Whatever the names of a tree and of a file in it hold, they are found and get into the menu."""
    files = {f"boot/kernels/{name.replace(SLASH, '/')}": IMAGE for name in NAMES}
    for name in NAMES:
        kernel = "kernels/" + name.replace(SLASH, "/").replace('"', '\\"')
        files[f"boot/dom0less/{name}.dtb"] = dtb(ONE.replace("vmlinuz", kernel))
    found, said, _ = make({**BOOT, **files}, PLAIN)
    assert sorted(words[2] for words in boots(found)) == sorted(f"/dom0less/{name}.dtb" for name in NAMES), said
    assert sorted(titles(found)) == sorted(f"{MODEL} ({name}), with Xen 4.17-arm64" for name in NAMES)
    assert len({identifier for *_, identifier, _ in found}) == len(NAMES)


def test_names_of_hypervisors(make):
    """The same for the hypervisor, in whose folder the tree's files are."""
    names = [name for name in NAMES if SLASH not in name]
    found, said, _ = make({"boot/vmlinuz": IMAGE, "boot/a.img": b"a", "boot/dom0less/good.dtb": GOOD,
                           **{f"boot/xen-{name}": XEN for name in names}}, PLAIN)
    assert sorted(words[3] for words in boots(found)) == sorted(f"/xen-{name}" for name in names), said


STRANGE = ["two\nlines", "\ttab", "\x1b[2J", "\x7f", "\x9b31m", b"\x9b31m".decode(errors="surrogateescape"), "\u202emoc.exe",
           "\u2066x", b"\xe2\xe2\x80\x8e\x80".decode(errors="surrogateescape")]


def test_strange_names(make):
    """A name that a terminal or a menu would obey is refused, be it a tree's or a hypervisor's, and is not shown."""
    found, said, menu = make({**BOOT, "boot/dom0less/good.dtb": GOOD,
                              **{f"boot/dom0less/{name}.dtb": GOOD for name in STRANGE},
                              **{f"boot/xen-{name}": XEN for name in STRANGE}}, PLAIN)
    assert boots(found) == [["xen_dom0less", "--dtb", "/dom0less/good.dtb", "/xen-4.17-arm64"]]
    assert said.count(".dtb: no entry for a name with control characters\n") == len(STRANGE)
    assert all(" " <= char <= "~" for char in said.replace("\n", "")) and "\x1b" not in menu


@pytest.mark.parametrize("status", [2, 3, 4, 64, 127, 139])
def test_unknown_status(make, status):
    """Whatever the checker ends with but `fine' and `warnings', there is no entry; what is no verdict is told of."""
    found, said, _ = make({**BOOT, "boot/dom0less/good.dtb": GOOD, "boot/checker": f"#!/bin/sh\nexit {status}\n"},
                          PLAIN + "chmod +x /boot/checker\nexport grub_dom0less_check=/boot/checker\n")
    assert not found and "/boot/dom0less/good.dtb: no entry for Xen 4.17-arm64\n" in said
    assert (f"could not be judged, /boot/checker ended with status {status}\n" in said) == (status != 2)


def test_model(make):
    """The title begins with it, whatever it holds, and does without it."""
    found, _, _ = make({**BOOT, "boot/dom0less/a.dtb": dtb(ONE, model="It's 100% $board; \\\\n \\\"7\\\" ö"),
                        "boot/dom0less/b.dtb": dtb(ONE, model="")}, PLAIN)
    assert titles(found) == ["It's 100% $board; \\n \"7\" ö (a), with Xen 4.17-arm64", "b, with Xen 4.17-arm64"]


def test_strange_model(make):
    """What a terminal or a menu would obey is not in a title."""
    found, said, _ = make({**BOOT, "boot/dom0less/a.dtb": dtb(ONE, model=r"evil\x1b[2J\nline\xc2\x9b31m' {")}, PLAIN)
    assert titles(found) == ["evil?[2J?line?31m' { (a), with Xen 4.17-arm64"], said


@pytest.mark.parametrize("separate", [True, False])
def test_boot_file_system(make, separate):
    """With or without a file system of its own for /boot: what GRUB is told, and where the names of a tree lead to."""
    top = "" if separate else "/boot"
    tree = dtb(ONE.replace('"vmlinuz"', f'"{top}/kernels/vmlinuz"'))
    found, said, _ = make({**BOOT, "boot/kernels/vmlinuz": IMAGE, "boot/dom0less/good.dtb": tree}, PLAIN, separate)
    assert boots(found) == [["xen_dom0less", "--dtb", f"{top}/dom0less/good.dtb", f"{top}/xen-4.17-arm64"]], said


def test_subvolume(make):
    """/boot is a subvolume of btrfs, of which GRUB sees all: names that begin with `/' begin above it."""
    found, said, _ = make({**BOOT, "boot/kernels/vmlinuz": IMAGE,
                           "boot/dom0less/good.dtb": dtb(ONE.replace('"vmlinuz"', '"/@boot/kernels/vmlinuz"')),
                           "boot/dom0less/plain.dtb": GOOD,
                           "boot/dom0less/wrong.dtb": dtb(ONE.replace('"vmlinuz"', '"/kernels/vmlinuz"'))}, PLAIN, "btrfs")
    assert boots(found) == [["xen_dom0less", "--dtb", f"/@boot/dom0less/{name}.dtb", "/@boot/xen-4.17-arm64"]
                            for name in ("good", "plain")], said
    assert "error: [file-missing] /chosen/DomA/module@1: cannot load /kernels/vmlinuz: file `/kernels/vmlinuz' not found: `/' is " \
        "the file system's top for GRUB, and only `/@boot' is seen here" in said


def test_dataset(make):
    """The same on ZFS, where the dataset's name ends with an @."""
    files = {**BOOT, "boot/kernels/vmlinuz": IMAGE, "boot/dom0less/plain.dtb": GOOD}
    for name, kernel in ("good", "/BOOT/debian@/kernels/vmlinuz"), ("wrong", "/kernels/vmlinuz"):
        files[f"boot/dom0less/{name}.dtb"] = dtb(ONE.replace("vmlinuz", kernel))
    # GRUB_FS is what `/' is on: 10_linux would ask zdb.
    found, said, menu = make(files, PLAIN + "GRUB_FS=ext2\n", "zfs")
    assert boots(found) == [["xen_dom0less", "--dtb", f"/BOOT/debian@/dom0less/{name}.dtb", "/BOOT/debian@/xen-4.17-arm64"]
                            for name in ("good", "plain")], said
    assert "insmod zfs" in menu and "file `/kernels/vmlinuz' not found: `/' is the file system's top for GRUB, and only " \
        "`/BOOT/debian@' is seen here" in said


def test_no_module(make):
    """GRUB's modules are installed, and ours is not among them, as after an upgrade of GRUB."""
    files = {**BOOT, "boot/dom0less/good.dtb": GOOD, "boot/grub/arm64-efi/normal.mod": b""}
    found, said, _ = make(files)
    assert not found and "/boot/dom0less: no entry, there is no xen_dom0less.mod in /boot/grub/arm64-efi: " in said
    found, said, _ = make({**files, "boot/grub/arm64-efi/xen_dom0less.mod": b""})
    assert found, said


def test_machine_tree(make):
    """An image's builder says what the machine's tree is, or that it is not known: never the builder's own."""
    files = {**BOOT, "sys/firmware/fdt": dtb(model="The builder"), "srv/board": dtb(model="A board"),
             "boot/dom0less/good.dtbo": compile_dts(OVERLAY.encode())}
    found, _, _ = make(files, PLAIN + "export GRUB_DOM0LESS_MACHINE_TREE=/srv/board\n")
    assert titles(found) == ["A board (good), with Xen 4.17-arm64"]
    found, said, _ = make(files, PLAIN + "export GRUB_DOM0LESS_MACHINE_TREE=\n")
    assert titles(found) == ["good, with Xen 4.17-arm64"] and "good.dtbo: not checked, " in said


def test_trees_elsewhere(make):
    """Trees in a folder on another device than the hypervisors, which the tree's names do not follow."""
    found, said, _ = make({**BOOT, "srv/trees/good.dtb": GOOD}, PLAIN + "export GRUB_DOM0LESS_DIR=/srv/trees\n")
    (*_, commands), = found
    assert [" ".join(words) for words in commands if words[0] in ("insmod", "set")] == [
        "insmod part_msdos", "insmod fat", "set root=hd7,gpt9", "set dom0less_device=$root",
        "insmod part_gpt", "insmod ext2", "set root=hd7,gpt9", "insmod xen_dom0less"]
    assert [words[-1] for words in commands if words[0] == "search"] == [OTHER_UUID] * 2 + [BOOT_UUID] * 2
    assert commands[-1] == ["xen_dom0less", "--dtb", "($dom0less_device)/srv/trees/good.dtb", "/xen-4.17-arm64"], said


def test_trees_out_of_reach(make):
    """Trees where GRUB cannot read, of which grub-probe says so, do not keep the others' menu from being written."""
    found, said, _ = make({**BOOT, "net/trees/good.dtb": GOOD}, PLAIN + "export GRUB_DOM0LESS_DIR=/net/trees\n")
    assert not found and "/net/trees/good.dtb: no entry, GRUB cannot read that file system\n" in said


def test_overlays(make):
    """An overlay is for the machine's own tree, which is asked."""
    bad = OVERLAY.replace("cpus = <1>;", "")
    overlays = {"boot/dom0less/bad.dtbo": compile_dts(bad.encode()),
                "boot/dom0less/good.dtbo": compile_dts(OVERLAY.encode())}
    found, said, _ = make({**BOOT, **overlays, "sys/firmware/fdt": dtb(model="This machine")}, PLAIN)
    assert titles(found) == ["This machine (good), with Xen 4.17-arm64"]
    assert boots(found) == [["xen_dom0less", "--overlay", "/dom0less/good.dtbo", "/xen-4.17-arm64"]]
    assert "error: [cpus-impossible] /chosen/DomA: " in said and "bad.dtbo: no entry for Xen 4.17-arm64\n" in said


@pytest.mark.parametrize("folder, device", [("boot/dom0less", ""), ("srv/trees", "($dom0less_device)/srv")])
def test_several_overlays(make, folder, device):
    """What is in a tree's or an overlay's folder comes after it in order, and is checked with it."""
    second = compile_dts(OVERLAY.replace("DomA", "DomB").encode())
    bad = compile_dts(OVERLAY.replace("DomA", "DomC").replace("cpus = <1>;", "").encode())
    files = {**BOOT, "sys/firmware/fdt": dtb(model="This machine"),
             f"{folder}/tree.dtb": GOOD, f"{folder}/tree.dtb.d/20 b.dtbo": second,
             f"{folder}/tree.dtb.d/10-a.dtbo": compile_dts(OVERLAY.replace("DomA", "DomX").encode()),
             f"{folder}/tree.dtb.d/README": "not one",
             f"{folder}/over.dtbo": compile_dts(OVERLAY.encode()), f"{folder}/over.dtbo.d/b.dtbo": second,
             f"{folder}/bad.dtb": GOOD, f"{folder}/bad.dtb.d/bad.dtbo": bad}
    found, said, _ = make(files, f"{PLAIN}export GRUB_DOM0LESS_DIR=/{folder}\n")
    where = f"{device}/{folder.split('/')[1]}"
    assert boots(found) == [
        ["xen_dom0less", "--dtb", f"{where}/tree.dtb", "--overlay", f"{where}/tree.dtb.d/10-a.dtbo",
         "--overlay", f"{where}/tree.dtb.d/20 b.dtbo", "/xen-4.17-arm64"],
        ["xen_dom0less", "--overlay", f"{where}/over.dtbo", "--overlay", f"{where}/over.dtbo.d/b.dtbo", "/xen-4.17-arm64"]]
    assert "[cpus-impossible] /chosen/DomC: " in said and "bad.dtb: no entry for Xen 4.17-arm64\n" in said
    strange = {**files, f"{folder}/tree.dtb.d/30\n.dtbo": second}
    found, said, _ = make(strange, f"{PLAIN}export GRUB_DOM0LESS_DIR=/{folder}\n")
    assert len(found) == 1 and "tree.dtb.d/30?.dtbo: no entry for a name with control characters\n" in said


@pytest.mark.parametrize("files", [{}, {"sys/firmware/fdt": dtb(model="Xen's"), "sys/hypervisor/type": "xen\n"}],
                         ids=["no-tree", "under-xen"])
def test_unknown_machine(make, files):
    """Without the machine's own tree nobody can tell, and the entry is written."""
    found, said, _ = make({**BOOT, **files, "boot/dom0less/good.dtbo": compile_dts(OVERLAY.encode())}, PLAIN)
    assert titles(found) == ["good, with Xen 4.17-arm64"]
    assert "/boot/dom0less/good.dtbo: not checked, the machine's own tree is not known\n" in said


def test_decompressors(make):
    """Those for the files of this tree, and no others."""
    found, said, _ = make({
        **BOOT, "boot/vmlinuz.gz": gzip.compress(IMAGE), "boot/a.xz": lzma.compress(b"a"),
        "boot/dom0less/a.dtb": dtb(ONE.replace('"vmlinuz"', '"vmlinuz.gz"')),
        "boot/dom0less/b.dtb": GOOD,
        "boot/dom0less/c.dtb": dtb(ONE.replace("a.img", "a.xz")),
    }, PLAIN)
    assert [[words[1] for words in commands if words[0] == "insmod"][2:] for *_, commands in found] == [
        ["gzio", "xen_dom0less"], ["xen_dom0less"], ["xzio", "xen_dom0less"]], said


def test_nothing_to_do(make):
    """Not a word without a tree."""
    found, said, menu = make(TWO_XENS)
    assert not found and our_part(menu) == []
    assert said.splitlines()[0] == "Generating grub configuration file ..." and "dom0less" not in said


def test_no_hypervisor(make):
    """A tree without a hypervisor is told of and has no entry."""
    found, said, _ = make({"boot/vmlinuz": IMAGE, "boot/dom0less/good.dtb": GOOD})
    assert not found and "/boot/dom0less: no entry without a hypervisor in /boot\n" in said


def test_no_checker(make):
    """As after the package has been removed, which leaves the script behind."""
    found, said, _ = make({**BOOT, "boot/dom0less/good.dtb": GOOD}, "export grub_dom0less_check=/usr/bin/gone\n")
    assert not found and "Found" not in said
    assert "/boot/dom0less: no entry without /usr/bin/gone\n" in said


@pytest.mark.parametrize("before, tree, word", [
    ("", "a", "A board"),
    ("GRUB_DOM0LESS_DIR=/boot/other\n", "b", "A board"),
    ("GRUB_DOM0LESS_MACHINE_TREE=\n", "a", "a"),
])
def test_settings_file(make, before, tree, word):
    """The file for /etc/default/grub.d says what is so without it. It comes after /etc/default/grub, keeps what is set
    there and exports it."""
    settings = (ROOT / "util/grub-mkconfig-dom0less.cfg").read_text()
    overlay = compile_dts(OVERLAY.encode())
    found, _, _ = make({**BOOT, "sys/firmware/fdt": dtb(model="A board"), "boot/dom0less/a.dtbo": overlay,
                        "boot/other/b.dtbo": overlay}, PLAIN + before + settings)
    assert [words[2] for words in boots(found)] == [f"/{'other' if tree == 'b' else 'dom0less'}/{tree}.dtbo"]
    assert titles(found)[0].startswith(f"{word}, with" if word == tree else f"{word} ({tree})")
