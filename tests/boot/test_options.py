"""Options at GRUB's prompt: any number of them in each spelling, help, and completion."""

import re

import pytest

from conftest import GRUBS
from machine import findings, script
from test_overlay import overlay
from tree import chosen, domain, make_dtb
from two import XEN_EFI, check_two

# GRUB's own lists for repeatable options run over from 5 of one kind in --LONG=VALUE, so some more than a few.
COUNTS = 1, 4, 5, 12, 64
SPELLINGS = {"equals": "--{0}={1}", "words": "--{0} {1}", "short": "-{2} {1}"}
# The kernel is what the last --module says, the ramdisk what the first does, by their numbers.
NUMBERED = {count: make_dtb(chosen(
    domain("DomA", kernel=None, cpus=2, ramdisk="a.img").replace(
        'compatible = "multiboot,kernel", "multiboot,module";',
        f'compatible = "multiboot,kernel", "multiboot,module"; mb-index = <{count - 1}>;'))) for count in COUNTS}


def spell(spelling, name, values):
    return " ".join(SPELLINGS[spelling].format(name, value, name[0]) for value in values)


def many():
    """{name: (command, number of --module, number of --overlay)}"""
    commands = {}
    for count in COUNTS:
        modules = [f"KEY{number}=/a.img" for number in range(count - 1)] + ["LAST=/vmlinuz"]
        overlays = [f"/cpus{number % 3}.dtbo" for number in range(count)]
        for spelling in SPELLINGS:
            other = "equals" if spelling == "words" else "words"
            for name, options in {
                    "modules": spell(spelling, "module", modules),
                    "both": f"{spell(spelling, 'overlay', overlays)} {spell(other, 'module', modules)}",
                    "turns": " ".join(spell(spelling, *one) for two in zip(modules, overlays)
                                      for one in (("module", two[:1]), ("overlay", two[1:])))}.items():
                commands[f"{name}-{spelling}-{count}"] = (
                    f"xen_dom0less --dry-run --dtb=/numbered{count}.dtb {options} {XEN_EFI}",
                    count, 0 if name == "modules" else count)
    return commands


@pytest.mark.parametrize("grub", GRUBS)
def test_many(boot, grub):
    """However many, in whichever spelling: all arrive, in their order, and what is on GRUB's heap stays whole."""
    commands = many()
    scripts = {f"{count}.cfg": script({name: command for name, (command, number, _) in commands.items()
                                       if number == count}) for count in COUNTS}
    machine = boot(files={
        **scripts, **{f"numbered{count}.dtb": tree for count, tree in NUMBERED.items()},
        **{f"cpus{number}.dtbo": overlay(('target-path = "/chosen/DomA"', f"cpus = <{number + 5}>;"))
           for number in range(3)},
    }, grub=grub)
    machine.prompt()
    told = {name: result for each in scripts for name, result in machine.run_all(f"/{each}").items()}
    assert list(told) == list(commands)
    for name, (text, status) in told.items():
        _, modules, overlays = commands[name]
        found = findings(text)
        # All but the last key are of no use, and not all of that is told.
        more = [int(number) for number in re.findall(r"\[key-unused\] and (\d+) more", "\n".join(found))]
        assert status == 0 and len(found) - len(more) + sum(more) == modules - 1, f"{name}: {text}"
        assert all("[key-unused]" in line for line in found), f"{name}: {text}"
        assert re.search(r"DomA: kernel \(\S+\)/vmlinuz,", text), f"{name}: {text}"
        assert f"{5 + (overlays - 1) % 3 if overlays else 2} vCPU" in text, f"{name}: {text}"

    # And a load by many boots.
    for number in range(3):
        text, status = machine.run("xen_dom0less --dtb /two.dtb " + "--module=K=/a.img " * 20 + XEN_EFI)
        assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))


@pytest.mark.parametrize("grub", GRUBS)
def test_words(boot, grub):
    """What is wrong is an error, what stands behind XEN is Xen's, and GRUB's help and completion know the options."""
    machine = boot(grub=grub)
    machine.prompt()
    for options, error in {
            "--module": "missing mandatory option for `module'",
            "--overlay --dtb=/two.dtb": "missing mandatory option for `overlay'",
            "-mKEY=/a.img": "missing mandatory option for `module'",
            "-m": "missing mandatory option for `module'",
            "--modules=/a.img": "unknown argument `--modules=/a.img'",
            "-x": "unknown argument `-x'",
            "--dry-run=1": "doesn't require an argument",
            "--module=KEY=/a.img": "XEN is missing"}.items():
        text, status = machine.run(f"xen_dom0less {options}")
        assert status != 0 and len(findings(text)) == 1 and error in findings(text)[0], f"{options}: {text}"
    text, status = machine.run("xen_dom0less --dry-run --dtb /two.dtb /xen.efi --dtb=/gone -m -o --module=K=/gone --x")
    assert status == 0 and "/gone" not in "".join(findings(text)), text

    for command in "help xen_dom0less", "xen_dom0less --help", "xen_dom0less -h":
        text, status = machine.run(command)
        assert status == 0, text
        words = " ".join(text.split())
        assert "Usage: xen_dom0less [OPTION]... XEN [XEN_ARGUMENT]... Load Xen and every domain" in words, text
        for option in ("-d, --dtb=FILE", "-o, --overlay=FILE", "-c, --config=FILE", "-s, --section=NAME",
                       "-m, --module=[KEY=]FILE", "-n, --dry-run", "-h, --help"):
            assert option in text, text
    text, _ = machine.run("xen_dom0less --usage")
    assert "Usage: xen_dom0less [OPTION]..." in text and "--dtb" not in text, text

    # GRUB itself completes no option of any command: it looks for a command that is called like the whole line.
    assert machine.complete("xen_dom0less --dtb /tw") == "xen_dom0less --dtb /two.dtb "
    assert machine.complete("xen_dom0less /tw") == "xen_dom0less /two.dtb "
