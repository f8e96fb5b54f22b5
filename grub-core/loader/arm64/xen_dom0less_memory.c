/* xen_dom0less_memory.c - pages, the memory map, claims and caches  */
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

#include <grub/efi/efi.h>
#include <grub/mm.h>
#include <grub/misc.h>

#include "xen_dom0less_boot.h"

#define CLAIM_ROUNDS	4

grub_err_t
dom0less_pages_alloc (struct dom0less_pages *pages,
		      grub_efi_allocate_type_t type,
		      grub_efi_physical_address_t address,
		      grub_efi_uintn_t count)
{
  void *memory;

  pages->count = 0;
  memory = grub_efi_allocate_pages_real (address, count, type,
					 GRUB_EFI_LOADER_DATA);
  if (!memory)
    {
      if (!grub_errno)
	grub_error (GRUB_ERR_OUT_OF_MEMORY, N_("out of memory"));
      return grub_errno;
    }
  pages->address = (grub_addr_t) memory;
  pages->count = count;
  return GRUB_ERR_NONE;
}

void
dom0less_pages_free (struct dom0less_pages *pages)
{
  if (pages->count)
    grub_efi_free_pages (pages->address, pages->count);
  pages->count = 0;
}

static enum grub_dom0less_memory_type
memory_type (const grub_efi_memory_descriptor_t *descriptor)
{
  /* Xen takes write-back memory only (xen/arch/arm/efi/efi-boot.h).  */
  if (!(descriptor->attribute & GRUB_EFI_MEMORY_WB)
      || (descriptor->attribute & GRUB_EFI_MEMORY_RUNTIME))
    return GRUB_DOM0LESS_MEMORY_FIRMWARE;

  switch (descriptor->type)
    {
    case GRUB_EFI_CONVENTIONAL_MEMORY:
      return GRUB_DOM0LESS_MEMORY_FREE;
    case GRUB_EFI_LOADER_CODE:
    case GRUB_EFI_LOADER_DATA:
    case GRUB_EFI_BOOT_SERVICES_CODE:
    case GRUB_EFI_BOOT_SERVICES_DATA:
      return GRUB_DOM0LESS_MEMORY_LOADER;
    default:
      return GRUB_DOM0LESS_MEMORY_FIRMWARE;
    }
}

grub_err_t
dom0less_memory_map (struct dom0less_boot *boot)
{
  grub_efi_uintn_t size = 0, step = 0, offset;
  grub_efi_memory_descriptor_t *map = NULL;
  int status;

  grub_free (boot->memory);
  boot->memory = NULL;
  boot->machine.memory = NULL;
  boot->machine.n_memory = 0;

  /* Room for what the allocations below may add.  */
  grub_efi_get_memory_map (&size, NULL, NULL, &step, NULL);
  size += 16 * step;

  map = grub_malloc (size);
  boot->memory = grub_calloc (size / step, sizeof (*boot->memory));
  if (!map || !boot->memory)
    goto fail;

  status = grub_efi_get_memory_map (&size, map, NULL, &step, NULL);
  if (status != 1)
    {
      grub_error (GRUB_ERR_IO, N_("cannot read the firmware's memory map"));
      goto fail;
    }

  for (offset = 0; offset + step <= size; offset += step)
    {
      const grub_efi_memory_descriptor_t *descriptor
	= (void *) ((char *) map + offset);
      struct grub_dom0less_memory *memory
	= boot->memory + boot->machine.n_memory++;

      memory->type = memory_type (descriptor);
      memory->start = descriptor->physical_start;
      memory->size = descriptor->num_pages << DOM0LESS_PAGE_SHIFT;
    }
  boot->machine.memory = boot->memory;

 fail:
  grub_free (map);
  return grub_errno;
}

/* Take the pieces of RANGE that are free; *MISSED is set if one was not any
   more.  */
static grub_err_t
claim_range (struct dom0less_boot *boot,
	     const struct grub_dom0less_range *range, int *missed)
{
  int i;

  for (i = 0; i < boot->machine.n_memory; i++)
    {
      const struct grub_dom0less_memory *memory = boot->memory + i;
      struct dom0less_pages *claims;
      uint64_t start, size;

      if (memory->type != GRUB_DOM0LESS_MEMORY_FREE
	  || !grub_dom0less_claim (memory, range->start, range->size,
				   &start, &size))
	continue;

      claims = grub_realloc (boot->claims,
			     (boot->n_claims + 1) * sizeof (*claims));
      if (!claims)
	return grub_errno;
      boot->claims = claims;

      grub_dprintf ("xen_dom0less", "claiming 0x%" PRIxGRUB_UINT64_T
		    "+0x%" PRIxGRUB_UINT64_T "\n", start, size);
      if (dom0less_pages_alloc (claims + boot->n_claims,
				GRUB_EFI_ALLOCATE_ADDRESS, start,
				size >> DOM0LESS_PAGE_SHIFT)
	  == GRUB_ERR_NONE)
	boot->n_claims++;
      else
	{
	  grub_errno = GRUB_ERR_NONE;
	  *missed = 1;
	}
    }
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_claim (struct dom0less_boot *boot)
{
  int i, round, missed = 1;

  if (boot->is_forced)
    return GRUB_ERR_NONE;
  /* A piece may be missed because two ranges have it, or because GRUB's heap
     has grown into it since the map was read: then a newer map has what is
     left of it.  What nobody could claim, the rules see when all is placed.  */
  for (round = 0; missed && round < CLAIM_ROUNDS; round++)
    {
      missed = 0;
      if (dom0less_memory_map (boot))
	return grub_errno;
      for (i = 0; i < boot->plan->n_ranges; i++)
	if (claim_range (boot, boot->plan->ranges + i, &missed))
	  return grub_errno;
    }
  return GRUB_ERR_NONE;
}

void
dom0less_clean_cache (const void *address, grub_size_t size)
{
  grub_uint64_t ctr, line, at, end;

  /* Xen reads modules through a mapping that is not cacheable, so every line
     has to have reached the Point of Coherency; GRUB's own
     grub_arch_sync_caches stops at the Point of Unification, which is enough
     for code only.  CTR_EL0.DminLine is the logarithm of the words in the
     smallest line of any data cache on the way: no line is left out.  */
  asm volatile ("mrs %0, ctr_el0" : "=r" (ctr));
  line = (grub_uint64_t) 4 << (ctr >> 16 & 15);

  end = (grub_addr_t) address + size;
  for (at = (grub_addr_t) address & ~(line - 1); at < end; at += line)
    asm volatile ("dc civac, %0" : : "r" (at) : "memory");
  /* Waits until all of them are done, for every observer.  */
  asm volatile ("dsb sy" : : : "memory");
}
