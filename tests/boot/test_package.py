"""Our package's modules in Debian's own GRUB: its package's image and modules, as grub-install lays them out."""

import shutil
import subprocess

from disk import BOOTAA64_EFI, at_once
from paths import BUILD, GUEST, need
from two import LOAD_TWO, check_two

# Debian's image knows its own folder on the ESP. What grub-install leaves there finds /boot.
FIND_BOOT = """
search --set=root --file /two.dtb
set prefix=($root)/grub
configfile $prefix/grub.cfg
"""


def test_in_debians_grub(boot, tmp_path):
    """Two Linux domains, as in the demonstration."""
    need("grub-2.06", "debhelper", "texinfo")
    modules = tmp_path / "lib/grub/arm64-efi"
    shutil.copytree(GUEST / "grub-efi-2.06", modules, ignore=shutil.ignore_patterns("monolithic"))
    package, = (BUILD / "deb").glob("grub-efi-arm64-dom0less_*+2.06+*_arm64.deb")
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "package"], check=True)
    for module in (tmp_path / "package/usr/lib/grub/arm64-efi").iterdir():
        shutil.copy(module, modules)

    machine = boot(at_once("insmod xen_dom0less", LOAD_TWO), linux=True, grub=tmp_path, esp={
        BOOTAA64_EFI: GUEST / "grub-efi-2.06/monolithic/grubaa64.efi",
        "EFI/debian/grub.cfg": FIND_BOOT,
    })
    check_two(machine.domains("DomA", "DomB"), linux=True)
