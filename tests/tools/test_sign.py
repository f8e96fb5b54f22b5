"""grub-dom0less-sign: what it signs, leaves alone and refuses. That the result boots, and nothing else, is
tests/boot/test_sign.py's."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import IMAGE
from keys import SNAKEOIL, Keys
from paths import need, some_xen, xen_image
from tree import chosen, compile_dts, domain

BASE = """/dts-v1/;
/ { #address-cells = <2>; #size-cells = <2>;
    cpus { #address-cells = <1>; #size-cells = <0>; cpu@0 { device_type = "cpu"; reg = <0>; }; };
    memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x40000000>; };
    uart { compatible = "arm,pl011"; };
    chosen { stdout-path = "/uart"; }; };
"""
CONFIG = """# superusers are the image's
insmod fat
insmod no_such_module
if true; then lsefimmap; fi
menuentry 'Xen' --class xen {
  xen_dom0less --dtb /one.dtb /xen.efi
}
submenu "more" {
  menuentry "of many \\
    lines" --users root {
    fwsetup
  }
}
"""
HASH = "grub.pbkdf2.sha512.100.AB.CD"
READ = ["a.img", "one.dtb", "vmlinuz", "xen.efi"]


def tree(node):
    """A small machine's tree with this domain."""
    return compile_dts((BASE + chosen(node)).encode())


@pytest.fixture(scope="module")
def keys():
    with Keys() as made:
        yield made


@pytest.fixture
def folder(put):
    """A boot file system with one domain."""
    return put({"vmlinuz": IMAGE, "a.img": b"a", "one.dtb": tree(domain("DomA", ramdisk="a.img")),
                "xen.efi": xen_image(some_xen()).read_bytes(),
                "other": b"of no domain"})


@pytest.fixture
def sign(grub, keys, folder, tmp_path):
    """sign(OPTION..., dtb=NAME) runs grub-dom0less-sign, which signs for GRUB, and checks that $TMPDIR is left empty.
    An option that is given counts, and not the one of this fixture."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()

    def run(*options, dtb="one.dtb"):
        done = subprocess.run([grub / "bin/grub-dom0less-sign", f"--gpg-home={keys.folder}", "--gpg-key=ours",
                               f"--xen={folder}/xen.efi", *options, folder / dtb],
                              capture_output=True, text=True, env={**os.environ, "TMPDIR": f"{scratch}"})
        assert not list(scratch.iterdir()) and not list(tmp_path.rglob(".grub-dom0less-sign.*"))
        return done
    return run


@pytest.fixture
def image_options(keys, tmp_path):
    """Options that make an image, signed, as tmp_path/grub.efi."""
    need("sbsigntool")
    (tmp_path / "grub.cfg").write_text(CONFIG)
    return [f"--output={tmp_path}/grub.efi", f"--grub-config={tmp_path}/grub.cfg",
            f"--sb-key={keys.folder}/firmware.key", f"--sb-cert={SNAKEOIL}.pem"]


def dates(folder):
    """When each file was written."""
    return {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def changed(before, folder):
    """The names of the files that were written since `before`."""
    now = dates(folder)
    assert before.keys() <= now.keys()
    return sorted(file.name for file in now if now[file] != before.get(file))


def is_signed(keys, file):
    """Whether the file's signature is by our key."""
    return subprocess.run(["gpgv", "--keyring", keys.public, f"{file}.sig", file], capture_output=True).returncode == 0


def secrets(keys):
    """Bytes that only the private keys have."""
    private = subprocess.run(["gpg", "--homedir", keys.folder, "--batch", "--export-secret-keys", "ours"],
                             capture_output=True, check=True).stdout
    # The secret numbers come behind the public exponent, 65537.
    behind = private.index(b"\0\x11\1\0\1") + 5
    lines = (keys.folder / "firmware.key").read_bytes().splitlines()
    return [private[behind + 3:behind + 103], lines[len(lines) // 2]]


def test_first_time(sign, keys, folder, tmp_path):
    """Every file of the boot is signed, and no other."""
    done = sign()
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [f"signed for GRUB: {folder}/{name}" for name in READ]
    assert sorted(file.stem for file in folder.glob("*.sig")) == READ
    assert all(is_signed(keys, folder / name) for name in READ)
    assert (folder / "xen.efi").read_bytes() == xen_image(some_xen()).read_bytes()


def test_again(sign, keys, folder, tmp_path, image_options):
    """A second time nothing is written; and then only what changed."""
    xen_date = dates(folder)[folder / "xen.efi"]
    (folder / "xen.efi").chmod(0o640)
    done = sign(*image_options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == f"signed for the firmware: {folder}/xen.efi"
    assert done.stdout.splitlines()[-1] == f"made: {tmp_path}/grub.efi"
    assert (folder / "xen.efi").stat().st_mode & 0o777 == 0o640 and dates(folder)[folder / "xen.efi"] > xen_date
    for signed in folder / "xen.efi", tmp_path / "grub.efi":
        subprocess.run(["sbverify", "--cert", f"{SNAKEOIL}.pem", signed], check=True, capture_output=True)
    assert is_signed(keys, folder / "xen.efi")

    before = dates(tmp_path)
    done = sign(*image_options)
    assert (done.returncode, done.stdout, done.stderr, changed(before, tmp_path)) == (0, "", "", [])

    with (folder / "vmlinuz").open("ab") as kernel:
        kernel.write(b"more")
    before = dates(tmp_path)
    assert sign(*image_options).returncode == 0
    assert changed(before, tmp_path) == ["vmlinuz.sig"] and is_signed(keys, folder / "vmlinuz")

    (tmp_path / "grub.cfg").write_text(CONFIG + "true\n")
    before = dates(tmp_path)
    assert sign(*image_options).returncode == 0 and changed(before, tmp_path) == ["grub.efi"]


@pytest.mark.parametrize("wrong", ["foreign", "ascii", "old hash", "text", "other file"])
def test_signed_otherwise(sign, keys, folder, wrong):
    """A signature that GRUB would not accept is replaced, and only that one."""
    assert sign().returncode == 0
    kernel, signature = folder / "vmlinuz", folder / "vmlinuz.sig"
    if wrong == "other file":
        signature.write_bytes((folder / "a.img.sig").read_bytes())
    else:
        signature.unlink()
        options = {"foreign": ["--local-user=theirs"], "ascii": ["--armor"], "old hash": ["--digest-algo=RIPEMD160"],
                   "text": ["--textmode"]}
        subprocess.run(["gpg", "--homedir", keys.folder, "--batch", "--quiet", "--local-user=ours", *options[wrong],
                        f"--output={signature}", "--detach-sign", kernel], check=True)
    before = dates(folder)
    done = sign()
    assert (done.returncode, done.stdout) == (0, f"signed for GRUB: {kernel}\n")
    assert changed(before, folder) == ["vmlinuz.sig"] and is_signed(keys, kernel)


def test_also(sign, keys, folder):
    """Other files are signed when they are named."""
    assert sign(f"--also={folder}/other").returncode == 0 and is_signed(keys, folder / "other")


def test_image(sign, grub, keys, tmp_path, image_options):
    """The image holds the public key, the locks, the configuration with its entries free to boot, and the modules that
    the configuration wants."""
    assert sign(*image_options, "--superuser=operator", f"--password-hash={HASH}", "--modules=tpm").returncode == 0
    image = (tmp_path / "grub.efi").read_bytes()
    public = subprocess.run(["gpg", "--homedir", keys.folder, "--export-options=export-minimal", "--export", "ours"],
                            capture_output=True, check=True).stdout
    assert public in image and b"sbat,1," in image
    assert (f"set check_signatures=enforce\nset superusers=operator\nexport superusers\n"
            f"password_pbkdf2 operator {HASH}\nnormal (memdisk)/boot/grub/grub.cfg\n").encode() in image
    free = CONFIG.replace("menuentry 'Xen'", "menuentry --unrestricted 'Xen'")
    assert free.replace("submenu ", "submenu --unrestricted ").encode() in image
    modules = grub / "lib/grub/arm64-efi"
    assert all((modules / f"{name}.mod").read_bytes() in image for name in ("lsefimmap", "efifwsetup", "tpm", "pgp"))
    assert (modules / "hexdump.mod").read_bytes() not in image

    # Nobody can log in.
    assert sign(*image_options).returncode == 0
    image = (tmp_path / "grub.efi").read_bytes()
    assert b"set superusers=nobody\nexport superusers\n\nnormal" in image and b"password_pbkdf2 operator" not in image


def test_link(sign, folder, image_options):
    """Where Xen's name is a link, it stays one, and what it leads to is signed. GRUB asks for the link's signature."""
    (folder / "xen.efi").rename(folder / "xen-4.17")
    (folder / "xen.efi").symlink_to("xen-4.17")
    assert sign(*image_options).returncode == 0
    assert os.readlink(folder / "xen.efi") == "xen-4.17" and (folder / "xen.efi.sig").exists()
    subprocess.run(["sbverify", "--cert", f"{SNAKEOIL}.pem", folder / "xen-4.17"], check=True, capture_output=True)


def test_links_in_the_way(sign, keys, folder, tmp_path, image_options):
    """Nothing is written through a link that lies where a signature or the image goes, or where a file would lie until it
    is complete."""
    (tmp_path / "victim").write_bytes(b"precious")
    for name in "vmlinuz.sig", "vmlinuz.sig.unfinished", "xen.efi.unfinished", "a.img.sig":
        (folder / name).symlink_to(tmp_path / "victim")
    (tmp_path / "grub.efi.unfinished").symlink_to("victim")
    done = sign(*image_options)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "victim").read_bytes() == b"precious"
    for name in "vmlinuz", "a.img":
        assert is_signed(keys, folder / name) and not (folder / f"{name}.sig").is_symlink()


def test_signature_is_a_folder(sign, folder):
    """A folder where a signature goes is an error, and gets nothing put into it."""
    (folder / "vmlinuz.sig").mkdir()
    done = sign()
    assert done.returncode == 1 and "vmlinuz.sig: is a folder" in done.stderr and not list((folder / "vmlinuz.sig").iterdir())


@pytest.mark.parametrize("name", ["/../outside", "/link/outside", "a.img\\n/etc/passwd", "/fifo", "/far"])
def test_outside(sign, folder, tmp_path, name):
    """No name in a tree has anything signed outside of the boot file system, or something else than GRUB will read."""
    (tmp_path / "outside").write_bytes(b"other")
    (folder / "link").symlink_to("..")
    (folder / "far").symlink_to("/etc/passwd")
    (folder / "etc").mkdir()
    (folder / "etc/passwd").write_bytes(b"of the machine")
    os.mkfifo(folder / "fifo")
    (folder / "one.dtb").write_bytes(tree(domain("DomA", ramdisk=name)))
    before = dates(tmp_path)
    done = sign()
    assert done.returncode == 1 and "nothing was signed" in done.stderr, done.stderr
    assert changed(before, tmp_path) == []


@pytest.mark.parametrize("status", [2, 3, 127, 139])
def test_unknown_status(grub, keys, folder, tmp_path, status):
    """However the checker ends but well, nothing is signed."""
    program = (grub / "bin/grub-dom0less-sign").read_text()
    (tmp_path / "sign").write_text(program.replace("check=$bindir/grub-dom0less-check", f"check={tmp_path}/check"))
    (tmp_path / "check").write_text(f"#!/bin/sh\necho {folder}/a.img\nexit {status}\n")
    (tmp_path / "check").chmod(0o755)
    before = dates(folder)
    done = subprocess.run(["sh", tmp_path / "sign", f"--gpg-home={keys.folder}", "--gpg-key=ours",
                           f"--xen={folder}/xen.efi", folder / "one.dtb"], capture_output=True, text=True)
    refuse(done, "nothing was signed")
    assert changed(before, folder) == []


def test_image_for_any_firmware(sign, folder, tmp_path, image_options):
    """Without the firmware's key neither Xen nor the image has a signature inside; that too is made once."""
    assert sign(*image_options[:2]).returncode == 0
    assert (folder / "xen.efi").read_bytes() == xen_image(some_xen()).read_bytes()
    before = dates(tmp_path)
    assert sign(*image_options[:2]).returncode == 0 and changed(before, tmp_path) == []
    assert sign(*image_options).returncode == 0
    assert changed(before, tmp_path) == ["grub.efi", "xen.efi", "xen.efi.sig"]


def test_no_private_key(sign, keys, folder, tmp_path, image_options):
    """No file that is written has anything of a private key."""
    assert sign(*image_options).returncode == 0
    held = [file for file in [*keys.folder.rglob("*"), *tmp_path.rglob("*")] if file.is_file()]
    for secret in secrets(keys):
        holders = [file for file in held if secret in file.read_bytes()]
        assert not any(tmp_path in file.parents for file in holders)
    assert keys.folder / "firmware.key" in holders
    assert not any(b"PRIVATE KEY" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def refuse(done, *words, status=1):
    assert done.returncode == status and all(word in done.stderr for word in words), done.stderr
    assert done.stdout == ""


def test_refused(sign, keys, folder, tmp_path, image_options):
    """What cannot be signed, or would not boot, is an error that names it, and nothing is written."""
    firmware = image_options[2:]
    (tmp_path / "not-a-key").write_text("no key\n")
    (tmp_path / "bad.cfg").write_text("menuentry {\n")
    (tmp_path / "unlocked.cfg").write_text("set superusers=\n")
    loaded = domain("DomA").replace('uefi,binary = "vmlinuz";', "reg = <0 0x50000000 0 0x1000>;")
    (folder / "broken.dtb").write_bytes(tree(domain("DomA").replace("cpus = <1>;", "")))
    (folder / "missing.dtb").write_bytes(tree(domain("DomA", ramdisk="none.img")))
    (folder / "loaded.dtb").write_bytes(tree(loaded))
    before = dates(tmp_path)

    refuse(sign("--gpg-key=somebody"), "somebody", "no such key")
    refuse(sign("--gpg-key=r"), "one of several keys")
    refuse(sign(f"--gpg-home={tmp_path}/nowhere"), "ours")
    refuse(sign(*firmware, f"--sb-key={tmp_path}/nowhere"), f"{tmp_path}/nowhere: ")
    refuse(sign(*firmware, f"--sb-key={tmp_path}/not-a-key"), f"{folder}/xen.efi: sbsign")
    refuse(sign(dtb="broken.dtb"), "[cpus-impossible]", "nothing was signed")
    refuse(sign(dtb="missing.dtb"), "none.img", "nothing was signed")
    refuse(sign(dtb="loaded.dtb"), "[reg-unverified]", "nothing was signed")
    refuse(sign(dtb="no.dtb"), "no.dtb")
    refuse(sign(f"--xen={folder}/no.efi"), "no.efi")
    refuse(sign(f"--also={folder}/none"), f"{folder}/none: cannot be read")
    refuse(sign("--also=/dev/zero"), "/dev/zero: cannot be read")
    refuse(sign(*image_options, f"--output={tmp_path}/nowhere/grub.efi"), f"{tmp_path}/nowhere/grub.efi: ")
    refuse(sign(*image_options, f"--grub-config={tmp_path}/bad.cfg"), f"{tmp_path}/bad.cfg: ")
    refuse(sign(*image_options, f"--grub-config={tmp_path}/unlocked.cfg"), f"{tmp_path}/unlocked.cfg: ", "superusers")
    refuse(sign(*image_options, "--modules=nonsense"), "nonsense", f"{tmp_path}/grub.efi: ")
    assert changed(before, tmp_path) == []


def test_other_certificate(sign, folder, tmp_path, image_options):
    """A certificate that is not the key's is refused, and Xen stays as it is."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1",
                    "-keyout", "/dev/null", "-out", tmp_path / "other.pem"], check=True, capture_output=True)
    before = dates(folder)
    refuse(sign(*image_options, f"--sb-cert={tmp_path}/other.pem"), f"{folder}/xen.efi: ")
    assert changed(before, folder) == []


def test_algorithm(sign, keys):
    """GRUB knows no elliptic curves."""
    subprocess.run(["gpg", "--homedir", keys.folder, "--batch", "--quiet", "--passphrase", "",
                    "--quick-gen-key", "curve", "ed25519", "sign", "never"], check=True)
    refuse(sign("--gpg-key=curve"), "curve: ", "RSA")


def test_missing_program(grub, keys, folder, tmp_path):
    """What is not installed is named, with the package, before anything is done."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in "gpg", "gpgv":
        for other in "sh", "dirname", "mktemp", "rm", "cat", "gpg", "gpgv":
            link = programs / other
            link.unlink(missing_ok=True)
            if other != name:
                link.symlink_to(shutil.which(other))
        done = subprocess.run([grub / "bin/grub-dom0less-sign", "--gpg-key=ours", f"--xen={folder}/xen.efi", folder / "one.dtb"],
                              capture_output=True, text=True, env={"PATH": f"{programs}"})
        assert done.returncode == 1 and f"there is no program {name}; install " in done.stderr, done
    assert not list(folder.rglob("*.sig"))


def test_usage(grub, sign, image_options):
    """A wrong command line ends with 64; --help with 0."""
    for options, words in [
        (["--nonsense=1"], "--nonsense"), (["--output=x"], "--grub-config"), (image_options[1:2], "--output"),
        (["--sb-key=x"], "--sb-cert"), (["--superuser=x", *image_options], "--password-hash"),
        (["--superuser=a b", f"--password-hash={HASH}", *image_options], "--superuser"),
        (["--superuser=x", "--password-hash=secret", *image_options], "--password-hash"),
        (["--gpg-key="], "--gpg-key"),
        (["--root=/nonexistent"], "/nonexistent"),
        (["--also=a\nb"], "--also"),
    ]:
        refuse(sign(*options), words, status=64)
    program = grub / "bin/grub-dom0less-sign"
    for arguments, words in [([], "--gpg-key"), (["--gpg-key=x"], "--xen"), (["--xen"], "--xen")]:
        done = subprocess.run([program, *arguments], capture_output=True, text=True)
        assert done.returncode == 64 and words in done.stderr
    done = subprocess.run([program, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and set(re.findall(r"--[a-z-]+", done.stdout)) >= {"--gpg-key", "--output", "--help"}
