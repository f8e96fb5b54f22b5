/* place.c - where things may lie in memory  */
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

int
grub_dom0less_overlap (uint64_t start1, uint64_t size1,
		       uint64_t start2, uint64_t size2)
{
  return (size1 && size2
	  && start1 < grub_dom0less_end (start2, size2)
	  && start2 < grub_dom0less_end (start1, size1));
}

int
grub_dom0less_claim (const struct grub_dom0less_memory *memory,
		     uint64_t start, uint64_t size,
		     uint64_t *claim_start, uint64_t *claim_size)
{
  uint64_t end = grub_dom0less_end (start, size);
  uint64_t memory_end = grub_dom0less_end (memory->start, memory->size);

  if (!grub_dom0less_overlap (start, size, memory->start, memory->size))
    return 0;

  start &= ~(PAGE_SIZE - 1);
  if (start < memory->start)
    start = memory->start;
  /* Rounding up could pass 64 bits, so compare page numbers.  */
  if ((end - 1) / PAGE_SIZE >= (memory_end - 1) / PAGE_SIZE)
    end = memory_end;
  else
    end = ((end - 1) / PAGE_SIZE + 1) * PAGE_SIZE;

  *claim_start = start;
  *claim_size = end - start;
  return 1;
}

#define MIB		((uint64_t) 1 << 20)
#define ROUND_UP(size)	(((size) + 2 * MIB - 1) & ~(2 * MIB - 1))

int
grub_dom0less_modules_fit (uint64_t bank, uint64_t offset, uint64_t size,
			   uint64_t ramdisk)
{
  uint64_t modules, end;

  if (offset >= bank || size > bank - offset || ramdisk > bank)
    return 0;
  /* So that no sum of two of them, rounded up, can overflow.  */
  if (bank > UINT64_MAX / 4)
    return 1;
  /* The domain's tree is rounded up as well, and has less than that.  */
  modules = ROUND_UP (ramdisk) + 2 * MIB;
  end = ROUND_UP (offset + size);
  if (modules + end - offset > bank)
    return 0;
  return ((bank >= 128 * MIB + modules && offset + size < 128 * MIB)
	  || bank - modules > end
	  || offset > modules);
}
