/* xen_dom0less_load.c - from the plan to memory: verify, claim, load  */
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

#include <grub/types.h>
#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"

#define ADDRESS_LIMIT_32	0xffffffffULL

/* Return the highest address at which IMAGE may end, so that its address fits
   the cells of all its nodes.  */
static grub_uint64_t
address_limit (const struct grub_dom0less_plan *plan, int image)
{
  int i;

  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].image == image && plan->modules[i].cells.address == 1)
      return ADDRESS_LIMIT_32;
  return DOM0LESS_NO_LIMIT;
}

static char *
image_label (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module
    = dom0less_first_module (boot, image);
  const char *domain = dom0less_domain_name (boot, module->domain);
  int more = boot->plan->images[image].users - 1;

  if (more)
    return grub_xasprintf ("%s (and %d more): %s", domain, more,
			   grub_dom0less_kinds[module->kind].name);
  return grub_xasprintf ("%s: %s", domain,
			 grub_dom0less_kinds[module->kind].name);
}

/* Return an earlier image of the same file and kind, from which IMAGE can be
   copied.  Xen needs a separate copy, but no file has to be read or verified
   twice.  */
static int
find_same_file (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  int i;

  for (i = 0; i < image; i++)
    if (dom0less_first_module (boot, i)->kind
	== dom0less_first_module (boot, image)->kind
	&& grub_strcmp (boot->paths[plan->images[i].module],
			boot->paths[plan->images[image].module]) == 0)
      return i;
  return GRUB_DOM0LESS_NONE;
}

static grub_err_t
copy_image (struct dom0less_boot *boot, int from,
	    struct dom0less_buffer *buffer, grub_uint64_t limit)
{
  const struct grub_dom0less_module *module
    = dom0less_first_module (boot, from);

  buffer->size = module->size;
  if (dom0less_platform_alloc (&buffer->pages, limit,
			       DOM0LESS_PAGES (buffer->size)))
    return grub_errno;
  grub_memcpy (dom0less_buffer_bytes (buffer),
	       dom0less_platform_at (module->address), buffer->size);
  return GRUB_ERR_NONE;
}

/* Move BUFFER to IMAGE's fixed place.  The size is limited by the pages that
   were allocated there, and not only by the numbers in the tree.  */
static grub_err_t
move_to_fixed_place (struct dom0less_boot *boot, int image,
		     struct dom0less_buffer *buffer)
{
  const struct grub_dom0less_module *module
    = dom0less_first_module (boot, image);
  const struct dom0less_pages *pages = boot->images + image;
  grub_uint64_t before = module->address & DOM0LESS_PAGE_MASK;

  if (buffer->size > module->size
      || before > pages->count << DOM0LESS_PAGE_SHIFT
      || buffer->size > (pages->count << DOM0LESS_PAGE_SHIFT) - before)
    {
      grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_FILE_TOO_BIG,
			    module->node, GRUB_DOM0LESS_NONE,
			    boot->paths[boot->plan->images[image].module],
			    buffer->size, module->size);
      return dom0less_set_error_from_findings (boot);
    }
  grub_memcpy (dom0less_platform_at (module->address),
	       dom0less_buffer_bytes (buffer), buffer->size);
  dom0less_platform_free (&buffer->pages);
  return GRUB_ERR_NONE;
}

/* Store the location of IMAGE in all of its modules.  */
static void
place_image (struct dom0less_boot *boot, int image,
	     grub_uint64_t address, grub_size_t size)
{
  int i;

  dom0less_platform_clean_cache (dom0less_platform_at (address), size);
  for (i = 0; i < boot->plan->n_modules; i++)
    if (boot->plan->modules[i].image == image)
      {
	boot->plan->modules[i].address = address;
	boot->plan->modules[i].size = size;
	if (boot->plan->modules[i].kind == GRUB_DOM0LESS_KERNEL)
	  grub_dom0less_read_kernel (&boot->plan->modules[i].kernel,
				     dom0less_platform_at (address), size,
				     &boot->facts.xen);
      }
}

/* Return the rule that a file breaks if GRUB has refused it with ERR.  */
static enum grub_dom0less_rule_number
rule_of_error (grub_err_t err)
{
  switch (err)
    {
    case GRUB_ERR_FILE_NOT_FOUND:
    case GRUB_ERR_UNKNOWN_DEVICE:
    case GRUB_ERR_BAD_FILENAME:
      return GRUB_DOM0LESS_RULE_FILE_MISSING;
    case GRUB_ERR_BAD_SIGNATURE:
    case GRUB_ERR_ACCESS_DENIED:
      return GRUB_DOM0LESS_RULE_FILE_REFUSED;
    default:
      return GRUB_DOM0LESS_RULE_FILE_UNREADABLE;
    }
}

static grub_err_t
read_image (struct dom0less_boot *boot, int image,
	    struct dom0less_buffer *buffer, grub_uint64_t limit)
{
  const char *path = boot->paths[boot->plan->images[image].module];
  char *label = image_label (boot, image);

  if (!label)
    return grub_errno;
  dom0less_read_file (path,
		      GRUB_FILE_TYPE_XEN_MODULE | GRUB_FILE_TYPE_NO_DECOMPRESS,
		      limit, label, &buffer->pages, &buffer->size);
  grub_free (label);

  if (grub_errno)
    {
      enum grub_dom0less_rule_number rule = rule_of_error (grub_errno);

      grub_errno = GRUB_ERR_NONE;
      return dom0less_fail (boot, rule,
			    dom0less_first_module (boot, image)->node,
			    dom0less_bare_message (grub_errmsg));
    }
  if (buffer->size == 0)
    return dom0less_refuse_image (boot, image, GRUB_DOM0LESS_RULE_FILE_EMPTY,
				  "", "");
  if (dom0less_first_module (boot, image)->kind == GRUB_DOM0LESS_XSM_POLICY
      && !grub_dom0less_is_policy (dom0less_buffer_bytes (buffer),
				   buffer->size))
    return dom0less_refuse_image (boot, image,
				  GRUB_DOM0LESS_RULE_POLICY_FORMAT, "", "");
  return GRUB_ERR_NONE;
}

/* Check how Xen will use BUFFER, a domain's device tree.  */
static grub_err_t
check_device_tree (struct dom0less_boot *boot, int image,
		   const struct dom0less_buffer *buffer)
{
  const char *fault, *name = "";
  char *text;
  int node, is_fatal;

  fault = grub_dom0less_passthrough_fault (dom0less_buffer_bytes (buffer),
					   buffer->size, boot->tree.fdt,
					   &boot->facts.xen, &node, &is_fatal);
  if (!fault)
    return GRUB_ERR_NONE;
  if (node > 0)
    name = grub_dom0less_node_name (dom0less_buffer_bytes (buffer), node);
  text = grub_xasprintf ("%s%s%s", name, *name ? ": " : "", fault);
  if (!text)
    return grub_errno;
  dom0less_refuse_image (boot, image,
			 is_fatal ? GRUB_DOM0LESS_RULE_DEVICE_TREE_BROKEN
			 : GRUB_DOM0LESS_RULE_DEVICE_LOST, ": ", text);
  grub_free (text);
  return grub_errno;
}

static grub_err_t
load_image (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module
    = dom0less_first_module (boot, image);
  grub_uint64_t limit = address_limit (boot->plan, image);
  int same = find_same_file (boot, image);
  struct dom0less_buffer buffer;

  buffer.pages.count = 0;
  if (same != GRUB_DOM0LESS_NONE)
    copy_image (boot, same, &buffer, limit);
  else
    read_image (boot, image, &buffer, limit);
  /* A copy has to be prepared too, because a single domain may use a packed
     kernel that several domains cannot share.  */
  if (!grub_errno && module->kind == GRUB_DOM0LESS_KERNEL)
    dom0less_prepare_kernel (boot, image, &buffer, limit);
  if (!grub_errno && module->kind == GRUB_DOM0LESS_DEVICE_TREE)
    check_device_tree (boot, image, &buffer);
  if (grub_errno)
    goto fail;

  if (module->has_reg)
    {
      if (move_to_fixed_place (boot, image, &buffer))
	goto fail;
      place_image (boot, image, module->address, buffer.size);
      return GRUB_ERR_NONE;
    }
  boot->images[image] = buffer.pages;
  place_image (boot, image, buffer.pages.address, buffer.size);
  return GRUB_ERR_NONE;

 fail:
  dom0less_platform_free (&buffer.pages);
  return grub_errno;
}

grub_err_t
dom0less_load (struct dom0less_boot *boot)
{
  int i;

  if (dom0less_verify (boot) || dom0less_check_placed_kernels (boot)
      || dom0less_claim_fixed_places (boot) || dom0less_claim_ranges (boot)
      || dom0less_verify_placed (boot))
    return grub_errno;
  /* The number of images may grow in this loop.  */
  for (i = 0; i < boot->plan->n_images; i++)
    if (load_image (boot, i))
      return grub_errno;
  return dom0less_platform_load_xen (boot);
}
