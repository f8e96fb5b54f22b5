/* xen_dom0less_inputs.c - read Xen, the config and the tree, and make the
   plan  */
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
#include <grub/safemath.h>

#include "xen_dom0less_platform.h"

static grub_err_t
read_xen (struct dom0less_boot *boot)
{
  boot->xen.path = dom0less_platform_full_name (boot->request->xen);
  if (!boot->xen.path
      || dom0less_read_file (boot->xen.path, GRUB_FILE_TYPE_XEN_HYPERVISOR,
			     DOM0LESS_NO_LIMIT, NULL,
			     &boot->xen.file, &boot->xen.size))
    return grub_errno;
  return dom0less_read_xen_facts (boot);
}

/* Read the tree of --dtb, or else the config's, or else the machine's.  */
static grub_err_t
read_base (struct dom0less_boot *boot)
{
  char *name = NULL;
  const char *dtb;

  if (boot->request->dtb)
    name = dom0less_platform_full_name (boot->request->dtb);
  else if (boot->config.text
	   && (dtb = grub_dom0less_config_value (boot->config.text,
						 boot->config.size,
						 boot->config.section, "dtb")))
    name = dom0less_resolve_name (boot, dtb);
  if (!grub_errno)
    dom0less_read_tree (boot, name);
  grub_free (name);
  return grub_errno;
}

/* Return whether the tree requires a xen.cfg for its dom0, and none has been
   read.  */
static int
wants_config (struct dom0less_boot *boot)
{
  int chosen = fdt_path_offset (boot->tree.fdt, "/chosen");

  return (!boot->config.text && chosen >= 0
	  && fdt_getprop (boot->tree.fdt, chosen, "xen,uefi-cfg-load", NULL));
}

static grub_err_t
read_config_and_tree (struct dom0less_boot *boot)
{
  if (boot->request->config
      && dom0less_read_config (boot, boot->request->config))
    return grub_errno;
  if (read_base (boot))
    return grub_errno;

  if (wants_config (boot))
    {
      if (dom0less_read_config (boot, NULL))
	return grub_errno;
      /* As in Xen's stub, the config's tree replaces the tree that asked for
	 the config.  */
      if (!boot->request->dtb
	  && grub_dom0less_config_value (boot->config.text, boot->config.size,
					 boot->config.section, "dtb")
	  && read_base (boot))
	return grub_errno;
    }
  if (boot->config.text)
    return dom0less_apply_config (boot);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_read_inputs (struct dom0less_boot *boot)
{
  if (dom0less_platform_check_trust (boot))
    return grub_errno;
  boot->context.xen_args = boot->xen.args;
  if (read_xen (boot) || read_config_and_tree (boot))
    return grub_errno;
  return dom0less_read_keys (boot);
}

grub_err_t
dom0less_make_plan (struct dom0less_boot *boot)
{
  int i;

  boot->plan = grub_malloc (sizeof (*boot->plan));
  if (!boot->plan)
    return grub_errno;
  grub_dom0less_plan_read (boot->plan, boot->tree.fdt);
  boot->context.plan = boot->plan;

  boot->paths = grub_calloc (boot->plan->n_modules + 1, sizeof (char *));
  /* Fewer modules may share an image later, so there may be up to one image
     for each module.  */
  boot->images = grub_calloc (boot->plan->n_modules + 1,
			      sizeof (*boot->images));
  if (!boot->paths || !boot->images)
    return grub_errno;
  for (i = 0; i < boot->plan->n_modules; i++)
    {
      boot->paths[i] = dom0less_module_path (boot, boot->plan->modules + i);
      if (grub_errno)
	return grub_errno;
    }
  dom0less_report_unused_keys (boot);
  grub_dom0less_plan_share (boot->plan, (const char *const *) boot->paths);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_check_rules (struct dom0less_boot *boot, enum grub_dom0less_phase phase)
{
  dom0less_platform_read_processor (boot);
  if (dom0less_platform_memory_map (boot))
    return grub_errno;
  grub_dom0less_apply_rules (&boot->context, phase);
  return dom0less_set_error_from_findings (boot);
}

void *
dom0less_extend (void *list, grub_size_t count, grub_size_t size)
{
  grub_size_t total;

  if (grub_add (count, 1, &count) || grub_mul (count, size, &total))
    {
      grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
      return NULL;
    }
  return grub_realloc (list, total);
}

void
dom0less_free (struct dom0less_boot *boot)
{
  int i;
  grub_size_t claim;

  if (!boot)
    return;

  dom0less_platform_restore_tree (boot);
  dom0less_platform_unload_xen (boot);
  dom0less_platform_free (&boot->handover.maps);
  dom0less_platform_free (&boot->handover.tree);
  dom0less_platform_free (&boot->xen.file);
  for (i = 0; boot->images && i < boot->plan->n_images; i++)
    dom0less_platform_free (boot->images + i);
  for (claim = 0; claim < boot->n_claims; claim++)
    dom0less_platform_free (boot->claims + claim);

  for (i = 0; boot->paths && i < boot->plan->n_modules; i++)
    grub_free (boot->paths[i]);
  for (i = 0; i < boot->tree.n_overlays; i++)
    {
      grub_free (boot->tree.overlays[i].path);
      grub_free (boot->tree.overlays[i].fdt);
    }
  for (i = 0; i < boot->config.n_keys; i++)
    {
      grub_free (boot->config.keys[i].key);
      grub_free (boot->config.keys[i].path);
    }
  grub_free (boot->images);
  grub_free (boot->claims);
  grub_free (boot->paths);
  grub_free (boot->tree.overlays);
  grub_free (boot->config.keys);
  grub_free (boot->plan);
  grub_free (boot->memory);
  grub_free (boot->tree.fdt);
  grub_free (boot->tree.name);
  grub_free (boot->config.text);
  grub_free (boot->config.name);
  grub_free (boot->config.section);
  grub_free (boot->findings.error);
  grub_free (boot->findings.deferred);
  grub_free (boot->xen.args);
  grub_free (boot->xen.path);
  grub_free (boot);
}
