"""Keys that sign files for GRUB and programs for the firmware, made for one test session."""

import subprocess
import tempfile
from pathlib import Path

from paths import need

# Debian's published test key, which AAVMF_VARS.snakeoil.fd has enrolled.
SNAKEOIL = Path("/usr/share/qemu-efi-aarch64/PkKek-1-snakeoil")
PASSPHRASE = "snakeoil"

# The first line is what the format prescribes, and GRUB 2.14 takes no file without it.
SBAT = """\
sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md
grub.tests,1,tests,grub,1,-
"""


class Keys:
    """GRUB's key, somebody else's, and the firmware's; they are gone with the `with` block."""

    def __init__(self):
        # Short, because gpg-agent's socket is there as well.
        self._scratch = tempfile.TemporaryDirectory(prefix="keys")
        self.folder = Path(self._scratch.name)
        self.public = self.folder / "public.gpg"
        for name in "ours", "theirs":
            self._gpg("--passphrase", "", "--quick-gen-key", name, "rsa2048", "sign", "never")
        self.public.write_bytes(self._gpg("--export", "ours"))
        self.sbat = self.folder / "sbat.csv"
        self.sbat.write_text(SBAT)
        _run("openssl", "rsa", "-in", f"{SNAKEOIL}.key", "-passin", f"pass:{PASSPHRASE}",
             "-out", self.folder / "firmware.key")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _run("gpgconf", "--homedir", self.folder, "--kill", "gpg-agent")
        self._scratch.cleanup()

    def _gpg(self, *arguments, **options):
        return _run("gpg", "--homedir", self.folder, "--batch", "--quiet", *arguments, **options)

    def sign(self, content, key="ours", digest="SHA256"):
        """A detached signature of `content` (bytes, text or the Path of a file)."""
        return self._gpg("--local-user", key, "--digest-algo", digest, "--detach-sign", input=read(content))

    def signed(self, files):
        """{name: content} with every file's signature beside it."""
        return files | {f"{name}.sig": self.sign(content) for name, content in files.items()}

    def sign_program(self, content):
        """An EFI program that the firmware starts."""
        need("sbsigntool")
        program = self.folder / "program.efi"
        program.write_bytes(read(content))
        _run("sbsign", "--key", self.folder / "firmware.key", "--cert", f"{SNAKEOIL}.pem", "--output", program, program)
        return program.read_bytes()


def read(content):
    """The bytes of a file on a disk, which may be given as text or as the Path of a file too."""
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content


def _run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
