/* disk.h - files on a made-up disk, read by the transfers that are planned  */
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

#ifndef UNIT_DISK_HEADER
#define UNIT_DISK_HEADER	1

#include <stddef.h>
#include <stdint.h>

#include <grub/xen_dom0less.h>

/* A disk with a file.  What a byte of the disk holds follows from its place.  */
struct disk
{
  unsigned int sector_shift;
  struct grub_dom0less_extent partition;
  uint32_t block;		/* bytes */
  const uint64_t *places;	/* of each block, or GRUB_DOM0LESS_NOWHERE */
  size_t size;			/* of the file */
};

/* Read the file as the loader does, into a buffer of as many whole pages as it
   takes, which the sanitizer guards.  Returns NULL, or what has gone wrong;
   *DIRECT is the number of the file's bytes that came by transfers.  */
const char *read_disk (const struct disk *disk, size_t *direct);

#endif
