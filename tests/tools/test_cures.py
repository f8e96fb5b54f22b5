"""grub-dom0less-check on mistakes that people make: each is one error, which names the mistake and has the cure for it."""

import pytest

from test_check import BASE, FILES, ONE, tree
from tree import compile_dts, domain


def overlay(text):
    return compile_dts(f"/dts-v1/; /plugin/; / {{ {text} }};".encode())


def fragment(target, content="note;"):
    return f"fragment@0 {{ {target} __overlay__ {{ {content} }}; }};"


MISTAKES = {
    "compatible is misspelled": (["d.dtb"], {"d.dtb": tree(ONE.replace('"xen,domain"', '"xen,domains"'))},
        '[not-a-domain] /chosen/DomA: Xen overlooks a domain that is compatible with xen,domains; compatible = "xen,domain"'),
    "compatible is missing": (["d.dtb"], {"d.dtb": tree(ONE.replace('compatible = "xen,domain";', ""))},
        '[not-a-domain] /chosen/DomA: Xen overlooks a domain that is compatible with nothing; compatible = "xen,domain"'),
    "a path is misspelled": (["--overlay", "o.dtbo", "one.dtb"], {"o.dtbo": overlay(fragment('target-path = "/choosen";'))},
        "[overlay-misfit] cannot apply /o.dtbo: fragment@0 needs /choosen; the tree has no such node: is the path right?"),
    "no target": (["--overlay", "o.dtbo", "one.dtb"], {"o.dtbo": overlay(fragment(""))},
        '[overlay-malformed] cannot apply /o.dtbo: /fragment@0: it has no target; give it one: target-path = "/chosen"'),
    "a label, and no labels": (["--overlay", "o.dtbo", "one.dtb"], {"o.dtbo": overlay(fragment("target = <&soc>;"))},
        "[overlay-misfit] cannot apply /o.dtbo: fragment@0 needs soc; for a tree without __symbols__, say target-path"),
    "a label that is not there": (["--overlay", "o.dtbo", "d.dtb"], {
        "o.dtbo": overlay(fragment("target = <&soc>;")), "d.dtb": tree("", ONE, base=BASE + "/ { __symbols__ { uart = \"/uart\"; }; };")},
        "[overlay-misfit] cannot apply /o.dtbo: fragment@0 needs soc; the tree has labels, and none is called so"),
    "an overlay as the tree": (["o.dtbo"], {"o.dtbo": overlay(fragment('target-path = "/chosen";', ONE))},
        "[tree-is-overlay] /o.dtbo is an overlay, not the machine's tree; give it with --overlay"),
    "a tree as the overlay": (["--overlay", "one.dtb", "base.dtb"], {"base.dtb": compile_dts(BASE.encode())},
        "[overlay-is-tree] /one.dtb is no overlay: nothing in it has an __overlay__; a machine's whole tree replaces the other one: --dtb"),
    "an overlay without a fragment": (["--overlay", "o.dtbo", "one.dtb"], {"o.dtbo": overlay("chosen { note; };")},
        "[overlay-is-tree] /o.dtbo is no overlay: nothing in it has an __overlay__; a machine's whole tree replaces the other one: --dtb"),
    "no tree": (["--machine-tree", "none"], {},
        "[tree-missing] no device tree; name the machine's tree: DTB, or --machine-tree FILE"),
    "source as the tree": (["one.dts"], {"one.dts": "/* A machine.  */\n" + BASE},
        "[tree-malformed] not a well-formed device tree: /one.dts: it does not begin like one; this is its source: compile it with dtc"),
    "a kernel as the tree": (["vmlinuz"], {},
        "[tree-malformed] not a well-formed device tree: /vmlinuz: it does not begin like one; is it the right file?"),
    "half a tree": (["d.dtb"], {"d.dtb": tree(ONE)[:300]},
        "[tree-malformed] not a well-formed device tree: /d.dtb: its header is broken, or it is cut short; compile it again with dtc"),
    "a file's name": (["d.dtb"], {"d.dtb": tree(ONE.replace('"vmlinuz"', '"vmlinux"'))},
        "[file-missing] /chosen/DomA/module@1: cannot load /vmlinux: file `/vmlinux' not found below FOLDER"),
    "the tree's name": (["gone.dtb"], {}, "/gone.dtb: file `/gone.dtb' not found below FOLDER"),
    "the overlay's name": (["--overlay", "gone.dtbo", "one.dtb"], {}, "/gone.dtbo: file `/gone.dtbo' not found below FOLDER"),
    "Xen's name": (["--xen", "gone.efi", "one.dtb"], {}, "/gone.efi: file `/gone.efi' not found below FOLDER"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_cure(check, put, mistake):
    """One error, and nothing else than that is wrong."""
    arguments, files, error = MISTAKES[mistake]
    folder = put({**FILES, "one.dtb": tree(ONE), **files})
    done = check(*arguments, cwd=folder)
    lines = done.stdout.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert done.returncode == 2 and errors == ["error: " + error.replace("FOLDER", f"{folder}")], done.stdout
    assert lines[-1].startswith("1 error, ")


MENU = "menuentry x {{ xen_dom0less {}; }}\n"


@pytest.mark.parametrize("command, error", {
    "": "XEN is missing, the hypervisor's file name", "--dtb /one.dtb": "XEN is missing, the hypervisor's file name",
    "--dbt /one.dtb /xen.efi": "GRUB refuses this option, or its value is missing: --dbt",
    "--dtb": "GRUB refuses this option, or its value is missing: --dtb",
    "/gone.efi": "/gone.efi: file `/gone.efi' not found below FOLDER",
}.items())
def test_menu(check, put, command, error):
    """The same of a menu's command lines."""
    folder = put({**FILES, "one.dtb": tree(ONE), "xen.efi": b"", "grub.cfg": MENU.format(command)})
    done = check("--root", folder, "--grub-cfg", folder / "grub.cfg")
    assert done.returncode == 2 and done.stdout.splitlines()[1].startswith("error: " + error.replace("FOLDER", f"{folder}")), done.stdout


def test_other_domains(check, put):
    """A domain that is misspelled beside one that is not: the other has no error."""
    folder = put({**FILES, "two.dtb": tree(ONE, domain("DomB").replace('"xen,domain"', '"xen,dom"'))})
    done = check(folder / "two.dtb")
    assert done.returncode == 2 and done.stdout.count("error: ") == 1 and "error: [not-a-domain] /chosen/DomB: " in done.stdout
