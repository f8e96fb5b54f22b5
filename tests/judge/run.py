"""Start Xen on a tree, and listen to what it and its domains say."""

import json
import os
import re
import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))

from machine import guest_text

# After any of these nothing good can follow.
FATAL = re.compile(rb"(?:Panic on CPU \d+:\s+|Xen BUG at |Assertion '|CPU\d+: Unexpected Trap: )[^\r\n]+[\r\n]")
LIMIT = 20              # seconds of QEMU's own time, for a machine that neither ends nor stands still
PATIENCE = 600          # seconds of everybody's
LOOK = 0.1              # seconds from one look at the processors to the next
IDLE = 8                # so many looks in a row at processors that all sleep
STILL = 60              # or at processors that do not move: memory is cleared, and files are summed up, in small loops
NEAR = 512              # bytes of code: a processor that stays within has not moved


@dataclass
class Outcome:
    """What a run has shown."""
    text: str                               # all that the console has said
    reason: str                             # why it ended
    guests: dict = field(default_factory=dict)      # {name: {fact: [value, ...]}}


def run(command, n_guests):
    """Run QEMU's `command` until `n_guests` domains are up, or Xen has died, or nothing moves any more."""
    ours, theirs = socket.socketpair()
    os.set_inheritable(theirs.fileno(), True)
    qemu = subprocess.Popen([*command, "-no-reboot", "-serial", "stdio", "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
                             "-mon", "chardev=qmp,mode=control"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False)
    theirs.close()
    try:
        text, reason = _listen(qemu, Monitor(ours), n_guests)
    finally:
        qemu.kill()
        qemu.wait()
        qemu.stdout.close()
        ours.close()
    text = text.decode(errors="replace")
    return Outcome(text, reason, facts(text))


def _listen(qemu, monitor, n_guests):
    text, still, where, used = b"", 0, None, 0
    end = time.monotonic() + PATIENCE
    os.set_blocking(qemu.stdout.fileno(), False)
    while time.monotonic() < end and used < LIMIT:
        ready, _, _ = select.select([qemu.stdout], [], [], LOOK)
        if ready:
            more = os.read(qemu.stdout.fileno(), 1 << 16)
            if not more:
                return text, "QEMU ended"
            text += more
            still = 0
            died = FATAL.search(text)
            if died:
                return text, died.group().decode(errors="replace").strip()
            if len(re.findall(rb"guest [^\r\n]*: up", text)) >= n_guests:
                return text, "up"
            continue
        # On a busy host it is QEMU that may not have moved.
        used_before, (used, is_idle) = used, _usage(qemu.pid)
        if not is_idle and used - used_before < LOOK / 2:
            used = used_before
            continue
        before, where = where, monitor.program_counters()
        if before and where and len(before) == len(where) and all(abs(a - b) < NEAR for a, b in zip(before, where)):
            still += 1
            if still >= (IDLE if is_idle else STILL):
                return text, "nothing moves"
        else:
            still = 0
    return text, "nothing comes of it"


def _usage(pid):
    """How many seconds of a processor QEMU has used, and whether all its threads sleep."""
    seconds, is_idle = 0, True
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:                     # it has ended
            continue
        is_idle = is_idle and fields[0] == "S"
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds, is_idle


class Monitor:
    """QEMU's, which says where the processors are."""

    def __init__(self, connection):
        self.stream = connection.makefile("rw", encoding="utf-8", errors="replace")
        self.ready = False

    def program_counters(self):
        try:
            if not self.ready:
                self.stream.readline()
                self._ask("qmp_capabilities")
                self.ready = True
            text = self._ask("human-monitor-command", **{"command-line": "info registers -a"})
        except (OSError, ValueError):
            return None
        return [int(number, 16) for number in re.findall(r"PC=([0-9a-f]+)", text)]

    def _ask(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise ValueError(answer)


def facts(text):
    """What each guest has said of itself."""
    guests = {}
    for name, fact, value in re.findall(r"guest ([^\n:]*): (\S+) ?([^\n]*)", guest_text(text)):
        guests.setdefault(name, {}).setdefault(fact, []).append(value)
    return guests
