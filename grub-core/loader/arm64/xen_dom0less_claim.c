/* xen_dom0less_claim.c - memory that nothing else may be placed in  */
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

#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"

#define CLAIM_ROUNDS		4

/* If the tree fixes the place of IMAGE, allocate the memory there.  */
static grub_err_t
take_fixed_place (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module
    = dom0less_first_module (boot, image);
  uint64_t start, count;

  if (!module->has_reg)
    return GRUB_ERR_NONE;
  if (grub_dom0less_span (module->address, module->size, &start, &count)
      || dom0less_platform_alloc_at (boot->images + image, start, count))
    {
      grub_errno = GRUB_ERR_NONE;
      grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_ADDRESS_IN_USE,
			    module->node, GRUB_DOM0LESS_NONE,
			    boot->paths[boot->plan->images[image].module],
			    module->address, 0);
      return dom0less_set_error_from_findings (boot);
    }
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_claim_fixed_places (struct dom0less_boot *boot)
{
  int i;

  for (i = 0; i < boot->plan->n_images; i++)
    if (take_fixed_place (boot, i))
      return grub_errno;
  return GRUB_ERR_NONE;
}

/* Allocate the free pieces of the RANGE_SIZE bytes at RANGE_START.  Set
   *MISSED if a piece was no longer free.  */
static grub_err_t
claim_range (struct dom0less_boot *boot, grub_uint64_t range_start,
	     grub_uint64_t range_size, int *missed)
{
  int i;

  for (i = 0; i < boot->facts.n_memory; i++)
    {
      const struct grub_dom0less_memory *memory = boot->memory + i;
      struct dom0less_pages *claims;
      uint64_t start, size;

      if (memory->type != GRUB_DOM0LESS_MEMORY_FREE
	  || !grub_dom0less_clip_to_pages (memory, range_start, range_size,
					   &start, &size))
	continue;

      claims = dom0less_extend (boot->claims, boot->n_claims,
				sizeof (*claims));
      if (!claims)
	return grub_errno;
      boot->claims = claims;

      grub_dprintf ("xen_dom0less", "claiming 0x%" PRIxGRUB_UINT64_T
		    "+0x%" PRIxGRUB_UINT64_T "\n", start, size);
      if (dom0less_platform_alloc_at (claims + boot->n_claims, start,
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
dom0less_claim_ranges (struct dom0less_boot *boot)
{
  int i, round, missed = 1;

  /* A piece may be missed because two ranges contain it, or because GRUB's
     heap has grown into it since the map was read.  A newer map then shows
     what is left of it.  The rules will find whatever could not be claimed,
     once everything has been placed.  */
  for (round = 0; missed && round < CLAIM_ROUNDS; round++)
    {
      missed = 0;
      if (dom0less_platform_memory_map (boot))
	return grub_errno;
      for (i = 0; i < boot->plan->n_ranges; i++)
	if (claim_range (boot, boot->plan->ranges[i].start,
			 boot->plan->ranges[i].size, &missed))
	  return grub_errno;
      for (i = 0; i < boot->plan->n_strays; i++)
	if (claim_range (boot, boot->plan->strays[i].address,
			 boot->plan->strays[i].size, &missed))
	  return grub_errno;
    }
  return GRUB_ERR_NONE;
}
