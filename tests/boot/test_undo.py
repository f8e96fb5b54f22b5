"""Nothing is left behind: the firmware's memory map is the same, by type, after loading twice, loading something else,
an error at each step and dry runs. GRUB's heap keeps what it grew, so rounds are compared from the second on."""

from collections import Counter

from disk import make_core
from machine import findings, script
from paths import grub_dir, some_grub, static_xen
from prompt import read_memory_map
from tree import chosen, domain, make_dtb
from two import LOAD_TWO, TWO, check_two

GRUB = some_grub()


def load(tree, more="", xen="xen.efi"):
    return LOAD_TWO.replace("/two.dtb", f"/{tree}.dtb {more}".rstrip()).replace("xen.efi", xen)


# What is done again and again: {its name: [(command, what its error says or None)]}.
ROUNDS = {
    "loading twice, then another tree, then another loader": [
        (LOAD_TWO, None), (LOAD_TWO, None), (load("heap"), None), ("linux /xen.efi", None), (LOAD_TWO, None),
        ("chainloader /returns.efi", None)],
    "dry runs, over something loaded too": [
        (load("two", "--dry-run"), None), (LOAD_TWO, None), (load("heap", "--dry-run"), None)],
    "errors on the way to the plan": [
        (load("gone"), "gone.dtb"), (load("cut"), "[tree-malformed]"), (load("two", xen="gone.efi"), "gone.efi"),
        (load("two", "--overlay /cut.dtb"), "[tree-malformed]"), (load("two", "--config /gone.cfg"), "gone.cfg"),
        (load("index"), "[index-unknown]"), (load("twice"), "[two-of-a-kind]")],
    "errors on the way into memory": [
        (load("last"), "[file-missing]"), (load("used"), "[address-in-use]"), (load("tight"), "[file-too-big]"),
        (load("elf"), "[kernel-format]"), (load("two", xen="a.img"), "a.img"), (load("big"), "[tree-too-big]")],
    "starting what comes back": [(f"{load('two', xen='returns.efi')}; boot", "returns.efi")],
}

TURNS = 4
POOL = {"BS-data", "conv-mem"}
KERNEL = 'uefi,binary = "vmlinuz";'


def by_type(text):
    """How much memory there is of each type, by what lsefimmap has printed."""
    found = Counter()
    for kind, start, end in read_memory_map(text):
        found[kind] += end - start
    return found


def all_rounds():
    """Each round a few times, and what becomes of memory: {name: command}."""
    commands = {}
    for number, steps in enumerate(ROUNDS.values()):
        for turn in range(TURNS):
            for step, (command, _) in enumerate(steps):
                commands[f"{number}-{turn}-{step}"] = command
            # A command that is refused early leaves armed what was before; this one never does.
            commands[f"{number}-{turn}-last"] = load("last")
            commands[f"{number}-{turn}-map"] = "lsefimmap"
    return commands


def test_memory(boot):
    """On EDK2, which counts what it gives: U-Boot loses some by itself."""
    a, b = domain("DomA", ramdisk="a.img"), domain("DomB", ramdisk="b.img")
    # In the middle of RAM, where the claims are pieces of the largest free one.
    heap = "xen,static-heap = <0 0x80000000 0 0x20000000>;"
    place = "reg = <0 {:#x} {:#x}>; " + KERNEL
    machine = boot(files={
        "heap.dtb": make_dtb(chosen(heap, a, b)),
        "cut.dtb": make_dtb(TWO)[:1000],
        "index.dtb": make_dtb(chosen(a, b.replace(KERNEL, "mb-index = <0>;"))),
        "twice.dtb": make_dtb(chosen(a.replace("ramdisk\"", "kernel\""))),
        "last.dtb": make_dtb(chosen(heap, a, domain("DomB", ramdisk="gone.img"))),
        "used.dtb": make_dtb(chosen(heap, a, b.replace(KERNEL, place.format(0, 1 << 26)))),
        "tight.dtb": make_dtb(chosen(heap, a, b.replace(KERNEL, place.format(0x60000000, 4096)))),
        "elf.dtb": make_dtb(chosen(heap, a, domain("DomB", kernel="elf"))),
        "big.dtb": make_dtb(chosen(f"blob = [{'00' * (2 << 20)}];", a)),
        "elf": b"\x7fELF" + bytes(100),
        "returns.efi": make_core(grub_dir(GRUB), ["minicmd"], "exit\n"),
        "all.cfg": script(all_rounds()),
    }, grub=GRUB, xen=static_xen())
    machine.prompt()

    results = machine.run_all("/all.cfg")
    assert set(results) == set(all_rounds())
    for number, (name, steps) in enumerate(ROUNDS.items()):
        maps = []
        for turn in range(TURNS):
            for step, (command, error) in enumerate(steps):
                text, status = results[f"{number}-{turn}-{step}"]
                errors = findings(text)
                if error:
                    assert status != 0 and errors and error in errors[-1], f"{command}: {text}"
                else:
                    assert status == 0 and not errors, f"{command}: {text}"
            assert "[file-missing]" in results[f"{number}-{turn}-last"][0]
            maps.append(by_type(results[f"{number}-{turn}-map"][0]))
        # The firmware's own pool takes a page now and then, but what is lost each time is lost in every round.
        assert len({each["BS-data"] for each in maps[1:]}) < TURNS - 1, f"{name}: {maps}"
        for each in maps[2:]:
            assert not set(each - maps[1]) - POOL and not set(maps[1] - each) - POOL, f"{name}: {maps}"

    text, status = machine.run(LOAD_TWO)
    assert status == 0, text
    machine.send("boot")
    check_two(machine.domains("DomA", "DomB"))
