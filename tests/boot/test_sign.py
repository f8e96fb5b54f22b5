"""What grub-dom0less-sign has signed boots where the firmware enforces Secure Boot. What it signs, and what it refuses,
is tests/tools/test_sign.py's."""

import subprocess

import pytest

from conftest import GRUBS
from disk import entry, put_file
from guest import kernel, ramdisk
from keys import SNAKEOIL, Keys, read
from machine import MENU, Died
from paths import ROOT, grub_dir, need, some_grub, some_xen, xen_image
from tree import make_dtb

RAMDISKS = {"DomA": "ramdisk-domA.img", "DomB": "ramdisk-domB.img"}
USER, PASSWORD = "operator", "secret"


@pytest.fixture
def keys():
    with Keys() as made:
        yield made


def hash_password(grub):
    """GRUB's hash of PASSWORD, in few rounds, because GRUB is emulated."""
    done = subprocess.run([grub / "bin/grub-mkpasswd-pbkdf2", "-c", "100"], input=f"{PASSWORD}\n{PASSWORD}\n",
                          capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def make_image(tmp_path, keys, version, config):
    """The demonstration's files in tmp_path/boot, signed, and the GRUB image for them, with this grub.cfg. Returns
    ({name: file}, image)."""
    need("sbsigntool")
    grub = grub_dir(version)
    folder = tmp_path / "boot"
    files = {"xen.efi": xen_image(some_xen()), "vmlinuz-guest": kernel("vmlinuz-guest"),
             **{name: ramdisk(name) for name in RAMDISKS.values()},
             "demo.dtb": make_dtb((ROOT / "demo/demo.dts").read_text())}
    for name, content in files.items():
        put_file(folder / name, read(content))
    (tmp_path / "grub.cfg").write_text(config)
    subprocess.run([grub / "bin/grub-dom0less-sign", f"--gpg-home={keys.folder}", "--gpg-key=ours",
                    f"--sb-key={keys.folder}/firmware.key", f"--sb-cert={SNAKEOIL}.pem", f"--xen={folder}/xen.efi",
                    "--xen-args=console=dtuart noreboot", f"--output={tmp_path}/grub.efi",
                    f"--grub-config={tmp_path}/grub.cfg", f"--superuser={USER}",
                    f"--password-hash={hash_password(grub)}", folder / "demo.dtb"], check=True)
    return {file.name: file for file in folder.iterdir()}, (tmp_path / "grub.efi").read_bytes()


@pytest.mark.parametrize("version", GRUBS)
def test_demonstration(boot, keys, tmp_path, version):
    """The demonstration, signed by the tool, boots both domains, without a password. Before that nobody gets at the
    console: not by an entry's text, the command line, or an entry that fails. Who has the password does."""
    config = ("search --file --set=root /demo.dtb\n"
              'echo "lockdown $lockdown, signatures $check_signatures"\n'
              + entry("unsigned", "xen_dom0less --dtb /grub/grub.cfg /xen.efi")
              + (ROOT / "demo/grub.cfg").read_text().replace("timeout=3", "timeout=-1"))
    files, image = make_image(tmp_path, keys, version, config)
    # The disk has unsigned files as well: a grub.cfg, and GRUB's modules.
    machine = boot("echo from the disk", files, grub=version, core=image, firmware="edk2-secure")
    machine.expect("lockdown y, signatures enforce")
    machine.menu()
    machine.select(0)
    machine.expect("grub.cfg.sig' not found")
    machine.menu()
    for key in "e", "c":
        machine.press(key)
        log_in(machine, "nobody", PASSWORD)
        machine.expect(MENU)
    machine.press("c")
    log_in(machine, USER, PASSWORD)
    machine.expect("grub> ")
    machine.press("\x1b")
    machine.expect(MENU)
    machine.select(1)
    found = machine.domains(*RAMDISKS)
    assert {name: found[name]["ramdisk"] for name in found} == RAMDISKS
    assert "from the disk" not in machine.text


def test_no_menu(boot, keys, tmp_path):
    """Where GRUB has no menu it asks for the password; and who leaves it gets no other prompt, but a reset."""
    files, image = make_image(tmp_path, keys, some_grub(), "true\n")
    machine = boot("", files, grub=some_grub(), core=image)
    log_in(machine, "nobody", PASSWORD)
    log_in(machine, USER, PASSWORD)
    machine.expect("grub> ")
    machine.send("normal_exit")
    with pytest.raises(Died, match="QEMU ended"):
        machine.expect("rescue> ", "grub> ")


def log_in(machine, user, password):
    machine.expect("Enter username: ")
    machine.press(f"{user}\r")
    machine.expect("Enter password: ")
    machine.press(f"{password}\r")
