/* transfer.c - the part of a file that a disk can transfer directly  */
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

#include <grub/xen_dom0less.h>

#include "safemath.h"

int
grub_dom0less_join_runs (struct grub_dom0less_run *run,
			 const struct grub_dom0less_run *next)
{
  uint64_t offset, place, size;

  if (dom0less_add (run->offset, run->size, &offset) || next->offset != offset
      || dom0less_add (run->size, next->size, &size))
    return 0;
  if (run->place != GRUB_DOM0LESS_NOWHERE
      && next->place != GRUB_DOM0LESS_NOWHERE)
    {
      if (dom0less_add (run->place, run->size, &place) || next->place != place)
	return 0;
    }
  else if (run->place != next->place)
    return 0;
  run->size = size;
  return 1;
}

void
grub_dom0less_plan_transfer (struct grub_dom0less_transfer *transfer,
			     const struct grub_dom0less_run *run,
			     uint64_t behind,
			     const struct grub_dom0less_extent *partition,
			     unsigned int sector_shift)
{
  uint64_t sector = (uint64_t) 1 << sector_shift;
  uint64_t into, skip, size, missing;

  transfer->skip = transfer->size = transfer->sector = 0;
  if (run->place == GRUB_DOM0LESS_NOWHERE
      || dom0less_sub (run->place, partition->start, &into)
      || into > partition->size || run->size > partition->size - into)
    return;

  /* The rest of the first sector and of the last one does not belong to the
     run, neither on the disk nor, usually, in memory.  */
  skip = -run->place & (sector - 1);
  if (dom0less_sub (run->size, skip, &size))
    return;
  missing = -size & (sector - 1);
  if (missing > behind || missing > partition->size - into - run->size)
    size &= -sector;
  else
    size += missing;
  if (size == 0)
    return;
  transfer->skip = skip;
  transfer->size = size;
  transfer->sector = (run->place >> sector_shift) + (skip != 0);
}
