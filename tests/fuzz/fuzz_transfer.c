/* fuzz_transfer.c - what of a file a disk can move to its place at once  */
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

#include "../unit/disk.h"

/* So many bytes of a file, and so many blocks.  */
#define LARGEST		(64 << 10)
#define MOST_BLOCKS	64

/* The input: sectors, blocks, where the partition begins and how large it is,
   what the last block lacks; then where each block lies: a hole, behind the one
   before, or elsewhere.  The file has as many as there are bytes left.  */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  struct input input = { data, data + size };
  uint64_t places[MOST_BLOCKS], end;
  struct disk disk = { .places = places };
  unsigned int missing;
  size_t direct, count;
  uint8_t what;

  disk.sector_shift = 9 + take8 (&input) % 4;
  disk.block = 512 << take8 (&input) % 8;
  disk.partition.start = (uint64_t) take8 (&input) * 512;
  disk.partition.size = (uint64_t) take8 (&input) * 8192;
  /* Or all there is.  */
  if (take8 (&input) % 4)
    disk.partition.size = ~(uint64_t) 0 - disk.partition.start;
  missing = take8 (&input) * 255 + take8 (&input);

  end = disk.partition.start;
  for (count = 0; count < MOST_BLOCKS && (count + 1) * disk.block <= LARGEST
	 && input.at < input.end; count++)
    {
      what = take8 (&input);
      if (what % 4 == 0)
	places[count] = GRUB_DOM0LESS_NOWHERE;
      else
	{
	  if (what % 4 == 1)
	    end = disk.partition.start + (uint64_t) (what / 4) * disk.block;
	  places[count] = end;
	  end += disk.block;
	}
    }
  if (count == 0)
    return 0;
  disk.size = count * disk.block - missing % disk.block;
  require_right (read_disk (&disk, &direct));
  return 0;
}
