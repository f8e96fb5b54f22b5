/* xen_dom0less_memory.c - pages, the memory map and caches  */
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
#include <grub/cpu/efi/memory.h>
#include <grub/mm.h>
#include <grub/misc.h>
#include <grub/safemath.h>

#include "xen_dom0less_platform.h"

static grub_err_t
alloc (struct dom0less_pages *pages, grub_efi_allocate_type_t type,
       grub_uint64_t address, grub_size_t count)
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

grub_err_t
dom0less_platform_alloc (struct dom0less_pages *pages, grub_uint64_t limit,
			 grub_size_t count)
{
  if (limit > GRUB_EFI_MAX_USABLE_ADDRESS)
    limit = GRUB_EFI_MAX_USABLE_ADDRESS;
  return alloc (pages, GRUB_EFI_ALLOCATE_MAX_ADDRESS, limit, count);
}

grub_err_t
dom0less_platform_alloc_at (struct dom0less_pages *pages, grub_uint64_t address,
			    grub_size_t count)
{
  return alloc (pages, GRUB_EFI_ALLOCATE_ADDRESS, address, count);
}

void
dom0less_platform_free (struct dom0less_pages *pages)
{
  if (pages->count)
    grub_efi_free_pages (pages->address, pages->count);
  pages->count = 0;
}

/* The firmware maps memory one to one.  */
void *
dom0less_platform_at (grub_uint64_t address)
{
  return (void *) (grub_addr_t) address;
}

static enum grub_dom0less_memory_type
memory_type (const grub_efi_memory_descriptor_t *descriptor)
{
  /* Xen uses write-back memory only (xen/arch/arm/efi/efi-boot.h).  */
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

static grub_err_t
no_memory_map (void)
{
  return grub_error (GRUB_ERR_IO,
		     N_("cannot read the firmware's memory map"));
}

grub_err_t
dom0less_platform_memory_map (struct dom0less_boot *boot)
{
  grub_efi_uintn_t size = 0, step = 0, offset;
  grub_efi_memory_descriptor_t *map = NULL;
  int status;

  grub_free (boot->memory);
  boot->memory = NULL;
  boot->facts.memory = NULL;
  boot->facts.n_memory = 0;

  /* Reserve space for descriptors that the allocations below may add.  */
  if (grub_efi_get_memory_map (&size, NULL, NULL, &step, NULL) < 0)
    return no_memory_map ();
  if (step < sizeof (*map) || grub_add (size, 16 * step, &size))
    return no_memory_map ();

  map = grub_malloc (size);
  boot->memory = grub_calloc (size / step, sizeof (*boot->memory));
  if (!map || !boot->memory)
    goto fail;

  status = grub_efi_get_memory_map (&size, map, NULL, &step, NULL);
  if (status != 1)
    {
      no_memory_map ();
      goto fail;
    }

  for (offset = 0; offset + step <= size; offset += step)
    {
      const grub_efi_memory_descriptor_t *descriptor
	= (void *) ((char *) map + offset);
      struct grub_dom0less_memory *memory
	= boot->memory + boot->facts.n_memory++;

      memory->type = memory_type (descriptor);
      memory->start = descriptor->physical_start;
      if (grub_mul (descriptor->num_pages,
		    (grub_uint64_t) 1 << DOM0LESS_PAGE_SHIFT, &memory->size))
	memory->size = ~(grub_uint64_t) 0;
    }
  grub_dom0less_sort_memory (boot->memory, boot->facts.n_memory);
  boot->facts.memory = boot->memory;

 fail:
  grub_free (map);
  return grub_errno;
}

int
dom0less_platform_is_readable (const struct dom0less_boot *boot,
			       grub_uint64_t address, grub_uint64_t size)
{
  int i = 0;

  /* The range may extend over several pieces of the firmware's map, which are
     in no particular order.  */
  while (size && i < boot->facts.n_memory)
    {
      const struct grub_dom0less_memory *memory = boot->memory + i++;
      grub_uint64_t offset = address - memory->start;

      if (memory->type == GRUB_DOM0LESS_MEMORY_FIRMWARE
	  || address < memory->start || offset >= memory->size)
	continue;
      if (size <= memory->size - offset)
	return 1;
      size -= memory->size - offset;
      /* There is nothing to read above the last address.  */
      if (grub_add (memory->start, memory->size, &address))
	return 0;
      i = 0;
    }
  return size == 0;
}

void
dom0less_platform_clean_cache (const void *address, grub_size_t size)
{
  grub_uint64_t ctr, line, at, end;

  /* Xen reads modules through a mapping that is not cacheable, so every line
     has to reach the Point of Coherency.  GRUB's own grub_arch_sync_caches
     stops at the Point of Unification, which is sufficient for code only.
     CTR_EL0.DminLine is the base-2 logarithm of the number of words in the
     smallest line of any data cache on the path, so no line is left out.  */
  asm volatile ("mrs %0, ctr_el0" : "=r" (ctr));
  line = (grub_uint64_t) 4 << (ctr >> 16 & 15);

  end = (grub_addr_t) address + size;
  for (at = (grub_addr_t) address & ~(line - 1); at < end; at += line)
    asm volatile ("dc civac, %0" : : "r" (at) : "memory");
  /* Wait until all lines have been cleaned, for every observer.  */
  asm volatile ("dsb sy" : : : "memory");
}
