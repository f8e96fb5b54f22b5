"""A GRUB in which things fail, and one in which no rule stops the loader: the modules of tests/faults, and copies of the
loader that call them.

A copy is the very xen_dom0less.mod that is shipped. Only names in its symbol table are others: where it says
grub_malloc, it now says fault_grub_malloc, and so for each function that the fault module has a fault_ for.
"""

import re
import shlex
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path

from paths import BUILD, ROOT, grub_dir

TOOLS = "aarch64-linux-gnu-"


def faulty_modules(grub, folder):
    """{name on the disk: module} for that version of GRUB, made in `folder`. insmod takes them in this order."""
    fault, loader = make_modules(grub, folder, "fault")
    return {"faulty/fault.mod": fault, "faulty/xen_dom0less.mod": loader}


def forced_modules(grub, folder):
    """The same with a loader that no rule stops and that claims nothing; see force."""
    force, loader = make_modules(grub, folder, "force")
    return {"forced/force.mod": force, "forced/xen_dom0less.mod": loader}


def force(machine):
    """At the prompt of a machine that has forced_modules: have that loader for xen_dom0less."""
    for module in "force", "xen_dom0less":
        assert machine.run(f"insmod /forced/{module}.mod") == ("", 0)


def mutated_loader(grub, folder, bug):
    """The loader with that bug of tests/mutations/list, made of what the build has left and of one other object."""
    bugs = SourceFileLoader("bugs", str(ROOT / "tests/mutations/run")).load_module()
    file, _, go, come = bugs.read_list()[bug]
    source, objects = Path(folder) / Path(file).name, grub_dir(grub).parent / "obj/grub-core"
    source.write_text(bugs.mutated((ROOT / file).read_text(), go, come))
    modules, compiled, loader = grub_dir(grub) / "lib/grub/arm64-efi", Path(folder) / "bug.o", Path(folder) / "bug.mod"
    run("gcc", *flags(grub, modules, folder, source), "-c", "-o", compiled, source)
    # What the module is made of, and not what else may be there.
    definition = re.search(r"^  name = xen_dom0less;$.*?^};", (ROOT / "grub-core/Makefile.core.def").read_text(),
                           re.MULTILINE | re.DOTALL)[0]
    listed = [Path(name) for name in re.findall(r"^  common = (.*)\.[cS];$", definition, re.MULTILINE)]
    others = [objects / name.parent / f"xen_dom0less_module-{name.name}.o" for name in listed if name.name != source.stem]
    run("ld", "-r", "-o", loader, compiled, *others)
    sections = ["modname", "moddeps"]
    run("objcopy", *[f"--dump-section=.{name}={folder}/{name}" for name in sections], modules / "xen_dom0less.mod",
        Path(folder) / "unused")
    run("objcopy", "--strip-unneeded", "-K", "grub_mod_init", "-K", "grub_mod_fini", "-R", ".comment",
        "-R", ".note.GNU-stack", *[f"--add-section=.{name}={Path(folder) / name}" for name in sections], loader)
    return loader


def make_modules(grub, folder, what):
    """Make tests/faults/xen_dom0less_`what`.c, and the loader that calls its `what`_ functions: two files."""
    modules = grub_dir(grub) / "lib/grub/arm64-efi"
    source = ROOT / f"tests/faults/xen_dom0less_{what}.c"
    compiled, fault, loader = (Path(folder) / name for name in (f"{what}.o", f"{what}.mod", "loader.mod"))
    run("gcc", *flags(grub, modules, folder, source), "-c", "-o", compiled, source)
    # As GRUB's build makes a module of an object: it needs its name, and those that it stands on, which are the loader's.
    (Path(folder) / "modname").write_text(f"xen_dom0less_{what}\0")
    run("objcopy", f"--dump-section=.moddeps={folder}/moddeps", modules / "xen_dom0less.mod", loader)
    run("objcopy", "--strip-unneeded", "-K", "grub_mod_init", "-K", "grub_mod_fini", "-R", ".comment",
        "-R", ".note.GNU-stack", *[f"--add-section=.{name}={Path(folder) / name}" for name in ("modname", "moddeps")],
        compiled, fault)
    names = re.findall(rf" T {what}_(grub_\w+)", run("nm", fault))
    # A name of ours that the loader does not call has been renamed.
    called = re.findall(r" U (\w+)", run("nm", modules / "xen_dom0less.mod"))
    assert names and {name for name in names if "dom0less" in name} <= set(called), names
    run("objcopy", *[f"--redefine-sym={name}={what}_{name}" for name in names], modules / "xen_dom0less.mod", loader)
    return fault, loader


def flags(grub, modules, folder, source):
    """What GRUB's build compiles its modules with, by its own record."""
    record = (modules / "modinfo.sh").read_text()
    tree = BUILD / "src" / f"grub-{grub}"
    include = Path(folder) / "include/grub"
    include.mkdir(parents=True)
    for link, target in ("cpu", "arm64"), ("machine", "arm64/efi"):
        (include / link).symlink_to(tree / "include/grub" / target)
    found = []
    for kind in "cflags", "cppflags":
        value = re.search(rf"^grub_target_{kind}='(.*)'$", record, re.MULTILINE)[1]
        found += shlex.split(value.replace("$(top_srcdir)", str(tree)).replace("$(top_builddir)", str(folder)))
    return [*found, "-ffreestanding", "-mcmodel=large", "-Werror", f'-DGRUB_FILE="{source.name}"',
            f"-I{modules}", f"-I{tree}/grub-core/lib/posix_wrap", *(f"-I{ROOT}/{inside}" for inside in (
                "include", "grub-core/loader/arm64", "grub-core/lib/xen_dom0less", "build/src/dtc/libfdt"))]


def run(tool, *arguments):
    done = subprocess.run([TOOLS + tool, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def call_sites(folder):
    """The return addresses of all calls that the loader makes to functions that can fail. Those from a function's very end,
    which come back to its caller, are not among them."""
    relocations = run("readelf", "-rW", Path(folder) / "loader.mod")
    found = re.findall(r"^([0-9a-f]+) .* R_AARCH64_CALL26 .* fault_(?!grub_efi_free_pages)", relocations, re.MULTILINE)
    assert found
    return {int(offset, 16) + 4 for offset in found}


def where(grub, addresses, *options):
    """The lines of the loader's source that these return addresses belong to; with "-f" their functions before them."""
    module = grub_dir(grub) / "lib/grub/arm64-efi/xen_dom0less.module"
    return run("addr2line", "-s", *options, "-e", module, *(hex(address - 4) for address in sorted(addresses))).split("\n")[:-1]
