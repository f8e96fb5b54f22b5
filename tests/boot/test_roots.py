"""A Debian whose root is a subvolume of btrfs or lies on LVM, as an installer makes it: Debian's own grub-install and
update-grub, with the real grub-probe, on a disk that User Mode Linux makes, with our packages. What they leave is
booted as it is, and the check on the installed system says what the boot does."""

import platform
import re
import subprocess

import pytest

from disk import put_file
from guest import kernel, ramdisk
from machine import Machine, findings
from paths import BUILD, GUEST, need, some_xen, xen_image
from tree import chosen, domain, make_dtb
from uml import disk_script, run_in_linux

MODEL = "linux,dummy-virt"
SETTINGS = """GRUB_TIMEOUT=-1
GRUB_TERMINAL=console
GRUB_DISABLE_RECOVERY=true
GRUB_DISABLE_SUBMENU=true
GRUB_CMDLINE_XEN=console=dtuart
"""

# $1 is the ESP and $2 the other partition. The root file system is mounted on /run/root. Of Debian, which lies in
# debian/, only /usr is not on it, because copying that takes a minute.
# GRUB 2.06 asks each partition for its geometry, which a loop device's has not, but not those of the device mapper.
PARTITIONS = """
export DM_DISABLE_UDEV=1
sfdisk -q --part-type $disk 1 uefi
for part in 1 2; do
  sys=/sys/block/${disk##*/}/${disk##*/}p$part
  dmsetup create part$part --table "0 $(cat $sys/size) linear $disk $(cat $sys/start)"
done
partx --delete $disk            # LVM would find itself twice
set -- /dev/mapper/part1 /dev/mapper/part2
"""
BTRFS = """
mkfs.btrfs -q $2
mount -t btrfs $2 /run/to
btrfs -q subvolume create /run/to/@
umount /run/to
mount -t btrfs -o subvol=@ $2 /run/root
"""
LVM = """
vgcreate -qq machine $2
lvcreate -qq -y -n root -L 96M machine
mkfs.ext4 -q /dev/machine/root
mount -t ext4 /dev/mapper/machine-root /run/root
"""
INSTALL = """
for name in bin lib lib64 sbin etc; do cp -a debian/$name /run/root; done
cp -a files/. /run/root
mkdir -p /run/root/usr /run/root/dev /run/root/proc /run/root/sys /run/root/tmp /run/root/boot/efi /run/root/boot/images
mv /run/root/boot/xen-4 /run/root/boot/images/xen
ln -s images/xen /run/root/boot/xen-4
mkdir -p /run/root/boot/grub
echo "(hd0) $disk" >/run/root/boot/grub/device.map
mount --bind debian/usr /run/root/usr
for name in dev proc sys; do mount --rbind /$name /run/root/$name; done
mkfs.fat $1 >/dev/null
mount -t vfat $1 /run/root/boot/efi
chroot /run/root grub-install --target=arm64-efi --efi-directory=/boot/efi --removable --no-nvram
chroot /run/root update-grub 2>&1 | tee said
cp /run/root/boot/grub/grub.cfg menu
chroot /run/root grub-dom0less-check --grub-cfg=/boot/grub/grub.cfg >verdict || echo "status $?" >>verdict
umount /run/root/boot/efi /run/root/usr
umount -R /run/root/dev /run/root/proc /run/root/sys
umount /run/root
"""
LEAVE_LVM = "vgchange -qq -an machine\n"


def install(folder, make, leave, top, wrong):
    """Make the disk, and return it: Debian with three trees, the first with names relative to Xen's folder, the second
    with such as GRUB has from its file system's `top` on, and the third with `wrong`, for which the user has an entry."""
    files = {"boot/xen-4": xen_image(some_xen()), "boot/vmlinuz": kernel(), "boot/a.img": ramdisk("a.img"),
             "etc/default/grub": SETTINGS,
             "etc/grub.d/40_custom": f"""#!/bin/sh
cat <<'END'
menuentry 'by hand' {{
    insmod xen_dom0less
    xen_dom0less --dtb '{top}/boot/dom0less/wrong.dtb' '{top}/boot/xen-4' console=dtuart
}}
END
"""}
    for name, before in ("relative", ""), ("right", f"{top}/boot/"), ("wrong", f"{wrong}/"):
        files[f"boot/dom0less/{name}.dtb"] = make_dtb(chosen(domain("DomA", kernel=f"{before}vmlinuz", ramdisk="a.img")))
    debian = folder / "debian"
    debian.mkdir()
    # As who runs this: UML's root is the host's, and what belongs to others could not be read.
    subprocess.run(["tar", "-xf", GUEST / "debian-2.06.tar", "-C", debian, "--exclude=./dev", "--no-same-owner"], check=True)
    for pattern in "grub-efi-arm64-dom0less_*+2.06+*_arm64.deb", "grub-dom0less-tools_*+2.06+*_amd64.deb":
        package, = (BUILD / "deb").glob(pattern)
        subprocess.run(["dpkg-deb", "--extract", package, debian], check=True)
    for name, content in files.items():
        put_file(folder / "files" / name, content)
    (folder / "files/etc/grub.d/40_custom").chmod(0o755)
    script = [disk_script("disk", "gpt", [16, 256]), PARTITIONS, "mkdir /run/root", make, INSTALL, leave]
    run_in_linux(folder, "\n".join(script))
    return folder / "disk"


@pytest.mark.parametrize("make, leave, top, wrong", [(BTRFS, "", "/@", "/boot"), (LVM, LEAVE_LVM, "", "/@/boot")],
                         ids=["btrfs", "lvm"])
def test_root(request, tmp_path, make, leave, top, wrong):
    """Every entry that is written boots; for the tree that is refused none is, and one by hand is refused by GRUB as well."""
    need("grub-2.06", "debhelper", "texinfo", "btrfs-progs", "lvm2")
    if platform.machine() != "x86_64":
        pytest.skip("a Debian of this machine's architecture has no GRUB for another")
    disk = install(tmp_path, make, leave, top, wrong)
    said, menu, verdict = ((tmp_path / name).read_text() for name in ("said", "menu", "verdict"))
    assert [title.split("'")[1] for title in menu.splitlines() if title.startswith("menuentry ")][:3] == [
        f"{MODEL} (relative), with Xen 4", f"{MODEL} (right), with Xen 4", "by hand"], said
    missing = f"cannot load {wrong}/vmlinuz: file `{wrong}/vmlinuz' not found"
    assert missing in said and "/boot/dom0less/wrong.dtb: no entry for Xen 4\n" in said
    relative, right, by_hand = re.split(r"^(?:linux.*|by hand):$", verdict, flags=re.MULTILINE)[1:]
    for found in relative, right:
        assert f"{top}/boot/vmlinuz\n" in found and "\n0 errors, 0 warnings\n" in found, verdict
    assert missing in by_hand and verdict.endswith("\nstatus 2\n"), verdict

    for number, refused in (0, False), (1, True):
        with Machine(disk, BUILD / f"boot/{request.node.name}-{number}.log") as machine:
            machine.menu()
            if refused:
                machine.select(2)
                machine.expect("Press any key to continue")
                finding, = findings(machine.text)
                assert re.fullmatch(rf"error: \[file-missing\] /chosen/DomA/module@1: cannot load \(.*\){wrong}/vmlinuz: "
                                    rf"file `{wrong}/vmlinuz' not found\.", finding)
                machine.press("\r")
                machine.menu()
            machine.select(number)
            assert machine.domains("DomA")["DomA"]["ramdisk"] == "a.img"
