/* place.c - ranges of memory  */
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

#define PAGE_SIZE	UINT64_C (4096)

uint64_t
grub_dom0less_end (uint64_t start, uint64_t size)
{
  uint64_t end;

  return dom0less_add (start, size, &end) ? UINT64_MAX : end;
}

int
grub_dom0less_span (uint64_t address, uint64_t size,
		    uint64_t *start, uint64_t *pages)
{
  uint64_t last;

  if (size == 0 || dom0less_add (address, size - 1, &last))
    return -1;
  *start = address & ~(PAGE_SIZE - 1);
  *pages = last / PAGE_SIZE - address / PAGE_SIZE + 1;
  return 0;
}

/* Return the last byte of the range, which is not empty.  The address after it
   may not exist, because memory can end at the highest address.  */
static uint64_t
last_of (uint64_t start, uint64_t size)
{
  return size - 1 > UINT64_MAX - start ? UINT64_MAX : start + (size - 1);
}

/* Move MEMORY[ROOT] down until no piece below it starts later.  The pieces
   below MEMORY[I] are 2 I + 1 and 2 I + 2, if these are less than N.  */
static void
sink (struct grub_dom0less_memory *memory, int root, int n)
{
  struct grub_dom0less_memory piece = memory[root];
  int below;

  for (; (below = 2 * root + 1) < n; root = below)
    {
      if (below + 1 < n && memory[below + 1].start > memory[below].start)
	below++;
      if (memory[below].start <= piece.start)
	break;
      memory[root] = memory[below];
    }
  memory[root] = piece;
}

/* A heap sort, because its time does not depend on the order of the map, which
   may have been chosen to be slow, and because GRUB has no qsort.  */
void
grub_dom0less_sort_memory (struct grub_dom0less_memory *memory, int n)
{
  struct grub_dom0less_memory last;
  int i;

  for (i = n / 2 - 1; i >= 0; i--)
    sink (memory, i, n);
  while (--n > 0)
    {
      last = memory[n];
      memory[n] = memory[0];
      memory[0] = last;
      sink (memory, 0, n);
    }
}

int
grub_dom0less_overlap (uint64_t start1, uint64_t size1,
		       uint64_t start2, uint64_t size2)
{
  return (size1 && size2
	  && start1 <= last_of (start2, size2)
	  && start2 <= last_of (start1, size1));
}

int
grub_dom0less_clip_to_pages (const struct grub_dom0less_memory *memory,
			     uint64_t start, uint64_t size,
			     uint64_t *claim_start, uint64_t *claim_size)
{
  uint64_t last, memory_last;

  if (!grub_dom0less_overlap (start, size, memory->start, memory->size))
    return 0;

  last = last_of (start, size) | (PAGE_SIZE - 1);
  memory_last = last_of (memory->start, memory->size);
  start &= ~(PAGE_SIZE - 1);
  if (start < memory->start)
    start = memory->start;
  if (last > memory_last)
    last = memory_last;

  *claim_start = start;
  *claim_size = last - start + 1;
  return 1;
}

#define MIB		((uint64_t) 1 << 20)
#define ROUND_UP(size)	(((size) + 2 * MIB - 1) & ~(2 * MIB - 1))

uint64_t
grub_dom0less_kernel_room (uint64_t bank, uint64_t offset, uint64_t size,
			   uint64_t ramdisk)
{
  uint64_t modules, end;

  if (offset >= bank || size > bank - offset || ramdisk > bank)
    return 0;
  /* Limit the sizes so that no sum of two of them, rounded up, can
     overflow.  */
  if (bank > UINT64_MAX / 4)
    return bank;
  /* The domain's tree is rounded up as well, and is smaller than that.  */
  modules = ROUND_UP (ramdisk) + 2 * MIB;
  end = ROUND_UP (offset + size);
  if (modules + end - offset > bank)
    return 0;
  if (bank >= 128 * MIB + modules && offset + size < 128 * MIB)
    return 128 * MIB - offset;
  if (bank - modules > end)
    return bank - modules - offset;
  return offset > modules ? bank - offset : 0;
}
