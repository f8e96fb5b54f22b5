/* fuzz_layout.c - where file systems put the blocks of a file  */
/*
 *  xen_dom0less - start Xen and its domains from a device tree
 *
 *  This program is free software: you can redistribute it and/or modify
 *  it under the terms of the GNU General Public License as published by
 *  the Free Software Foundation, either version 3 of the License, or
 *  (at your option) any later version.
 *
 *  SPDX-License-Identifier: GPL-3.0-or-later
 */

#include "fuzz.h"

/* The input: which of these, two numbers, a superblock, and for a table or a
   node all the rest.  */
static const char *const names[] =
  { "fat", "ext2", "exfat", "xfs", "f2fs", "jfs", "hfsplus", "iso9660",
    "btrfs" };

static void
look_at_table (const struct grub_dom0less_layout *layout,
	       const uint8_t *table, size_t size, uint64_t offset)
{
  uint64_t cluster = grub_dom0less_fat_cluster (layout, offset);
  size_t count = size / layout->entry;
  uint64_t run;

  if (!cluster)
    return;
  require (cluster >= 2 && cluster < layout->end, "a cluster of nowhere");
  require (layout->data + (cluster - 2) * layout->block == offset,
	   "another cluster");
  run = grub_dom0less_fat_run (layout, table, count, cluster);
  require (run <= count && cluster + run < layout->end, "a row too long");
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct input input = { data, data + size };
  const char *name
    = names[take8 (&input) % (sizeof (names) / sizeof (names[0]))];
  uint64_t number = take64 (&input), place = take64 (&input);
  struct grub_dom0less_layout layout;
  void *superblock, *rest;
  uint32_t offset;
  size_t left;

  if (input.end - input.at < GRUB_DOM0LESS_SUPERBLOCK_SIZE)
    return 0;
  superblock = guard (input.at, GRUB_DOM0LESS_SUPERBLOCK_SIZE);
  left = input.end - input.at - GRUB_DOM0LESS_SUPERBLOCK_SIZE;
  rest = guard (input.end - left, left);

  if (grub_dom0less_read_layout (&layout, name, superblock) == 0)
    {
      require (grub_dom0less_superblock (name, &offset) == 0, "no place");
      require (layout.block >= 512 && layout.block <= 32 << 20
	       && (layout.block & (layout.block - 1)) == 0, "no block");
      if (layout.entry)
	look_at_table (&layout, rest, left, place);
      require (grub_dom0less_extent_run (&layout, rest, left, number, place)
	       <= (layout.inode ? 0x1fffff : 32768), "an extent too long");
    }
  free (rest);
  free (superblock);
  return 0;
}
