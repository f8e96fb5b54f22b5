#!/usr/bin/python3
"""Make an empty HFS+: mkhfsplus.py DEVICE BLOCK_SIZE. Debian 12 has no program for that; what lies where is in Apple's
Technical Note TN1150, where the names are from."""

import os
import struct
import sys

NODE = 4096
ROOT_PARENT, ROOT, EXTENTS, CATALOG, ALLOCATION, FIRST_USER = 1, 2, 3, 4, 6, 16
NAME = "places"


def fork(start, blocks, block_size):
    """HFSPlusForkData: one extent, or none."""
    return struct.pack(">QII", blocks * block_size, block_size, blocks) + struct.pack(">II", start, blocks) + bytes(56)


def node(kind, height, records):
    """A node of a B-tree: its descriptor, its records, and from its end on where these begin."""
    data, offsets = struct.pack(">IIbBHH", 0, 0, kind, height, len(records), 0), []
    for record in records:
        offsets.append(len(data))
        data += record
    offsets.append(len(data))
    ends = struct.pack(f">{len(offsets)}H", *reversed(offsets))
    return data + bytes(NODE - len(data) - len(ends)) + ends


def tree(nodes, max_key, attributes, compare, leaves):
    """A B-tree of so many nodes, whose root, if it has one, is its only leaf and holds these records."""
    depth = root = 1 if leaves else 0
    used = 1 + depth
    header = struct.pack(">HIIIIHHIIHIBBI64x", depth, root, len(leaves), root, root, NODE, max_key, nodes, nodes - used,
                         0, NODE, 0, compare, attributes)
    room = NODE - 14 - len(header) - 128 - 8
    bitmap = bytes([0xff << 8 - used & 0xff]) + bytes(room - 1)
    made = node(1, 0, [header, bytes(128), bitmap])
    if leaves:
        made += node(-1, 1, leaves)
    return made + bytes((nodes - used) * NODE)


def catalog_key(parent, name):
    text = name.encode("utf-16-be")
    return struct.pack(">HIH", 6 + len(text), parent, len(text) // 2) + text


def main(device, block_size):
    with open(device, "r+b") as disk:
        size = disk.seek(0, os.SEEK_END)
        blocks = size // block_size
        first = -(-1536 // block_size)                  # behind the boot blocks and the volume header
        map_blocks = -(-blocks // (8 * block_size))
        tree_blocks = -(-64 * NODE // block_size)
        tree_nodes = tree_blocks * block_size // NODE
        extents = first + map_blocks
        catalog = extents + tree_blocks
        used = catalog + tree_blocks

        folder = struct.pack(">hHII20xIIBBHI32xII", 1, 0, 0, ROOT, 0, 0, 0, 0, 0o40755, 0, 0, 0)
        thread = struct.pack(">hhI", 3, 0, ROOT_PARENT) + catalog_key(0, NAME)[6:]
        leaves = [catalog_key(ROOT_PARENT, NAME) + folder, catalog_key(ROOT, "") + thread]

        last = -(-1024 // block_size)                   # the other volume header is 1024 bytes from the end
        bits = bytearray(map_blocks * block_size)
        for block in [*range(used), *range(blocks - last, blocks)]:
            bits[block // 8] |= 0x80 >> block % 8
        for start, data in (first, bits), (extents, tree(tree_nodes, 10, 2, 0, [])), \
                (catalog, tree(tree_nodes, 516, 6, 0xcf, leaves)):
            disk.seek(start * block_size)
            disk.write(data)

        header = struct.pack(">2sHI4sI16xIIIIIIIIIIQ32x", b"H+", 4, 0x100, b"10.0", 0, 0, 0, block_size, blocks,
                             blocks - used - last, used, block_size, block_size, FIRST_USER, 0, 1)
        header += fork(first, map_blocks, block_size) + fork(extents, tree_blocks, block_size)
        header += fork(catalog, tree_blocks, block_size) + bytes(160)
        assert len(header) == 512
        for at in 1024, size - 1024:
            disk.seek(at)
            disk.write(header)


main(sys.argv[1], int(sys.argv[2]))
