#!/usr/bin/python3
"""Write files whose blocks lie anyhow, and print as JSON what they are:

    layouts.py FOLDER SEED FILES [--holes HOW] [--reserved HOW] [--largest BYTES] [--sync] [--full]

A dozen files grow at a time, in pieces and out of order, with holes, with room that is only reserved; pieces of them
vanish again, and so do files between them. The options tell what GRUB cannot read.
"""

import argparse
import ctypes
import errno
import fcntl
import json
import os
import random
import struct
import zlib

KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16        # fallocate's
FIBMAP, FIGETBSZ, FIEMAP = 1, 2, 0xc020660b         # ioctls
FIEMAP_SYNC, FIEMAP_UNWRITTEN = 1, 0x800
EXTENT = struct.Struct("QQQ16xI12x")                # struct fiemap_extent
MOST = 4000

# Where sectors, blocks, room in an inode and pieces of GRUB's cache end, and what is around.
SIZES = [0, 1, 2, 59, 60, 61, 150, 12 * 1024, 12 * 1024 + 1, 48 * 1024, 48 * 1024 + 1, 268 * 1024 + 1]
SIZES += [edge + more for edge in (512, 1024, 2048, 4096, 8192, 32768, 65536, 131072) for more in (-1, 0, 1)]
UNITS = [1, 1, 512, 1024, 4096, 4096, 16384]
AT_A_TIME = 12

libc = ctypes.CDLL(None, use_errno=True)


def fallocate(file, mode, at, size):
    """Whether the file system can."""
    if libc.fallocate(file, mode, ctypes.c_long(at), ctypes.c_long(size)) == 0:
        return True
    error = ctypes.get_errno()
    if error in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(error, os.strerror(error))


def count_extents(file, size):
    """In how many pieces it lies, 0 if that is not told, and whether any of them is only reserved."""
    try:
        request = bytearray(struct.pack("QQIIII", 0, size, FIEMAP_SYNC, 0, MOST, 0) + bytes(EXTENT.size * MOST))
        fcntl.ioctl(file, FIEMAP, request)
        count = struct.unpack_from("QQII", request)[3]
        assert count < MOST
        flags = [EXTENT.unpack_from(request, 32 + number * EXTENT.size)[3] for number in range(count)]
        return count, any(flag & FIEMAP_UNWRITTEN for flag in flags)
    except OSError:
        pass
    extents = before = 0
    try:
        block_size, = struct.unpack("i", fcntl.ioctl(file, FIGETBSZ, bytes(4)))
        for block in range(-(-size // block_size)):
            place, = struct.unpack("i", fcntl.ioctl(file, FIBMAP, struct.pack("i", block)))
            if block == place == 0:
                break           # a program's file system
            extents += place not in (0, before + 1)
            before = place
    except OSError:
        pass
    return extents, False


class File:
    """One that is being written."""

    def __init__(self, options, chance, name):
        self.options, self.chance, self.name = options, chance, name
        path = f"{options.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        self.content = bytearray()
        self.written = bytearray()          # of each byte, whether somebody has
        self.sure = True                    # what GRUB reads of it
        which = chance.random()
        self.size = min(options.largest, chance.choice(SIZES) if which < 0.4 else
                        int(2 ** chance.uniform(0, 17)) if which < 0.96 else chance.randrange(1 << 17, 1 << 19))
        # On the borders of something, or anywhere.
        self.unit = chance.choice(UNITS)
        self.steps = []
        at = 0
        while at < self.size:
            size = chance.randint(1, max(2 * self.unit, 1000, self.size // 12)) // self.unit * self.unit
            size = min(size or self.unit, self.size - at)
            self.steps.append((self.write, at, size))
            at += size
        if chance.random() < 0.5:
            chance.shuffle(self.steps)
        holes = chance.choice([0, 0, 0.2, 0.7])
        self.steps = [step for step in self.steps if chance.random() >= holes]
        for _ in range(chance.choice([0, 0, 0, 1, 3])):
            step = chance.choice([self.punch, self.punch, self.reserve, self.zero, self.cut, self.write])
            at = chance.randrange(self.size + 1) // self.unit * self.unit
            size = self.unit * chance.randint(1, 16)
            if step != self.write or at + size <= self.size:
                self.steps.insert(chance.randrange(len(self.steps) + 1), (step, at, size))
        if self.size and chance.random() < 0.1:
            self.steps.insert(0, (self.reserve, 0, self.size + chance.choice([0, 0, 100_000])))

    def step(self):
        """Do the next one. Returns whether there was any."""
        if self.steps:
            step, *piece = self.steps.pop(0)
            step(*piece)
            # What is still in memory would be given one place.
            if self.options.sync and self.chance.random() < 0.15:
                os.fdatasync(self.file)
            return True
        os.ftruncate(self.file, self.size)
        self.resize(self.size)
        self.fill_holes(self.size if self.options.holes == "none" else
                        min(self.size, 4096) if self.options.holes == "inside" else 0)
        return False

    def close(self):
        """Returns in how many pieces it lies."""
        extents, reserved = count_extents(self.file, self.size)
        os.close(self.file)
        self.sure = not reserved or self.options.reserved == "any"
        return extents

    def resize(self, size):
        for each in self.content, self.written:
            each[size:] = bytes(max(0, size - len(each)))

    def put(self, at, data):
        assert os.pwrite(self.file, data, at) == len(data)
        self.resize(max(len(self.content), at + len(data)))
        self.content[at:at + len(data)] = data
        self.written[at:at + len(data)] = b"\1" * len(data)

    def write(self, at, size):
        self.put(at, self.chance.randbytes(size))

    def fill_holes(self, end):
        """Write what nobody has written before `end`."""
        at = self.written.find(0, 0, end)
        while at >= 0:
            until = self.written.find(1, at, end)
            self.write(at, (until if until >= 0 else end) - at)
            at = self.written.find(0, at, end)

    def clear(self, mode, at, size):
        size = min(size, len(self.content) - at)
        if size > 0 and fallocate(self.file, mode | KEEP_SIZE, at, size):
            self.content[at:at + size] = self.written[at:at + size] = bytes(size)

    def punch(self, at, size):
        self.clear(PUNCH_HOLE, at, size)

    def zero(self, at, size):
        if self.options.reserved != "none":
            self.clear(ZERO_RANGE, at, size)

    def reserve(self, at, size):
        """Some of it behind the file's end, which stays where it is."""
        if size and self.options.reserved != "none" and not fallocate(self.file, KEEP_SIZE, at, size):
            fallocate(self.file, 0, at, size)
            self.resize(os.fstat(self.file).st_size)

    def cut(self, at, _):
        os.ftruncate(self.file, at)
        self.resize(at)


def make_name(chance, number):
    folders = "".join(f"d{chance.randrange(3)}/" for _ in range(chance.choice([0, 0, 0, 1, 2, 6])))
    return f"{folders}f{number}{chance.choice(['', '-' + 40 * 'x'])}"


def fill_up(folder, name, chance):
    """Write a file that takes what room there is. Returns its content."""
    file, content, size = os.open(f"{folder}/{name}", os.O_RDWR | os.O_CREAT, 0o644), b"", 1 << 18
    while size >= os.statvfs(folder).f_bsize:
        data = chance.randbytes(size)
        try:
            content += data[:os.write(file, data)]
            os.fdatasync(file)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2
    os.close(file)
    return content


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("seed")
    parser.add_argument("files", type=int)
    parser.add_argument("--holes", choices=["any", "inside", "none"], default="any",
                        help="inside: not at the beginning of a file")
    parser.add_argument("--reserved", choices=["any", "unsure", "none"], default="any",
                        help="unsure: what GRUB reads of room that is only reserved is not what was written")
    parser.add_argument("--largest", type=int, default=1 << 19, help="size of a file")
    parser.add_argument("--sync", action="store_true", help="the file system finds places late")
    parser.add_argument("--full", action="store_true", help="more files, which take all room that is left")
    options = parser.parse_args()

    chance = random.Random(options.seed)
    names = [make_name(chance, number) for number in range(options.files)]
    growing, gone, files, extents = [], [], [], 0
    while growing or names:
        if names and len(growing) < AT_A_TIME:
            growing.append(File(options, chance, names.pop()))
            if chance.random() < (0.8 if options.full else 0.3):
                growing.append(File(options, chance, f"gone/{len(names)}"))
        file = chance.choice(growing)
        if file.step():
            continue
        growing.remove(file)
        pieces = file.close()
        if file.name.startswith("gone/"):
            gone.append(file.name)
            # Their room is for the last one, in as many pieces.
            while gone and not options.full:
                os.unlink(f"{options.folder}/{gone.pop()}")
        else:
            extents += pieces
            files.append((file.name, file.sure, file.content))
    if options.full:
        for name in gone:
            os.unlink(f"{options.folder}/{name}")
        # One leaves a little: the room for its next block's place.
        while not files[-1][0].startswith("full") or files[-1][2]:
            name = f"full{len(files)}"
            files.append((name, True, fill_up(options.folder, name, chance)))
    # Of what was meant to be written: nothing is read back.
    total = 1
    for _, sure, content in files:
        if sure:
            total = zlib.adler32(content, total)
    print(json.dumps({
        "files": {name: f"{zlib.crc32(content):08x}" for name, sure, content in files if sure},
        "unsure": [name for name, sure, _ in files if not sure],
        "adler32": f"{total:08x}", "bytes": sum(len(content) for _, sure, content in files if sure),
        "extents": extents,
    }))


main()
