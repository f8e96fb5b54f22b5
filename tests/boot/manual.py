r"""The manual's examples, and a root of their own to run them in.

Every @example of docs/*.texi and every .EX of docs/man has a comment in front that says how it is run:

    @c run: source FILE      the text of FILE, which the examples behind it use
    @c run: shell            lines that begin with `$ ' or `# ' are commands, the others what they print
    @c run: grub             the same with `grub> ', in GRUB
    @c run: menu             entries of a menu; with `menu boots' one that is started
    @c run: uboot            `=> ' and U-Boot; the last line starts Xen
    @c run: not here: WHY    nobody does

A line that ends with a backslash goes on in the next. In what is printed, `...' stands for anything, and numbers of
four digits and more, and those in hexadecimal, may be others. Where no output is shown, only success is asked for.

A path that begins with / is one below the root.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from guest import linux_ramdisk
from paths import GUEST, ROOT, grub_dir, some_grub
from tree import make_dtb

DOCS = ROOT / "docs"
GRUB = some_grub()
# What Linux's EFI stub adds to the tree that it shows in /sys/firmware/fdt.
LINUX = """/ { chosen { bootargs = "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda2 ro quiet";
                       linux,uefi-system-table = <0 0xbf7f0018>; linux,uefi-mmap-start = <0 0xbba94018>;
                       linux,uefi-mmap-size = <0x870>; linux,uefi-mmap-desc-size = <0x30>;
                       linux,uefi-mmap-desc-ver = <1>; }; };"""
KINDS = ["source", "shell", "grub", "menu", "uboot", "not here:"]


@dataclass
class Example:
    """`run` is the whole mark, None where there is none."""
    place: str
    run: str
    text: str

    @property
    def kind(self):
        return next((kind for kind in KINDS if self.run and self.run.startswith(kind)), None)

    @property
    def about(self):
        return self.run.removeprefix(self.kind).strip()

    def commands(self):
        """[(prompt, command, what it prints)]."""
        found = []
        for line in re.sub(r"\\\n *", "", self.text).splitlines():
            prompt, command = re.match(r"(\$ |# |grub> |=> )?(.*)", line).groups()
            if prompt:
                found.append((prompt.strip(), command, []))
            else:
                found[-1][2].append(line)
        return found


def chapters():
    """The manual's files in their order, then the manual pages."""
    found = [DOCS / "xen_dom0less.texi"]
    for path in found:
        found += [DOCS / name for name in re.findall(r"^@include (\S+)$", path.read_text(), re.MULTILINE)]
    return [*found, *sorted((DOCS / "man").glob("*.[0-9]"))]


def examples(*kinds):
    """The examples of these kinds, or all."""
    return [example for path in chapters() for example in read_examples(path) if not kinds or example.kind in kinds]


def read_examples(path):
    if path.suffix == ".texi":
        begin, end, comment, plain = "@example", "@end example", "@c run: ", {"@@": "@", "@{": "{", "@}": "}"}
    else:
        begin, end, comment, plain = ".EX", ".EE", '.\\" run: ', {"\\-": "-", "\\e": "\\", "\\(aq": "'", "\\&": ""}
    found, lines = [], path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line == begin:
            mark = lines[number - 1]
            text = "\n".join(lines[number + 1:lines.index(end, number)]) + "\n"
            for written, meant in plain.items():
                text = text.replace(written, meant)
            found.append(Example(f"{path.name}:{number + 1}",
                                 mark.removeprefix(comment) if mark.startswith(comment) else None, text))
    return found


def as_shown(shown, printed):
    """Whether that was printed which the manual shows, a list of lines. Where lines break does not matter: GRUB breaks
    those that are longer than its screen."""
    pattern = re.escape(" ".join(" ".join(shown).split())).replace(r"\.\.\.", ".*").replace(r"\ .*", ".*")
    pattern = re.sub(r"0x[0-9a-f]{4,}|\d{4,}", lambda number: "0x[0-9a-f]+" if "x" in number[0] else r"\d+", pattern)
    return not shown or re.fullmatch(pattern, " ".join(printed.split()))


class Root:
    """A made-up machine with the files that the examples take for given; `sources` and `shell` add what the examples
    make."""

    def __init__(self, path):
        self.path = Path(path)
        self.home = self.path / "home"
        self.board = make_dtb()
        dom0, one, two = (linux_ramdisk(name) for name in ("dom0.img", "a.img", "b.img"))
        for name, content in {
            "bin/busybox": GUEST / "busybox",
            "sys/firmware/fdt": make_dtb(LINUX),
            "boot/xen-4.17-arm64.efi": GUEST / "xen-4.17.efi",
            "boot/xen-4.17-arm64": GUEST / "xen-4.17.efi",
            f"boot/vmlinuz-{os.uname().release}": GUEST / "vmlinuz",
            "boot/vmlinuz-guest": GUEST / "vmlinuz",
            "boot/vmlinuz-dom0": GUEST / "vmlinuz",
            "boot/board.dtb": self.board,
            "boot/a.img": one,
            "boot/b.img": two,
            "boot/dom0.img": dom0,
            "boot/ramdisk-domA.img": one,
            "boot/efi/xen/xen.efi": GUEST / "xen-4.17.efi",
            "boot/efi/xen/vmlinuz-dom0": GUEST / "vmlinuz",
            "boot/efi/xen/dom0.img": dom0,
            "boot/efi/stub/xen.efi": GUEST / "xen-4.17.efi",
            "boot/efi/stub/vmlinuz-guest": GUEST / "vmlinuz",
            "boot/efi/stub/a.img": one,
            "boot/efi/stub/b.img": two,
        }.items():
            self.put("/" + name, content)
        self.find("/bin/busybox").chmod(0o755)
        for folder in self.home, self.path / "srv/tftp":
            folder.mkdir(parents=True)
        self.keys = self.home / "gnupg"
        self.keys.mkdir(mode=0o700)

    def find(self, name):
        """Where a path of the examples is."""
        return self.path / name[1:] if name.startswith("/") else self.home / name

    def put(self, name, content):
        path = self.find(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)

    def run_all(self):
        """Write every source and run every shell example, in their order. Returns {place: what went wrong}, which is
        empty where nothing did."""
        wrong = {}
        for example in examples("source", "shell"):
            if example.kind == "source":
                self.put(example.about, example.text)
            else:
                wrong[example.place] = [fault for _, command, shown in example.commands()
                                        for fault in self.shell(command, shown)]
        # What gpg has started for its keys.
        subprocess.run(["gpgconf", "--homedir", self.keys, "--kill", "all"], check=True)
        return wrong

    def shell(self, command, shown):
        """Run one command; what is wrong with it."""
        # What follows --prefix is a folder as GRUB sees it.
        here = re.sub(r"(?<!--prefix=)(?<![\w./-])(?=/((bin/busybox|boot|srv|sys)\b| ))", str(self.path), command)
        tools = grub_dir(GRUB) / "bin"
        done = subprocess.run(["bash", "-c", here], cwd=self.home, capture_output=True, text=True,
                              env={**os.environ, "GNUPGHOME": str(self.keys), "PATH": f"{tools}:{os.environ['PATH']}"})
        printed = (done.stdout + done.stderr).replace(str(self.path), "")
        if done.returncode or not as_shown(shown, printed):
            return [f"{command}\nended with {done.returncode} and printed\n{printed}"]
        return []

    def on_disk(self):
        """What the boot partition and the EFI system partition hold."""
        boot = {str(file.relative_to(self.path)): file for file in sorted((self.path / "boot").rglob("*"))
                if file.is_file() and not file.name.endswith(os.uname().release)}
        esp = {name.removeprefix("boot/efi/"): file for name, file in boot.items() if name.startswith("boot/efi/")}
        return {name: file for name, file in boot.items() if not name.startswith("boot/efi/")}, esp
