"""What is asked and seen at GRUB's prompt."""

import re

from machine import findings


def refuse(machine, command, rule, *words):
    """`command` is refused by one error, which begins with `rule` and holds `words`, and nothing is armed."""
    text, status = machine.run(command)
    errors = [line for line in findings(text) if line.startswith("error: ")]
    assert status != 0 and len(errors) == 1, f"{command}: {text}"
    assert re.match(rf"error: (\S+\.c:\d+:)?\[{rule}\] ", errors[0]), f"{command}: {text}"
    assert all(word in errors[0] for word in words), f"{command}: {text}"
    text, _ = machine.run("boot")
    assert "you need to load the kernel first" in text, f"{command}: {text}"


def accept(machine, command):
    """`command` goes through without a word of complaint. Returns its text."""
    text, status = machine.run(command)
    assert status == 0 and not findings(text), f"{command}: {text}"
    return text


def memory_map(machine):
    """The firmware's memory map, as [(type, first byte, byte behind)]; the types are lsefimmap's words."""
    return read_memory_map(machine.run("lsefimmap")[0])


def read_memory_map(text):
    """The same, of what lsefimmap has printed."""
    pieces = re.findall(r"^(\S+) +([0-9a-f]{8,})-([0-9a-f]{8,}) ", text, re.MULTILINE)
    assert pieces, text
    return [(kind, int(start, 16), int(end, 16) + 1) for kind, start, end in pieces]


def is_free(machine, start, size):
    """Whether the firmware says that nobody has that memory."""
    return any(kind == "conv-mem" and first <= start and start + size <= end
               for kind, first, end in memory_map(machine))


def read_hexdump(text, address, size):
    """The bytes that hexdump has shown: a `*` stands for rows like the one before."""
    found = b""
    for start, row in re.findall(r"(?:^|\s)([0-9a-f]{8,})  ((?:[0-9a-f]{2} +){1,16})\|", text):
        while found and len(found) < int(start, 16) - address:
            found += found[-16:]
        found += bytes.fromhex(row)
    assert len(found) == size, text
    return found


def peek(machine, address, size):
    """The bytes in memory there."""
    text, _ = machine.run(f"hexdump -s {address:#x} -n {size} (mem)")
    return read_hexdump(text, address, size)
