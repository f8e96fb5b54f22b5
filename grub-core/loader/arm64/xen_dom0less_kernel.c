/* xen_dom0less_kernel.c - convert a kernel to what Xen can start  */
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

#include "xen_dom0less_platform.h"

/* Replace BUFFER by the result of unpacking its SIZE bytes from OFFSET on.
   UNPACKED is the size of the result, if that is known.  */
static grub_err_t
unpack_buffer (struct dom0less_boot *boot, int image,
	       struct dom0less_buffer *buffer, grub_size_t offset,
	       grub_size_t size, grub_size_t unpacked,
	       const char *compression, grub_uint64_t limit)
{
  struct dom0less_buffer inside;

  inside.size = unpacked;
  if (dom0less_unpack ((char *) dom0less_buffer_bytes (buffer) + offset, size,
		       compression, limit, &inside.pages, &inside.size))
    return dom0less_refuse_image (boot, image,
				  GRUB_DOM0LESS_RULE_KERNEL_BROKEN, ": ",
				  dom0less_bare_message (grub_errmsg));
  dom0less_platform_free (&buffer->pages);
  *buffer = inside;
  return GRUB_ERR_NONE;
}

static enum grub_dom0less_format
format_of (const struct dom0less_buffer *buffer)
{
  return grub_dom0less_kernel_format (dom0less_buffer_bytes (buffer),
				      buffer->size);
}

/* Replace BUFFER, an EFI zboot image, by the kernel that it contains.  */
static grub_err_t
unpack_zboot (struct dom0less_boot *boot, int image,
	      struct dom0less_buffer *buffer, grub_uint64_t limit)
{
  struct grub_dom0less_zboot zboot;

  if (grub_dom0less_read_zboot (&zboot, dom0less_buffer_bytes (buffer),
				buffer->size))
    return dom0less_refuse_image (boot, image,
				  GRUB_DOM0LESS_RULE_KERNEL_BROKEN, ": ",
				  "its zboot header contradicts itself");
  return unpack_buffer (boot, image, buffer, zboot.offset, zboot.size,
			zboot.unpacked, zboot.compression, limit);
}

grub_err_t
dom0less_prepare_kernel (struct dom0less_boot *boot, int image,
			 struct dom0less_buffer *buffer, grub_uint64_t limit)
{
  enum grub_dom0less_format format = format_of (buffer);
  int is_shared = boot->plan->images[image].users > 1;
  const char *fault;

  if (format == GRUB_DOM0LESS_FORMAT_ZBOOT)
    {
      if (unpack_zboot (boot, image, buffer, limit))
	return grub_errno;
    }
  else if (format == GRUB_DOM0LESS_FORMAT_GZIP && is_shared)
    {
      /* Xen would unpack the kernel for one domain and free it before the next
	 domain needs it.  */
      if (unpack_buffer (boot, image, buffer, 0, buffer->size, 0, "gzip",
			 limit))
	return grub_errno;
    }
  else if (is_shared
	   && grub_dom0less_kernel_consumed (dom0less_buffer_bytes (buffer),
					     buffer->size))
    grub_dom0less_plan_unshare (boot->plan, image);

  format = format_of (buffer);
  if (format == GRUB_DOM0LESS_FORMAT_UIMAGE)
    {
      fault = grub_dom0less_uimage_fault (dom0less_buffer_bytes (buffer),
					  buffer->size, &boot->facts.xen);
      if (fault)
	return dom0less_refuse_image (boot, image,
				      GRUB_DOM0LESS_RULE_KERNEL_FORMAT,
				      " is ", fault);
    }
  if (!grub_dom0less_format_ok (format))
    return dom0less_refuse_image (boot, image,
				  GRUB_DOM0LESS_RULE_KERNEL_FORMAT, " is ",
				  grub_dom0less_format_name (format));
  return GRUB_ERR_NONE;
}

/* Return whether MODULE is a kernel that another loader has placed in memory
   that can be read.  */
static int
is_placed_kernel (struct dom0less_boot *boot,
		  const struct grub_dom0less_module *module)
{
  return (module->kind == GRUB_DOM0LESS_KERNEL
	  && module->image == GRUB_DOM0LESS_NONE && module->has_reg
	  && dom0less_platform_is_readable (boot, module->address,
					    GRUB_DOM0LESS_HEADER_SIZE)
	  && dom0less_platform_is_readable (boot, module->address,
					    module->size));
}

/* Check whether Xen accepts the kernel in memory that MODULE describes, and
   read its header.  */
static grub_err_t
check_placed_kernel (struct dom0less_boot *boot,
		     struct grub_dom0less_module *module)
{
  const void *header = dom0less_platform_at (module->address);
  grub_size_t size = module->size < GRUB_DOM0LESS_HEADER_SIZE
    ? module->size : GRUB_DOM0LESS_HEADER_SIZE;
  enum grub_dom0less_format format = grub_dom0less_kernel_format (header, size);
  const char *fault = NULL;
  char *text;

  if (format == GRUB_DOM0LESS_FORMAT_UIMAGE)
    fault = grub_dom0less_uimage_fault (header, module->size, &boot->facts.xen);
  else if (!grub_dom0less_format_ok (format))
    fault = grub_dom0less_format_name (format);
  if (!fault)
    {
      grub_dom0less_read_kernel (&module->kernel, header, module->size,
				 &boot->facts.xen);
      return GRUB_ERR_NONE;
    }
  text = grub_xasprintf ("what lies at 0x%" PRIxGRUB_UINT64_T " is %s",
			 module->address, fault);
  if (!text)
    return grub_errno;
  dom0less_fail (boot, GRUB_DOM0LESS_RULE_KERNEL_FORMAT, module->node, text);
  grub_free (text);
  return grub_errno;
}

grub_err_t
dom0less_check_placed_kernels (struct dom0less_boot *boot)
{
  struct grub_dom0less_module *modules = boot->plan->modules;
  int i, j;

  for (i = 0; i < boot->plan->n_modules; i++)
    {
      if (!is_placed_kernel (boot, modules + i))
	continue;
      if (check_placed_kernel (boot, modules + i))
	return grub_errno;
      for (j = 0; j < i; j++)
	if (is_placed_kernel (boot, modules + j)
	    && modules[i].address == modules[j].address
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
    }
  return dom0less_set_error_from_findings (boot);
}
