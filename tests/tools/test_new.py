"""grub-dom0less-new: what it writes boots, as far as grub-dom0less-check can tell, and mistakes are named."""

import re
import subprocess

import pytest

from conftest import IMAGE
from test_check import BASE
from tree import compile_dts

FILES = {"vmlinuz": IMAGE, "a.img": b"a", "b c.img": b"b", "xen.efi": b"no Xen to learn from", "base.dtb": compile_dts(BASE.encode())}
ONE = "--domain=name=DomA,kernel=vmlinuz,ramdisk=a.img"


@pytest.fixture
def new(grub, put):
    """new(OPTION...) runs it in a folder with FILES. Returns (what subprocess.run does, the folder)."""
    folder = put(FILES)

    def run(*options):
        return subprocess.run([grub / "bin/grub-dom0less-new", *options], cwd=folder, capture_output=True, text=True), folder
    return run


def test_all_of_it(new, check):
    """Every key. The check finds nothing, and the domains are as they were described; the entry is GRUB's."""
    done, folder = new("--domain=name=DomA,kernel=vmlinuz,ramdisk=a.img,memory=0128M,cpus=2,bootargs=console=ttyAMA0,115200 \"x\"",
                       "--domain=name=vm-b.1,kernel=vmlinuz,ramdisk=b c.img,memory=131072K,static=0x50000000,direct,console=no",
                       "--domain=name=DomC,kernel=vmlinuz,memory=134217728",
                       "--dom0=kernel=vmlinuz,ramdisk=a.img,bootargs=console=hvc0",
                       "--shared=id=ring,size=1M,guest=0x5c000000,host=0x5c000000,domains=vm-b.1,owner=vm-b.1",
                       "--shared=id=heap,size=64K,guest=0x30000000,domains=DomA+DomC",
                       "--xen=xen.efi", "--xen-args=console=dtuart dom0_mem=128M", "--prefix=/", "--output=all")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("written: all.dts, all.dtbo, all.cfg; ")
    said = check("--xen", folder / "xen.efi", "--overlay", folder / "all.dtbo", "--json", folder / "base.dtb")
    assert said.returncode == 0, said.stdout
    menu = check("--root", folder, "--grub-cfg", folder / "all.cfg")
    # On a machine with another tree there is none to apply it to here.
    assert 'Xen with dom0, DomA, vm-b.1, DomC:' in menu.stdout and menu.stdout.endswith("\n1 xen_dom0less command\n")
    source = (folder / "all.dts").read_text()
    assert source.count("memory = <0x0 0x20000>;") == 3 and source.count("vpl011;") == 2
    assert 'bootargs = "console=ttyAMA0,115200 \\"x\\"";' in source
    assert re.findall(r'role = "(\w+)"', source) == ["owner"]
    assert compile_dts(source.encode()) == (folder / "all.dtbo").read_bytes()


def test_defaults(new, check):
    done, folder = new(ONE)
    assert done.returncode == 0
    said = check("--xen", folder / "xen.efi", "--overlay", folder / "domains.dtbo", folder / "base.dtb")
    assert said.returncode == 0 and "DomA (d1): 1 vCPU, 256 MiB (262144 KiB)\n" in said.stdout


@pytest.mark.parametrize("options, words", [
    ([], "--domain is missing"), (["--nonsense=1"], "there is no such option"), (["--domain"], "its value is missing"),
    ([ONE, "word"], "there are options only"), ([ONE, ONE], "there are two of the name DomA"),
    (["--domain=kernel=k"], "'' is no name"), (["--domain=name=a b,kernel=k"], "'a b' is no name"),
    (["--domain=name=A"], "A has no kernel"), ([f"{ONE},colour=red"], "there is no key 'colour'"),
    ([f"{ONE},memory=12Q"], "12Q is no size"), ([f"{ONE},memory="], "memory has no value"), ([f"{ONE},memory=1000"], "no whole KiB"),
    ([f"{ONE},cpus=0"], "cpus is a number"), ([f"{ONE},static=here"], "here is no address"), ([f"{ONE},direct"], "direct needs static"),
    ([f"{ONE},console=maybe"], "console is yes or no"), ([ONE, "--dom0=ramdisk=x"], "kernel is missing"),
    ([ONE, "--shared=id=x,size=1M,guest=0x1,domains=DomB"], "there is no domain DomB"),
    ([ONE, "--shared=id=x,guest=0x1,domains=DomA"], "no size"), ([ONE, "--prefix=boot"], "begin with /"),
    ([ONE, "--xen-args=a\nb"], "has a line break"), ([f"--domain=name={'x' * 41},kernel=k"], "at most 40"),
])
def test_usage(new, words, options):
    """A wrong option ends with 64, says why, and leaves nothing."""
    done, folder = new(*options)
    assert done.returncode == 64 and words in done.stderr and done.stdout == "", done
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)


def test_quotes(new, grub):
    """Names are words for GRUB and strings for dtc, whatever is in them."""
    done, folder = new("--domain=name=A,kernel=it's \"k\" \\ $x", "--prefix=/boot/it's", "--xen=xen's.efi")
    assert done.returncode == 0, done.stderr
    assert r'uefi,binary = "it\'s \"k\" \\ $x";'.replace("\\'", "'") in (folder / "domains.dts").read_text()
    checked = subprocess.run([grub / "bin/grub-script-check", folder / "domains.cfg"], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
