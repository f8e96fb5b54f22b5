/* disk.c - files on a made-up disk, read by the transfers that are planned  */
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

#include "disk.h"

#include <stdlib.h>
#include <string.h>

#define PAGE	((size_t) 4096)
#define N_BLOCKS(disk)	(((disk)->size + (disk)->block - 1) / (disk)->block)

static unsigned char
byte_at (uint64_t place)
{
  return place * 0x9e3779b97f4a7c15ULL >> 56;
}

/* What the file has at OFFSET.  */
static unsigned char
file_byte (const struct disk *disk, size_t offset)
{
  uint64_t place = disk->places[offset / disk->block];

  return (place == GRUB_DOM0LESS_NOWHERE
	  ? 0 : byte_at (place + offset % disk->block));
}

static struct grub_dom0less_run
piece (const struct disk *disk, size_t offset)
{
  struct grub_dom0less_run run = { offset, disk->block, 0 };

  run.place = disk->places[offset / disk->block];
  if (run.size > disk->size - offset)
    run.size = disk->size - offset;
  return run;
}

/* How many bytes of RUN are in sectors of which RUN has all, by going through
   them.  */
static uint64_t
whole_sectors (const struct disk *disk, const struct grub_dom0less_run *run)
{
  const struct grub_dom0less_extent *partition = &disk->partition;
  uint64_t sector = (uint64_t) 1 << disk->sector_shift;
  uint64_t at, found = 0;

  if (run->place == GRUB_DOM0LESS_NOWHERE || run->place < partition->start
      || run->place + run->size > partition->start + partition->size)
    return 0;
  for (at = run->place / sector * sector; at < run->place + run->size;
       at += sector)
    if (at >= run->place && at + sector <= run->place + run->size)
      found += sector;
  return found;
}

static const char *
read_run (const struct disk *disk, const struct grub_dom0less_run *run,
	  unsigned char *buffer, size_t *direct)
{
  uint64_t behind
    = run->offset + run->size == disk->size ? -disk->size & (PAGE - 1) : 0;
  uint64_t whole = whole_sectors (disk, run), start, i;
  struct grub_dom0less_transfer transfer;

  grub_dom0less_plan_transfer (&transfer, run, behind, &disk->partition,
			       disk->sector_shift);
  if (transfer.size % ((size_t) 1 << disk->sector_shift))
    return "a part of a sector";
  if (transfer.skip + transfer.size > run->size + behind)
    return "bytes of the next run";
  if (transfer.size < whole)
    return "sectors that could be moved are not";

  start = transfer.sector << disk->sector_shift;
  if (transfer.size
      && (start < disk->partition.start
	  || (start + transfer.size
	      > disk->partition.start + disk->partition.size)))
    return "sectors beyond the partition";

  for (i = 0; i < transfer.size; i++)
    buffer[run->offset + transfer.skip + i] = byte_at (start + i);
  for (i = 0; i < run->size; i++)
    if (i < transfer.skip || i >= transfer.skip + transfer.size)
      buffer[run->offset + i] = file_byte (disk, run->offset + i);
  if (transfer.skip + transfer.size > run->size)
    transfer.size = run->size - transfer.skip;
  *direct += transfer.size;
  return NULL;
}

const char *
read_disk (const struct disk *disk, size_t *direct)
{
  size_t pages = (disk->size + PAGE - 1) / PAGE, i;
  unsigned char *buffer = malloc (pages * PAGE);
  struct grub_dom0less_run run, next;
  const char *fault = NULL;

  *direct = 0;
  for (run.offset = 0; run.offset < disk->size && !fault;
       run.offset += run.size)
    {
      run = piece (disk, run.offset);
      while (run.offset + run.size < disk->size)
	{
	  next = piece (disk, run.offset + run.size);
	  if (!grub_dom0less_join_runs (&run, &next))
	    break;
	}
      fault = read_run (disk, &run, buffer, direct);
    }
  for (i = 0; i < disk->size && !fault; i++)
    if (buffer[i] != file_byte (disk, i))
      fault = "not what the file has";
  free (buffer);
  return fault;
}
