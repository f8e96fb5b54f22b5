"""The grub.cfg of the real grub-mkconfig, booted as it is. What else it can hold is tests/tools/test_mkconfig.py's."""

import shlex

from conftest import GRUBS
from guest import kernel, ramdisk
from mkconfig import entries, mkconfig, our_part
from paths import grub_dir, some_grub, why_missing, xen_image
from test_overlay import CHOSEN, overlay
from tree import chosen, domain, make_dtb

# In every place where a name can be. In a tree and in Xen's name a backslash would be a slash.
ODD = """it's "$HOME"; `a` & *?[b] {c} #d 板ö"""
FOLDER = f"trees {ODD}"
XEN = f"xen-4.20 {ODD}"
KERNEL, RAMDISK = f"guests {ODD}/vmlinuz {ODD}", f"guests {ODD}/a.img {ODD}"

SETTINGS = f"""
GRUB_TIMEOUT=1
GRUB_CMDLINE_XEN="console=dtuart bootscrub=0"
GRUB_CMDLINE_XEN_DEFAULT=loglvl=all
export GRUB_DOM0LESS_DIR={shlex.quote(f"/boot/{FOLDER}")}
"""


def in_source(text):
    """A string of a tree's source."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def make_files():
    """{name on the boot partition: content}: a broken tree first, then a good one with an overlay, then one that is warned
    about; the older of the two hypervisors first."""
    good = domain("DomA", kernel=in_source(KERNEL), ramdisk=in_source(RAMDISK))
    model = f'/ {{ model = "{in_source(ODD)}"; }};'
    return {
        f"{FOLDER}/1 broken.dtb": make_dtb(chosen(good.replace("cpus = <1>;", ""))),
        f"{FOLDER}/2 good {ODD} \\ \\n.dtb": make_dtb(model + chosen(good)),
        f"{FOLDER}/2 good {ODD} \\ \\n.dtb.d/b {ODD}.dtbo": overlay((CHOSEN, good.replace("DomA", "DomB"))),
        f"{FOLDER}/3 warned.dtb": make_dtb(chosen(good.replace("cpus = <1>;", "cpus = <1>; unknown;"))),
        "xen-4.17": xen_image("4.17"),
        XEN: xen_image("4.20"),
        KERNEL: kernel(),
        RAMDISK: ramdisk("a.img"),
    }


def test_default_entry(boot, tmp_path):
    """The menu's first entry is the good tree with the newer hypervisor, and boots untouched by hand. It is the same
    with each GRUB's grub-mkconfig."""
    files = make_files()
    menus = {}
    grubs = [grub for grub in GRUBS if not why_missing(f"grub-{grub}")]
    for grub in grubs:
        menus[grub], said = mkconfig(tmp_path / grub, grub_dir(grub), {f"boot/{name}": files[name] for name in files},
                                     SETTINGS)
        assert "error: [cpus-impossible]" in said and "warning: [property-unknown]" in said
        assert our_part(menus[grub]) == our_part(menus[grubs[0]])
    found = entries(menus[some_grub()])
    assert [title for depth, kind, title, _, _ in found if (depth, kind) == (0, "menuentry")] == [
        f"{ODD} (2 good {ODD} \\ \\n), with Xen hypervisor", "linux,dummy-virt (3 warned), with Xen hypervisor"]

    machine = boot(menus[some_grub()], files, grub=some_grub())
    assert {name: found["ramdisk"] for name, found in machine.domains("DomA", "DomB").items()} == {
        "DomA": "a.img", "DomB": "a.img"}
    # The disk was found by its UUID; Xen is the newer one, and has both halves of its command line.
    assert ": kernel (hd0,gpt2)/guests it's " in machine.text
    assert "Xen version 4.20" in machine.text and "Std. Loglevel: All" in machine.text
