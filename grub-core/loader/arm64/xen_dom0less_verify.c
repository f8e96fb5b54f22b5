/* xen_dom0less_verify.c - show the verifiers trees, command lines and
   memory  */
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
#include <grub/misc.h>
#include <grub/mm.h>

#include "xen_dom0less_platform.h"

#define SHA256_SIZE		32
#define TREE_PREFIX		"dom0less_tree sha256:"
#define MEMORY_PREFIX		"dom0less_memory sha256:"

/* If NODE has the command line PROP, show it to the verifiers, which may
   refuse or measure it.  */
static grub_err_t
verify_command_line (struct dom0less_boot *boot, int node, const char *prop,
		     enum grub_verify_string_type type)
{
  const char *line = grub_dom0less_string (boot->tree.fdt, node, prop);
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

/* Show the verifiers a string that consists of PREFIX and the digest of the
   SIZE BYTES.  */
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

/* Show the verifiers the digest of the tree's canonical form, after overlays
   and a xen.cfg have been applied and before addresses are written.  */
static grub_err_t
verify_tree (struct dom0less_boot *boot)
{
  grub_size_t size = grub_dom0less_canonical (boot->tree.fdt, NULL, 0);
  char *form = grub_malloc (size);

  if (!form)
    return grub_errno;
  grub_dom0less_canonical (boot->tree.fdt, form, size);
  verify_digest (TREE_PREFIX, form, size);
  grub_free (form);
  return grub_errno;
}

/* Measure the SIZE bytes at ADDRESS, which NODE describes and which this
   loader has not loaded.  */
static grub_err_t
verify_memory (struct dom0less_boot *boot, int node, grub_uint64_t address,
	       grub_uint64_t size)
{
  if (!dom0less_platform_is_readable (boot, address, size))
    return dom0less_platform_leave_unmeasured (boot, node, address);
  return verify_digest (MEMORY_PREFIX, dom0less_platform_at (address), size);
}

/* Verify every command line that Xen will see, except the one made from the
   command's arguments, which GRUB's helper has already shown.  */
static grub_err_t
verify_command_lines (struct dom0less_boot *boot)
{
  int i;

  if (!boot->xen.args
      && verify_command_line (boot, boot->plan->chosen, "xen,xen-bootargs",
			      GRUB_VERIFY_KERNEL_CMDLINE))
    return grub_errno;
  for (i = 0; i < boot->plan->n_modules; i++)
    if (verify_command_line (boot, boot->plan->modules[i].node, "bootargs",
			     GRUB_VERIFY_MODULE_CMDLINE))
      return grub_errno;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_verify (struct dom0less_boot *boot)
{
  if (verify_tree (boot))
    return grub_errno;
  return verify_command_lines (boot);
}

grub_err_t
dom0less_verify_placed (struct dom0less_boot *boot)
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
