"""The layer for OpenEmbedded, the external tree for Buildroot and the recipes for CI, as far as can be seen without
bitbake, Buildroot and a CI server: what their files name exists, their parts of other languages are correct, and their
scripts do what they say. scripts/check-layers does by hand what the recipes would do."""
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import IMAGE
from paths import BUILD, ROOT, need

YOCTO, BUILDROOT, CI = ROOT / "yocto", ROOT / "buildroot", ROOT / "ci"
GRUB = YOCTO / "recipes-bsp/grub"

# A line that bitbake takes outside of functions: an assignment, a flag's, or a statement.
ASSIGNMENT = re.compile(r'^[A-Za-z_][\w${}.:/-]*(\[\w+\])? *(\?\?=|\?=|:=|\+=|=\+|\.=|=\.|=) *("([^"]|\\")*"|\'[^\']*\')$')
STATEMENT = re.compile(r"^(require|include|inherit|addtask|deltask) .+$")
FUNCTION = re.compile(r"^([a-z_]+(?::[a-z-]+)*)\(\) \{$")

# BSP files that are GRUB's recipes' own, and what OpenEmbedded's core has.
THEIRS = {"recipes-bsp/grub/grub2.inc"}


def recipes():
    found = [path for pattern in ("*.bb", "*.bbappend", "*.inc", "*.conf") for path in YOCTO.rglob(pattern)]
    assert len(found) >= 6
    return sorted(found)


def read(path):
    """The statements of a recipe, and its functions of shell by name."""
    statements, functions, lines = [], {}, path.read_text().splitlines()
    while lines:
        line = lines.pop(0)
        if line.startswith("#") or not line.strip():
            continue
        if match := FUNCTION.match(line):
            body = []
            while lines and lines[0] != "}":
                body.append(lines.pop(0))
            assert lines, f"{path}: {match[1]} has no end"
            lines.pop(0)
            functions[match[1]] = "\n".join(body)
            continue
        while line.endswith("\\"):
            assert lines, f"{path}: goes on after its end"
            line = line[:-1] + lines.pop(0)
        statements.append(line)
    return statements, functions


@pytest.mark.parametrize("path", recipes(), ids=lambda path: path.name)
def test_recipe(path):
    """Each line is one that bitbake knows, and the functions are shell."""
    statements, functions = read(path)
    for line in statements:
        assert ASSIGNMENT.match(line) or STATEMENT.match(line), f"{path.name}: {line}"
    for name, body in functions.items():
        # bitbake's variables are words to a shell, and spaces are not: tabs begin its lines.
        text = re.sub(r"\$\{[A-Z_]+\}", "/x", body)
        done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, f"{path.name}, {name}: {done.stderr}"
        assert all(line.startswith("\t") for line in body.splitlines() if line)


@pytest.mark.parametrize("line, is_good", [
    ('A = "b"', True), ('A:append:aarch64 = " b"', True), ('do_x[depends] += "a:do_b"', True), ("require a.inc", True),
    ('A = "b', False), ("A = b", False), ("requires a.inc", False), ('A == "b"', False)])
def test_grammar(line, is_good):
    """What is taken for a recipe's line here is not just anything."""
    assert bool(ASSIGNMENT.match(line) or STATEMENT.match(line)) == is_good


def test_required_files():
    """What is required is beside the file that wants it, or OpenEmbedded's."""
    wanted = [(path, line.split()[1]) for path in recipes() for line in read(path)[0] if line.startswith("require ")]
    assert len(wanted) >= 3
    for path, name in wanted:
        assert name in THEIRS or (path.parent / name).exists() or (YOCTO / name).exists(), f"{path.name}: {name}"


def test_layer_finds_all():
    """Each recipe is where layer.conf looks for recipes, and is for the version that the layer is for."""
    text = (YOCTO / "conf/layer.conf").read_text()
    patterns = re.findall(r"\$\{LAYERDIR\}/(\S*\*\S*?)[ \"\n]", text)
    assert len(patterns) == 3
    found = {path for pattern in patterns for path in YOCTO.glob(pattern)}
    assert found == {path for path in YOCTO.rglob("*") if path.suffix in (".bb", ".bbappend")}
    assert {path.name for path in GRUB.glob("grub*.bb*")} == {"grub-efi_2.12.bbappend", "grub-dom0less-tools_2.12.bb"}


def test_wic():
    """The image's kickstart is lines of options, and what it names is in the layer."""
    image = (YOCTO / "dynamic-layers/virtualization-layer/recipes-core/images/dom0less-example-image.bb").read_text()
    wks = YOCTO / "wic" / re.search(r'WKS_FILE = "(.*)"', image)[1]
    lines = [line for line in wks.read_text().splitlines() if line and not line.startswith("#")]
    words = {line.split()[0]: shlex.split(line) for line in lines}
    assert set(words) == {"part", "bootloader"}
    config = next(word.partition("=")[2] for word in words["bootloader"] if word.startswith("--configfile="))
    menu = (YOCTO / "wic" / config).read_text()
    # Each file that the menu names is put there by the image, and so is each that the domains name.
    placed = set(re.findall(r";(\S+)", re.search(r'IMAGE_EFI_BOOT_FILES = "(.*?)"', image, re.DOTALL)[1]))
    domains = (YOCTO / "recipes-bsp/dom0less-domains/dom0less-domains_1.0.bb").read_text()
    named = set(re.findall(r" /(\S+)", menu)) | set(re.findall(r"(?:kernel|ramdisk)=([\w.]+)", domains))
    assert named == placed


def test_example_is_sound(check, put, tmp_path):
    """The domains of the recipe make an overlay that is without an error on a machine that has room for it."""
    text = (YOCTO / "recipes-bsp/dom0less-domains/dom0less-domains_1.0.bb").read_text()
    domains = re.search(r'DOM0LESS_DOMAINS \?= "(.*?)"', text, re.DOTALL)[1].replace("\\", "").split()
    assert len(domains) == 2
    body = read(YOCTO / "recipes-bsp/dom0less-domains/dom0less-domains_1.0.bb")[1]["do_compile"]
    body = body.replace("${DOM0LESS_DOMAINS}", " ".join(domains)).replace("${B}", str(tmp_path))
    body = body.replace("${DOM0LESS_XEN_ARGS}", "console=dtuart")
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy(ROOT / "util/grub-dom0less-new", programs)
    subprocess.run(["sh", "-e", "-c", body], check=True, env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
    boot = put({"kernel": IMAGE, "initramfs": b"070701" + bytes(64), "domains.dtbo": (tmp_path / "domains.dtbo").read_bytes(),
                "xen.efi": "", "machine.dtb": machine_tree(),
                "grub.cfg": (YOCTO / "wic/dom0less-grub.cfg").read_text()})
    done = check("--overlay", boot / "domains.dtbo", "--root", boot, "--xen-args=console=dtuart", boot / "machine.dtb")
    assert done.returncode in (0, 1), done.stdout
    assert "DomA" in done.stdout and "DomB" in done.stdout


def machine_tree(domain=""):
    source = """/dts-v1/;
/ {
	#address-cells = <2>; #size-cells = <2>; compatible = "test";
	cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
	memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x80000000>; };
	uart@9000000 { compatible = "arm,pl011"; reg = <0 0x9000000 0 0x1000>; };
	chosen { stdout-path = "/uart@9000000"; %s };
};
""" % domain
    return subprocess.run(["dtc", "-q", "-O", "dtb"], input=source.encode(), stdout=subprocess.PIPE, check=True).stdout


def test_patches():
    """The recipes list the patches that there are, which are all but the manual's; Buildroot has as many."""
    need("grub-2.14-upstream", "grub-2.12")
    for script in "upstream-patch", "make-layers":
        done = subprocess.run([ROOT / "scripts" / script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    listed = re.findall(r"file://(\S+\.patch)", (GRUB / "grub-dom0less.inc").read_text())
    layer = BUILD / "layers/yocto/recipes-bsp/grub/files"
    series = sorted((BUILD / "upstream-patch/2.12").glob("*/000[1-9]-*.patch"))
    series = [path for path in series if "manual" not in path.parent.name]
    assert [path.read_bytes() for path in series] == [(layer / name).read_bytes() for name in listed]
    assert sorted(path.name for path in layer.iterdir()) == listed
    others = sorted((BUILD / "upstream-patch/2.14").glob("*/000[1-9]-*.patch"))
    others = [path for path in others if "manual" not in path.parent.name]
    mine = sorted((BUILD / "layers/buildroot/patches/grub2/2.14").glob("*.patch"))
    assert [path.read_bytes() for path in others] == [path.read_bytes() for path in mine]
    # All that a layer says of itself is in it.
    for folder in YOCTO, BUILDROOT:
        copied = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        made = BUILD / "layers" / folder.name
        assert copied <= {path.relative_to(made) for path in made.rglob("*")}


def test_buildroot_hook(tmp_path):
    """The hook runs GRUB's autogen.sh in the source folder, for the target's GRUB and for the host's."""
    (tmp_path / "autogen.sh").write_text('#!/bin/sh\necho "$PWD $FROM_BOOTSTRAP"\n')
    (tmp_path / "autogen.sh").chmod(0o755)
    make = f"BR_PATH = {os.environ['PATH']}\ninclude {BUILDROOT}/external.mk\n"
    for name in "GRUB2", "HOST_GRUB2":
        make += f"{tmp_path}/{name}:\n\t$(foreach hook,$({name}_PRE_CONFIGURE_HOOKS),$(call $(hook)))\n"
    # Buildroot's $(@D) is the source folder.
    (tmp_path / "Makefile").write_text(make)
    for name in "GRUB2", "HOST_GRUB2":
        done = subprocess.run(["make", "-s", "-f", tmp_path / "Makefile", tmp_path / name], capture_output=True, text=True)
        assert done.stdout == f"{tmp_path} 1\n", done.stderr


def test_buildroot_names():
    """Each option that is used is defined, or is Buildroot's own."""
    defined = set(re.findall(r"^config (\w+)", (BUILDROOT / "Config.in").read_text(), re.MULTILINE))
    theirs = {"BR2_GLOBAL_PATCH_DIR", "BR2_TARGET_GRUB2", "BR2_TARGET_GRUB2_ARM64_EFI", "BR2_ROOTFS_POST_IMAGE_SCRIPT",
              "BR2_TARGET_GRUB2_BUILTIN_MODULES_EFI", "BR2_EXTERNAL_DOM0LESS_PATH", "BR2_CONFIG"}
    used = set()
    for path in BUILDROOT.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            used |= set(re.findall(r"\bBR2_\w+", path.read_text()))
    assert used - theirs == defined
    assert "name: DOM0LESS\n" in (BUILDROOT / "external.desc").read_text()


MENU = 'menuentry "Xen" {\n\txen_dom0less --dtb /board.dtb /xen.efi console=dtuart\n}\n'


DOMAIN = """DomA {
	compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>; memory = <0 0x10000>; cpus = <1>; vpl011;
	m { compatible = "multiboot,kernel", "multiboot,module"; uefi,binary = "kernel"; };
};"""


def boot_folder(put, menu=MENU, with_kernel=True, at="grub/grub.cfg"):
    files = {at: menu, "board.dtb": machine_tree(DOMAIN), "xen.efi": "no Xen that says its version"}
    if with_kernel:
        files["kernel"] = IMAGE
    return put(files)


@pytest.mark.parametrize("what, status", [("good", 0), ("no kernel", 1), ("no menu", 2), ("no entry", 2), ("no tool", 2)])
def test_ci_script(grub, put, what, status):
    """What CI runs: 0 for a boot folder that is well, 1 where GRUB would refuse, 2 where nothing could be checked."""
    folder = boot_folder(put, "menuentry x {\n}\n" if what == "no entry" else MENU, what != "no kernel",
                         "grub/other.cfg" if what == "no menu" else "grub/grub.cfg")
    tool = "/nowhere" if what == "no tool" else str(grub / "bin/grub-dom0less-check")
    done = subprocess.run([CI / "check-boot", folder], env={**os.environ, "CHECK": tool}, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("[file-missing]" in done.stdout + done.stderr) == (what == "no kernel")


@pytest.mark.parametrize("with_kernel", [True, False])
def test_buildroot_script(grub, put, tmp_path, with_kernel):
    """The post-image script ends the build where GRUB would refuse to boot."""
    folder = boot_folder(put, with_kernel=with_kernel, at="EFI/BOOT/grub.cfg")
    config = tmp_path / "config"
    config.write_text(f'BR2_DOM0LESS_CHECK=y\nBR2_DOM0LESS_BOOT_FOLDER="{folder.name}"\nBR2_DOM0LESS_MACHINE_TREE=""\n')
    environment = {**os.environ, "BR2_CONFIG": str(config), "BINARIES_DIR": str(folder.parent), "HOST_DIR": str(grub)}
    done = subprocess.run([BUILDROOT / "check-boot-folder.sh"], env=environment, capture_output=True, text=True)
    assert done.returncode == (0 if with_kernel else 1), done.stdout + done.stderr
    # Who has not chosen it has nothing checked.
    config.write_text("# BR2_DOM0LESS_CHECK is not set\n")
    assert subprocess.run([BUILDROOT / "check-boot-folder.sh"], env=environment).returncode == 0


@pytest.mark.parametrize("name, job", [("github.yml", "check-boot"), ("gitlab.yml", "check-boot")])
def test_ci_recipe(name, job):
    """The recipe is YAML, its job waits for the image, and it runs the script that is here."""
    need("python3-yaml")
    import yaml
    recipe = yaml.safe_load((CI / name).read_text())
    job = recipe.get("jobs", recipe)[job]
    assert job["needs"] in ("image", ["image"])
    commands = [step["run"] for step in job["steps"] if "run" in step] if "steps" in job else job["script"]
    assert commands[-1].split()[0] == "ci/check-boot" and (CI / "check-boot").exists()
