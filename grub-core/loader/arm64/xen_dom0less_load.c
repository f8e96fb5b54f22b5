/* xen_dom0less_load.c - claim ranges; each distinct file into memory  */
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
#include <grub/crypto.h>
#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"

#define ADDRESS_LIMIT_32	0xffffffffULL
#define CLAIM_ROUNDS		4
#define SHA256_SIZE		32
#define TREE_PREFIX		"dom0less_tree sha256:"
#define MEMORY_PREFIX		"dom0less_memory sha256:"

/* One image on its way: what was read, or what was made of it.  */
struct buffer
{
  struct dom0less_pages pages;
  grub_size_t size;
};

static void *
buffer_bytes (const struct buffer *buffer)
{
  return dom0less_platform_at (buffer->pages.address);
}

static struct grub_dom0less_module *
first_module (struct dom0less_boot *boot, int image)
{
  return boot->plan->modules + boot->plan->images[image].module;
}

/* Show the command line PROP of NODE, if it is one, to the verifiers: they may
   refuse or measure it.  */
static grub_err_t
verify_command_line (struct dom0less_boot *boot, int node, const char *prop,
		     enum grub_verify_string_type type)
{
  const char *line = grub_dom0less_string (boot->tree, node, prop);
  char *copy;

  if (!line)
    return GRUB_ERR_NONE;
  copy = grub_strdup (line);
  if (!copy)
    return grub_errno;
  dom0less_platform_verify (copy, type);
  grub_free (copy);
  return grub_errno;
}

/* Show the verifiers a string of PREFIX and the digest of the SIZE BYTES.  */
static grub_err_t
verify_digest (const char *prefix, const void *bytes, grub_size_t size)
{
  char text[sizeof (MEMORY_PREFIX) + 2 * SHA256_SIZE];
  char *at = grub_stpcpy (text, prefix);
  grub_uint8_t digest[SHA256_SIZE];
  int i;

  grub_crypto_hash (GRUB_MD_SHA256, digest, bytes, size);
  for (i = 0; i < SHA256_SIZE; i++, at += 2)
    grub_snprintf (at, 3, "%02x", digest[i]);
  return dom0less_platform_verify (text, GRUB_VERIFY_MODULE_CMDLINE);
}

/* Show the verifiers what the tree says, wherever it came from and whatever
   overlays and a xen.cfg have made of it, before addresses come in: its
   canonical form.  */
static grub_err_t
verify_tree (struct dom0less_boot *boot)
{
  grub_size_t size = grub_dom0less_canonical (boot->tree, NULL, 0);
  char *form = grub_malloc (size);

  if (!form)
    return grub_errno;
  grub_dom0less_canonical (boot->tree, form, size);
  verify_digest (TREE_PREFIX, form, size);
  grub_free (form);
  return grub_errno;
}

/* The SIZE bytes at ADDRESS, which NODE names and nobody here has loaded.  */
static grub_err_t
verify_memory (struct dom0less_boot *boot, int node, grub_uint64_t address,
	       grub_uint64_t size)
{
  if (!dom0less_platform_is_readable (boot, address, size))
    return dom0less_platform_leave_unmeasured (boot, node, address);
  return verify_digest (MEMORY_PREFIX, dom0less_platform_at (address), size);
}

/* All that Xen will take from memory which somebody else has filled, where
   somebody keeps record of what is started.  It has been claimed, so that it
   stays what it is.  */
static grub_err_t
verify_placed (struct dom0less_boot *boot)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  int i;

  if (!dom0less_platform_is_measuring ())
    return GRUB_ERR_NONE;
  for (i = 0; i < plan->n_modules; i++)
    if (plan->modules[i].has_reg
	&& plan->modules[i].image == GRUB_DOM0LESS_NONE
	&& verify_memory (boot, plan->modules[i].node, plan->modules[i].address,
			  plan->modules[i].size))
      return grub_errno;
  for (i = 0; i < plan->n_strays; i++)
    if (plan->strays[i].has_place
	&& verify_memory (boot, plan->strays[i].node, plan->strays[i].address,
			  plan->strays[i].size))
      return grub_errno;
  return GRUB_ERR_NONE;
}

/* Every command line that Xen will see.  The one of our own arguments GRUB's
   helper has shown already.  */
static grub_err_t
verify_command_lines (struct dom0less_boot *boot)
{
  int i;

  if (!boot->xen_args
      && verify_command_line (boot, boot->plan->chosen, "xen,xen-bootargs",
			      GRUB_VERIFY_KERNEL_CMDLINE))
    return grub_errno;
  for (i = 0; i < boot->plan->n_modules; i++)
    if (verify_command_line (boot, boot->plan->modules[i].node, "bootargs",
			     GRUB_VERIFY_MODULE_CMDLINE))
      return grub_errno;
  return GRUB_ERR_NONE;
}

/* Take the memory that IMAGE has to lie in, if the tree says where.  */
static grub_err_t
take_fixed_place (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module = first_module (boot, image);
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

/* Up to where IMAGE may lie, so that its address fits all its nodes.  */
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
  const struct grub_dom0less_module *module = first_module (boot, image);
  const char *domain = dom0less_domain_name (boot, module->domain);
  int more = boot->plan->images[image].users - 1;

  if (more)
    return grub_xasprintf ("%s (and %d more): %s", domain, more,
			   grub_dom0less_kinds[module->kind].name);
  return grub_xasprintf ("%s: %s", domain,
			 grub_dom0less_kinds[module->kind].name);
}

/* Report RULE about IMAGE's file: "PATH SEPARATOR WHAT".  */
static grub_err_t
refuse_image (struct dom0less_boot *boot, int image,
	      enum grub_dom0less_rule_number rule, const char *separator,
	      const char *what)
{
  const char *path = boot->paths[boot->plan->images[image].module];
  char *text;

  /* WHAT may be GRUB's own message.  */
  text = grub_xasprintf ("%s%s%s", path, separator, what);
  grub_errno = GRUB_ERR_NONE;
  dom0less_fail (boot, rule, first_module (boot, image)->node,
		 text ? text : path);
  grub_free (text);
  return grub_errno;
}

/* The image before IMAGE that came from the same file and may serve again: Xen
   wants a copy of its own, but nothing has to be read, or verified, twice.  */
static int
find_same_file (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_plan *plan = boot->plan;
  int i;

  for (i = 0; i < image; i++)
    if (first_module (boot, i)->kind == first_module (boot, image)->kind
	&& grub_strcmp (boot->paths[plan->images[i].module],
			boot->paths[plan->images[image].module]) == 0)
      return i;
  return GRUB_DOM0LESS_NONE;
}

static grub_err_t
copy_image (struct dom0less_boot *boot, int from, struct buffer *buffer,
	    grub_uint64_t limit)
{
  const struct grub_dom0less_module *module = first_module (boot, from);

  buffer->size = module->size;
  if (dom0less_platform_alloc (&buffer->pages, limit,
			       DOM0LESS_PAGES (buffer->size)))
    return grub_errno;
  grub_memcpy (buffer_bytes (buffer), dom0less_platform_at (module->address),
	       buffer->size);
  return GRUB_ERR_NONE;
}

/* Replace BUFFER by what the SIZE bytes at OFFSET of it unpack to, UNPACKED
   bytes if that is known.  */
static grub_err_t
unpack_buffer (struct dom0less_boot *boot, int image, struct buffer *buffer,
	       grub_size_t offset, grub_size_t size, grub_size_t unpacked,
	       const char *compression, grub_uint64_t limit)
{
  struct buffer inside;

  inside.size = unpacked;
  if (dom0less_unpack ((char *) buffer_bytes (buffer) + offset, size,
		       compression, limit, &inside.pages, &inside.size))
    return refuse_image (boot, image, GRUB_DOM0LESS_RULE_KERNEL_BROKEN, ": ",
			 dom0less_bare_message (grub_errmsg));
  dom0less_platform_free (&buffer->pages);
  *buffer = inside;
  return GRUB_ERR_NONE;
}

/* Make of BUFFER what Xen takes, and all of IMAGE's domains can use.  */
static grub_err_t
prepare_kernel (struct dom0less_boot *boot, int image, struct buffer *buffer,
		grub_uint64_t limit)
{
  enum grub_dom0less_format format
    = grub_dom0less_kernel_format (buffer_bytes (buffer), buffer->size);
  struct grub_dom0less_zboot zboot;
  const char *fault;

  if (format == GRUB_DOM0LESS_FORMAT_ZBOOT)
    {
      if (grub_dom0less_read_zboot (&zboot, buffer_bytes (buffer), buffer->size))
	return refuse_image (boot, image, GRUB_DOM0LESS_RULE_KERNEL_BROKEN,
			     ": ", "its zboot header contradicts itself");
      if (unpack_buffer (boot, image, buffer, zboot.offset, zboot.size,
			 zboot.unpacked, zboot.compression, limit))
	return grub_errno;
      format = grub_dom0less_kernel_format (buffer_bytes (buffer), buffer->size);
    }
  else if (format == GRUB_DOM0LESS_FORMAT_GZIP
	   && boot->plan->images[image].users > 1)
    {
      /* Xen would unpack it for one domain and free it before the next.  */
      if (unpack_buffer (boot, image, buffer, 0, buffer->size, 0, "gzip", limit))
	return grub_errno;
      format = grub_dom0less_kernel_format (buffer_bytes (buffer), buffer->size);
    }
  else if (boot->plan->images[image].users > 1
	   && grub_dom0less_kernel_consumed (buffer_bytes (buffer), buffer->size))
    grub_dom0less_plan_unshare (boot->plan, image);

  if (format == GRUB_DOM0LESS_FORMAT_UIMAGE)
    {
      fault = grub_dom0less_uimage_fault (buffer_bytes (buffer), buffer->size,
					  &boot->facts.xen);
      if (fault)
	return refuse_image (boot, image, GRUB_DOM0LESS_RULE_KERNEL_FORMAT,
			     " is ", fault);
    }
  if (!grub_dom0less_format_ok (format))
    return refuse_image (boot, image, GRUB_DOM0LESS_RULE_KERNEL_FORMAT,
			 " is ", grub_dom0less_format_name (format));
  return GRUB_ERR_NONE;
}

/* Move BUFFER to where the tree wants IMAGE.  What there is room for is what has
   been allocated, whatever a rule has made of the tree's numbers.  */
static grub_err_t
move_to_fixed_place (struct dom0less_boot *boot, int image,
		     struct buffer *buffer)
{
  const struct grub_dom0less_module *module = first_module (boot, image);
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
  grub_memcpy (dom0less_platform_at (module->address), buffer_bytes (buffer),
	       buffer->size);
  dom0less_platform_free (&buffer->pages);
  return GRUB_ERR_NONE;
}

/* Write where IMAGE lies into all of its modules.  */
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

/* Which rule a file breaks that GRUB has refused with ERR.  */
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
read_image (struct dom0less_boot *boot, int image, struct buffer *buffer,
	    grub_uint64_t limit)
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
      return dom0less_fail (boot, rule, first_module (boot, image)->node,
			    dom0less_bare_message (grub_errmsg));
    }
  if (buffer->size == 0)
    return refuse_image (boot, image, GRUB_DOM0LESS_RULE_FILE_EMPTY, "", "");
  if (first_module (boot, image)->kind == GRUB_DOM0LESS_XSM_POLICY
      && !grub_dom0less_is_policy (buffer_bytes (buffer), buffer->size))
    return refuse_image (boot, image, GRUB_DOM0LESS_RULE_POLICY_FORMAT,
			 "", "");
  return GRUB_ERR_NONE;
}

/* See what Xen will make of BUFFER, a domain's device tree.  */
static grub_err_t
check_device_tree (struct dom0less_boot *boot, int image,
		   const struct buffer *buffer)
{
  const char *fault, *name = "";
  char *text;
  int node, is_fatal;

  fault = grub_dom0less_passthrough_fault (buffer_bytes (buffer), buffer->size,
					   boot->tree, &boot->facts.xen,
					   &node, &is_fatal);
  if (!fault)
    return GRUB_ERR_NONE;
  if (node > 0)
    name = grub_dom0less_node_name (buffer_bytes (buffer), node);
  text = grub_xasprintf ("%s%s%s", name, *name ? ": " : "", fault);
  if (!text)
    return grub_errno;
  refuse_image (boot, image, is_fatal ? GRUB_DOM0LESS_RULE_DEVICE_TREE_BROKEN
		: GRUB_DOM0LESS_RULE_DEVICE_LOST, ": ", text);
  grub_free (text);
  return grub_errno;
}

static grub_err_t
load_image (struct dom0less_boot *boot, int image)
{
  const struct grub_dom0less_module *module = first_module (boot, image);
  grub_uint64_t limit = address_limit (boot->plan, image);
  int same = find_same_file (boot, image);
  struct buffer buffer;

  buffer.pages.count = 0;
  if (same != GRUB_DOM0LESS_NONE)
    copy_image (boot, same, &buffer, limit);
  else
    read_image (boot, image, &buffer, limit);
  /* A copy too: one domain may take packed what several cannot.  */
  if (!grub_errno && module->kind == GRUB_DOM0LESS_KERNEL)
    prepare_kernel (boot, image, &buffer, limit);
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

/* Kernels that somebody else has placed, for more than one domain: Xen can
   unpack such a one only once.  */
static grub_err_t
check_placed_kernels (struct dom0less_boot *boot)
{
  const struct grub_dom0less_module *modules = boot->plan->modules;
  int i, j;

  for (i = 0; i < boot->plan->n_modules; i++)
    for (j = 0; j < i; j++)
      if (modules[i].kind == GRUB_DOM0LESS_KERNEL
	  && modules[j].kind == GRUB_DOM0LESS_KERNEL
	  && modules[i].image == GRUB_DOM0LESS_NONE
	  && modules[j].image == GRUB_DOM0LESS_NONE
	  && modules[i].address == modules[j].address
	  && dom0less_platform_is_readable (boot, modules[i].address,
					    GRUB_DOM0LESS_HEADER_SIZE)
	  && grub_dom0less_kernel_consumed
	       (dom0less_platform_at (modules[i].address),
		GRUB_DOM0LESS_HEADER_SIZE))
	{
	  grub_dom0less_report (&boot->context,
				GRUB_DOM0LESS_RULE_KERNEL_CONSUMED,
				modules[i].node, modules[j].node, NULL,
				modules[i].address, 0);
	  break;
	}
  return dom0less_set_error_from_findings (boot);
}

/* Take what is free of the RANGE_SIZE bytes at RANGE_START; *MISSED is set if a
   piece was not any more.  */
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

  /* A piece may be missed because two ranges have it, or because GRUB's heap
     has grown into it since the map was read: then a newer map has what is
     left of it.  What nobody could claim, the rules see when all is placed.  */
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

grub_err_t
dom0less_load (struct dom0less_boot *boot)
{
  int i;

  if (verify_tree (boot) || verify_command_lines (boot)
      || check_placed_kernels (boot))
    return grub_errno;
  for (i = 0; i < boot->plan->n_images; i++)
    if (take_fixed_place (boot, i))
      return grub_errno;
  if (dom0less_claim_ranges (boot) || verify_placed (boot))
    return grub_errno;
  /* Their number may grow on the way.  */
  for (i = 0; i < boot->plan->n_images; i++)
    if (load_image (boot, i))
      return grub_errno;
  return dom0less_platform_load_xen (boot);
}
