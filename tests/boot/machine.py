"""An arm64 machine in QEMU, from firmware to the domains' consoles, driven through its serial line."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pexpect

from paths import GUEST, need, qemu_program

# FIRMWARE in the environment may be a file: then it is `own`, and the only one.
OWN_FIRMWARE = "/" in os.environ.get("FIRMWARE", "") and os.environ["FIRMWARE"]
FLASH = 64 << 20        # what QEMU's machine has, twice


def edk2(folder, code="AAVMF_CODE.fd", variables="AAVMF_VARS.fd"):
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={folder}/{code}",
            "-drive", f"if=pflash,format=raw,snapshot=on,file={folder}/{variables}"]


FIRMWARE = {
    "edk2": edk2("/usr/share/AAVMF"),
    # With Secure Boot on, and Debian's published test key enrolled.
    "edk2-secure": edk2("/usr/share/AAVMF", "AAVMF_CODE.ms.fd", "AAVMF_VARS.snakeoil.fd"),
    "uboot": ["-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin"],
}
FIRMWARES = ["own"] if OWN_FIRMWARE else ["edk2", "uboot"]     # those that start whatever there is
# What is fetched: the thing, and what makes QEMU's options of its file. "Strict" maps no memory both writable and
# executable.
FETCHED = {
    "edk2-2025": ("edk2-2025", edk2),
    "edk2-2025-strict": ("edk2-2025", lambda folder: edk2(folder, "AAVMF_CODE.secboot.strictnx.fd")),
    "edk2-newest": ("edk2-newest", edk2),
    "edk2-newest-strict": ("edk2-newest", lambda folder: edk2(folder, "AAVMF_CODE.secboot.strictnx.fd")),
    "uboot-2025": ("u-boot-2025", lambda file: ["-bios", str(file)]),
}
PACKAGES = {"uboot": "u-boot-qemu"}     # what they are in, if not all machines have it


def firmware_options(name):
    """QEMU's options for a firmware."""
    if name in PACKAGES:
        need(PACKAGES[name])
    if name in FETCHED:
        thing, options = FETCHED[name]
        return options(GUEST / thing)
    if name != "own":
        return FIRMWARE[name]
    if not os.path.isfile(OWN_FIRMWARE):
        raise FileNotFoundError(f"FIRMWARE={OWN_FIRMWARE}: there is no such file")
    # A file of the flash's size is the flash; others QEMU puts there.
    if os.path.getsize(OWN_FIRMWARE) == FLASH:
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={OWN_FIRMWARE}"]
    return ["-bios", OWN_FIRMWARE]


def firmware_file(name):
    """The file that a firmware is in."""
    return Path(OWN_FIRMWARE if name == "own" else FIRMWARE[name][1].rpartition("file=")[2])

# After any of these nothing good can follow, so a test need not wait out its time. Each waits for its line to end.
FATAL = {
    "the firmware crashed": r"Synchronous Exception at|Synchronous Abort. handler|ASSERT \[",
    "GRUB gave up": r"[^\r\n]*[\r\n]+Aborted\. Press any key to exit",
    "Xen panicked": r"Panic on CPU \d+:\s+[^\r\n]+\r*\n",
    "Xen hit a bug": r"Xen BUG at [^\r\n]*\r*\n",
    "Linux panicked": r"Kernel panic - not syncing[^\r\n]*\r*\n",
}

TIMEOUT = int(os.environ.get("BOOT_TIMEOUT", 300))


class Died(Exception):
    """The machine did something that it cannot come back from, or did nothing at all for too long."""


def qemu_machine(cpus=2, memory=2048, el2=True, acpi=False, tree=None, cpu="cortex-a57", gic=3, options="",
                 program=None):
    """QEMU and the machine alone: what decides how its device tree looks. `memory` in MiB; `tree` is a file that the
    firmware gets for the machine's own; `cpu` is a model with its options, and `options` are more of the machine's;
    `program` is a command that runs another QEMU."""
    return [*map(str, program or [qemu_program()]), "-machine",
            f"virt,gic-version={gic},virtualization={_on(el2)},acpi={_on(acpi)}{options}",
            "-cpu", cpu, "-smp", str(cpus), "-m", str(memory),
            "-nodefaults", "-display", "none", *(["-dtb", str(tree)] if tree else [])]


# What the disk hangs on.
BUSES = {
    "virtio": ["-device", "virtio-blk-device,drive=disk,bootindex=0"],
    "nvme": ["-device", "nvme,serial=1,drive=disk,bootindex=0"],
    "ahci": ["-device", "ahci,id=ahci", "-device", "ide-hd,bus=ahci.0,drive=disk,bootindex=0"],
    "usb": ["-device", "qemu-xhci", "-device", "usb-storage,drive=disk,bootindex=0"],
    "virtio-scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=disk,bootindex=0"],
    "4k": ["-device", "virtio-blk-device,drive=disk,bootindex=0,logical_block_size=4096,physical_block_size=4096"],
}


def qemu(disk, firmware=FIRMWARES[0], extra=(), bus="virtio", **machine):
    """The whole machine, ready for a -serial, with `extra` arguments. The disk is only read: what is written to it is
    thrown away."""
    return [*qemu_machine(**machine), *firmware_options(firmware), *extra,
            # Without this EDK2 waits five seconds for somebody to want its own menu.
            "-boot", "menu=on,splash-time=0",
            # A machine that resets itself has failed; let the test see the end instead of a second boot.
            "-no-reboot",
            "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={disk}",
            *BUSES[bus]]


def newer_qemu():
    """The command of a QEMU that is new enough. The fetched one comes with the libraries that it was built with."""
    said = subprocess.run([qemu_program(), "--version"], capture_output=True, text=True).stdout
    version = re.search(r"version (\d+)\.(\d+)", said)
    if version and tuple(map(int, version.groups())) >= (9, 2):
        return [qemu_program()]
    folder = GUEST / "qemu-trixie"
    libraries, = (folder / "usr/lib").glob("*-linux-gnu")
    loader, = libraries.glob("ld-linux-*.so.?")
    return [str(word) for word in (loader, "--library-path", libraries, folder / "usr/bin/qemu-system-aarch64",
                                   "-L", folder / "usr/share/qemu")]


def raspberry_tree():
    return GUEST / "boards-6.1" / "broadcom/bcm2711-rpi-4-b.dtb"


def raspberry(disk, extra=()):
    """A Raspberry Pi 4 with U-Boot, as Debian 13's QEMU has it. The tree that the board's own firmware would give U-Boot
    comes from QEMU, and the console is where that tree has it, at the second UART. The disk is an SD card, and as big
    as these are."""
    os.truncate(disk, 1 << (os.path.getsize(disk) - 1).bit_length())
    return [*newer_qemu(),
            "-machine", "raspi4b", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", str(GUEST / "u-boot-rpi"), "-dtb", str(raspberry_tree()),
            "-drive", f"if=sd,format=raw,snapshot=on,file={disk}", *extra, "-serial", "null"]


def _on(flag):
    return "on" if flag else "off"


def clean(text):
    """A console's text as a person sees it: no escape sequences, one newline a line."""
    row = None

    def move(match):
        nonlocal row
        before, row = row, int(match.group(1))
        return "" if row == before else "\n"

    text = re.sub(r"\x1b\[(\d+);\d+H", move, text)     # GRUB draws its menu so, and echoes what is typed
    text = re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|[78])", "", text)
    return re.sub(r"\r*\n\r*", "\n", text)


class Shown:
    """A file that passes all on to another, and shows it, cleaned, line by line."""

    def __init__(self, file):
        self.file = file
        self.pending = ""

    def write(self, text):
        self.file.write(text)
        *lines, self.pending = (self.pending + text).split("\n")
        for line in clean("\n".join(lines)).split("\n"):
            if line.strip(" |"):            # a menu's empty box, which scrolls by here
                print(line, flush=True)

    def flush(self):
        self.file.flush()


def unwrap(text, width=80):
    """GRUB's text with its lines as they were before GRUB broke them: where the next word had no room left."""
    lines, before = [], ""
    for line in text.split("\n"):
        word = line.split(" ")[0]
        # A line that is longer has been put together before, and a finding begins a line of its own.
        if (lines and word not in ("", "error:", "warning:")
                and len(before) <= width <= len(f"{before.rstrip()} {word}")):
            lines[-1] += " " * (" " in before) + line.rstrip()
        else:
            lines.append(line.rstrip())
        before = line
    return "\n".join(lines)


def findings(text):
    """The errors and warnings in GRUB's text, a line each."""
    return re.findall(r"^(?:error|warning): .*", unwrap(text), re.MULTILINE)


def guest_text(text):
    """What the domains said, a line each. Xen prints whole lines of the domains in the background, and weaves the one
    in the foreground (since 4.20 the first of them) between these, character by character and with no name. Its own
    prefix comes at the console's line starts, wherever these fall, and may part a carriage return from its newline."""
    text = text.replace("\r", "")
    background = r"(?:\(XEN\) )?DOM\d+: ([^\n]*\n)"
    own = r"(?:\(XEN\) )?d\d+v\d+[: ][^\n]*\n|\(XEN\) "
    return "".join(re.findall(background, text)) + re.sub(own, "", re.sub(background, "", text))


class Machine:
    """One QEMU, which ends with its `with` block. Everything that the console says goes to the file `log`, and with
    `show` to standard output as well. `board` makes QEMU's command of the rest."""

    def __init__(self, disk, log, show=False, board=qemu, **arguments):
        command = [*board(disk, **arguments), "-serial", "stdio"]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.log.open("w", errors="replace")
        self._qemu = pexpect.spawn(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                                   timeout=TIMEOUT, echo=False)
        self._qemu.delaybeforesend = None       # 50 ms, for the sake of prompts for passwords
        self._qemu.logfile_read = Shown(self._file) if show else self._file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # A large machine takes its time to go, and pexpect would wait for a moment only.
        if self._qemu.isalive():
            self._qemu.kill(signal.SIGKILL)
            self._qemu.wait()
        self._qemu.close(force=True)
        self._file.close()

    @property
    def text(self):
        """All that the console said so far."""
        if not self._file.closed:
            self._file.flush()
        # Bytes, because Python would take each of the carriage returns for a line's end.
        return clean(self.log.read_bytes().decode(errors="replace"))

    def expect(self, *patterns, timeout=TIMEOUT):
        """Wait for one of the regular expressions, and return the match and which of them it was."""
        fatal = list(FATAL.values())
        try:
            which = self._qemu.expect([*patterns, *fatal, pexpect.EOF], timeout=timeout)
        except pexpect.TIMEOUT:
            raise self.died(f"no {' or '.join(patterns)} within {timeout} s") from None
        if which < len(patterns):
            return self._qemu.match, which
        which -= len(patterns)
        if which == len(fatal):
            raise self.died("QEMU ended")
        said = self._qemu.match.group().replace("(XEN) ", "")
        raise self.died(f"{list(FATAL)[which]}: {' '.join(clean(said).split())}")

    def died(self, reason):
        return Died(f"{reason} (the console is in {os.path.relpath(self.log)})")

    # GRUB

    def prompt(self):
        """Wait for GRUB's prompt; a menu on the way is left for it."""
        if self.expect(r"grub> ", MENU)[1]:
            self._qemu.send("c")
            self.expect(r"grub> ")

    def menu(self):
        """Wait for GRUB's menu. A `Press any key to continue...` on the way gets its key."""
        while self.expect(MENU, PRESS_KEY)[1]:
            self._qemu.send("\r")

    def select(self, entry):
        """In the menu: start the entry of that number, the first being 0."""
        self._qemu.send("\x01" + "\x0e" * entry + "\r")     # home, then down

    def press(self, key):
        """In the menu: press a key, which is not echoed."""
        self._qemu.send(key)

    def send(self, command):
        """At the prompt: type a line."""
        self.type(command)
        self._qemu.send("\r")

    def type(self, command):
        """At the prompt: type some of a line."""
        # A few at a time: the firmware looks 50 times a second for more, and takes no more than the UART holds.
        for start in range(0, len(command), KEYS):
            keys = command[start:start + KEYS]
            self._qemu.send(keys)
            for key in keys:
                self._qemu.expect_exact(key)

    def complete(self, command):
        """At the prompt: what the tab key makes of `command`, if that can mean one thing only."""
        self.type(command)
        self._qemu.send("\t!")
        match, _ = self.expect(r"([^!]*)!")
        self._qemu.send("\x01\x0b\r")      # home, erase to the end
        self.expect(r"grub> ")
        return command + clean(match.group(1)).replace("\n", "")

    def run(self, command):
        """At the prompt: run a GRUB command. Returns (its text, its status as $? has it)."""
        # The marks: in the echo of what is typed the two follow a quote, in the output they begin a line.
        self.send(f'echo "<<"; {command}; echo ">>$?"')
        self.expect(r"[\r\n]<<\r*\n")
        match, _ = self.expect(r"(?s)^(.*?)[\r\n]*>>(\d+)\s.*?grub> ")
        return unwrap(clean(match.group(1).strip("\r\n"))), int(match.group(2))

    def run_all(self, path):
        """At the prompt: run the file `path`, which is script()'s. Returns {name: (text, status)}, with GRUB's line
        breaks."""
        self.send(f"source {path}")
        match, _ = self.expect(r"(?s)^(.*?)[\r\n]grub> ")
        return results(clean(match.group(1)))

    # U-Boot

    def uboot(self, *commands):
        """Stop U-Boot before it boots, and run commands there. It takes keys as fast as they come."""
        self.expect(r"Hit any key to stop autoboot")
        for command in ["", *commands]:
            self._qemu.send(f"{command}\r")
            if command != commands[-1]:
                self.expect(r"\n=> ")

    # Xen and its domains

    def domains(self, *names, timeout=TIMEOUT):
        """Wait until these domains are up. Returns {name: {ramdisk, cpus, memory, cmdline}} as they report it."""
        found = {}
        while not all("up" in found.get(name, {}) for name in names):
            if self.expect(r"\n", PRESS_KEY, timeout=timeout)[1]:
                raise self.died("GRUB did not boot: " + " ".join(findings(self.text)))
            found = self.reports()
        return found

    def reports(self):
        """What the domains reported so far."""
        found = {}
        for name, fact, value in re.findall(r"guest (\S+): (\w+) *([^\n]*?) *\n", guest_text(self.text)):
            found.setdefault(name, {})[fact] = value
        return found


def script(commands):
    """A file for run_all, which runs these {name: command}."""
    return "".join(f'echo "<<{name}"\n{command}\necho ">>$?"\n' for name, command in commands.items())


def results(text):
    """What the commands of a script() have printed: {name: (text, status)}."""
    found = re.findall(r"(?ms)^<<(\S+)\n(.*?)^>>(\d+)$", text)
    return {name: (text, int(status)) for name, text, status in found}


KEYS = 16       # what the UART holds
MENU = r"keys to select which entry"
PRESS_KEY = r"Press any key to continue"
