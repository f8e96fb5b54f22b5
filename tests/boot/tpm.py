"""A TPM for a machine: swtpm behind QEMU's tpm-tis-device, whose registers the test reads as well, while the machine
stands. Nothing has to run in the machine for that, and no PCR changes by it.
"""

import re
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from paths import need

BASE = 0x0c000000           # QEMU's first device on its platform bus
ACCESS, STATUS, FIFO = BASE, BASE + 0x18, BASE + 0x24
REQUEST, ACTIVE = 0x02, 0x20
READY, GO, AVAILABLE = 0x40, 0x20, 0x10

PCR_READ, NO_SESSIONS, SHA256 = 0x17e, 0x8001, 0x000b


class Tpm:
    """One swtpm, fresh from the factory; it ends with its `with` block."""

    def __init__(self):
        need("swtpm")
        self._scratch = tempfile.TemporaryDirectory(prefix="tpm")
        self.folder = folder = Path(self._scratch.name)
        self._swtpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}",
                                        "--ctrl", f"type=unixio,path={folder}/control"])
        # QEMU is the client here: it takes the one connection that we accept.
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/qtest")
        self._listener.listen()
        self._qtest = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._qtest:
            self._qtest.close()
        self._listener.close()
        self._swtpm.terminate()
        self._swtpm.wait()
        self._scratch.cleanup()

    @property
    def arguments(self):
        """What QEMU has to be told."""
        while not (self.folder / "control").exists():
            assert self._swtpm.poll() is None
            time.sleep(0.05)
        return ["-chardev", f"socket,id=tpm,path={self.folder}/control", "-tpmdev", "emulator,id=tpm,chardev=tpm",
                "-device", "tpm-tis-device,tpmdev=tpm",
                "-qtest", f"unix:{self.folder}/qtest", "-qtest-log", "none"]

    def pcrs(self):
        """PCRs 8 and 9, as tpm2_pcrread prints them."""
        command = struct.pack(">HII IHB3s", NO_SESSIONS, 20, PCR_READ, 1, SHA256, 3, bytes([0, 3, 0]))
        answer = self._transmit(command)
        _, _, code, _, selections, *rest = struct.unpack_from(">HII I I HB3s I", answer)
        assert code == 0 and selections == 1 and rest[-1] == 2, answer.hex()
        values = re.findall(rb"(?s)\x00\x20(.{32})", answer[28:])
        assert len(values) == 2
        return "  sha256:\n" + "".join(f"    {number} : 0x{value.hex().upper()}\n"
                                       for number, value in zip((8, 9), values))

    def memory(self, address, size):
        """The bytes in the machine's memory there."""
        return bytes.fromhex(self._ask(f"read {address:#x} {size:#x}").removeprefix("0x"))

    def write_memory(self, address, content):
        """Put these bytes there."""
        self._ask(f"write {address:#x} {len(content):#x} 0x{content.hex()}")

    def _ask(self, line):
        if not self._qtest:
            self._qtest = self._listener.accept()[0].makefile("rw")
        self._qtest.write(f"{line}\n")
        self._qtest.flush()
        status, _, answer = self._qtest.readline().strip().partition(" ")
        assert status == "OK", f"{line}: {status} {answer}"
        return answer

    def _get(self, register):
        return int(self._ask(f"readb {register:#x}"), 0)

    def _put(self, register, value):
        self._ask(f"writeb {register:#x} {value:#x}")

    def _wait(self, register, flag):
        for _ in range(3000):
            if self._get(register) & flag:
                return
            time.sleep(0.01)
        raise RuntimeError(f"the TPM does not get ready: {self._get(register):#x}")

    def _transmit(self, command):
        """Speak as a driver does (TCG PC Client Platform TPM Profile, FIFO interface, locality 0)."""
        self._put(ACCESS, REQUEST)
        self._wait(ACCESS, ACTIVE)
        self._put(STATUS, READY)
        self._wait(STATUS, READY)
        for byte in command:
            self._put(FIFO, byte)
        self._put(STATUS, GO)
        self._wait(STATUS, AVAILABLE)
        head = bytes(self._get(FIFO) for _ in range(10))
        size, = struct.unpack_from(">I", head, 2)
        answer = head + bytes(self._get(FIFO) for _ in range(size - 10))
        self._put(STATUS, READY)
        return answer
