/* xen_dom0less_tree.c - from the base tree and overlays to the one Xen gets  */
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

#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>

#include "xen_dom0less_boot.h"

/* Xen maps this much for its tree, and its EFI stub adds a page to ours
   (MAX_FDT_SIZE and efi_arch_use_config_file).  */
#define MAX_TREE_SIZE	(((grub_size_t) 2 << 20) - 4096)

/* The beginning of a node, its name and its end; and alignment.  */
#define CHOSEN_ROOM	32

grub_err_t
dom0less_adopt_tree (struct dom0less_boot *boot, const void *fdt,
		     grub_size_t size)
{
  if (grub_dom0less_check_tree (fdt, size))
    return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_TREE_MALFORMED,
			    GRUB_DOM0LESS_NONE, boot->tree_name);
  boot->tree = grub_malloc (fdt_totalsize (fdt));
  if (!boot->tree)
    return grub_errno;
  grub_memcpy (boot->tree, fdt, fdt_totalsize (fdt));
  boot->scene.fdt = boot->tree;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room)
{
  grub_size_t size;
  void *larger;

  if (grub_add (fdt_totalsize (boot->tree), room, &size)
      || size > GRUB_INT_MAX)
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  larger = grub_malloc (size);
  if (!larger)
    return grub_errno;
  /* It has passed the full check, so there is nothing to refuse.  */
  fdt_open_into (boot->tree, larger, (int) size);
  grub_free (boot->tree);
  boot->tree = larger;
  boot->scene.fdt = larger;
  return GRUB_ERR_NONE;
}

/* Where everything is that this loader writes or reads.  Many a board's file has
   none; Xen's EFI stub adds one as well, and so does Linux's.  */
static grub_err_t
need_chosen (struct dom0less_boot *boot)
{
  int err;

  if (fdt_path_offset (boot->tree, "/chosen") != -FDT_ERR_NOTFOUND)
    return GRUB_ERR_NONE;
  if (dom0less_grow_tree (boot, CHOSEN_ROOM))
    return grub_errno;
  err = fdt_add_subnode (boot->tree, 0, "chosen");
  if (err < 0)
    return grub_error (GRUB_ERR_BAD_OS, N_("cannot add /chosen: %s"),
		       fdt_strerror (err));
  return GRUB_ERR_NONE;
}

static grub_err_t
report_misfit (struct dom0less_boot *boot,
	       const struct dom0less_overlay *overlay, int err)
{
  const char *missing, *fragment = "";
  char *text;
  int node;

  node = grub_dom0less_overlay_fault (boot->tree, overlay->fdt, &missing);
  if (node < 0)
    missing = fdt_strerror (err);
  else
    fragment = grub_dom0less_node_name (overlay->fdt, node);
  text = grub_xasprintf ("%s: %s %s%s", overlay->path, fragment,
			 node < 0 ? "" : "wants ", missing);
  dom0less_refuse (boot, GRUB_DOM0LESS_RULE_OVERLAY_MISFIT,
		   GRUB_DOM0LESS_NONE, text ? text : overlay->path);
  grub_free (text);
  return grub_errno;
}

/* Read the request's overlays, in case a tree asks for another: each file is
   opened, and so measured, once.  */
static grub_err_t
read_overlays (struct dom0less_boot *boot)
{
  struct dom0less_overlay *overlay;
  int n = 0;

  if (boot->overlays)
    return GRUB_ERR_NONE;
  while (boot->request->overlays[n])
    n++;
  boot->overlays = grub_calloc (n + 1, sizeof (*boot->overlays));
  if (!boot->overlays)
    return grub_errno;

  while (boot->n_overlays < n)
    {
      overlay = boot->overlays + boot->n_overlays;
      overlay->path
	= dom0less_full_name (boot->request->overlays[boot->n_overlays++]);
      if (!overlay->path)
	return grub_errno;
      overlay->fdt = dom0less_read_text (overlay->path,
					 GRUB_FILE_TYPE_DEVICE_TREE_IMAGE,
					 &overlay->size);
      if (!overlay->fdt)
	return grub_errno;
      if (grub_dom0less_check_overlay (overlay->fdt, overlay->size))
	return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_TREE_MALFORMED,
				GRUB_DOM0LESS_NONE, overlay->path);
    }
  return GRUB_ERR_NONE;
}

/* fdt_overlay_apply spoils both of its trees when it fails, so it works on
   copies.  What it needs is not known before: all of OVERLAY, and longer paths
   for its symbols.  */
static grub_err_t
apply_overlay (struct dom0less_boot *boot,
	       const struct dom0less_overlay *overlay)
{
  grub_size_t size = overlay->size, room;
  void *base, *copy;
  int err = -FDT_ERR_NOSPACE;

  for (room = 2 * size; err == -FDT_ERR_NOSPACE && room <= MAX_TREE_SIZE * 4;
       room *= 2)
    {
      base = grub_malloc (fdt_totalsize (boot->tree) + room);
      copy = grub_malloc (size);
      if (!base || !copy)
	err = -FDT_ERR_INTERNAL;
      else
	{
	  grub_memcpy (copy, overlay->fdt, size);
	  err = fdt_open_into (boot->tree, base,
			       (int) (fdt_totalsize (boot->tree) + room));
	  if (!err)
	    err = fdt_overlay_apply (base, copy);
	}
      grub_free (copy);
      if (err)
	grub_free (base);
    }

  if (!err)
    {
      grub_free (boot->tree);
      boot->tree = base;
      boot->scene.fdt = base;
    }
  else if (!grub_errno)
    report_misfit (boot, overlay, err);
  return grub_errno;
}

grub_err_t
dom0less_gather_tree (struct dom0less_boot *boot, const char *name)
{
  int i;

  grub_free (boot->tree);
  grub_free (boot->tree_name);
  boot->tree = NULL;
  boot->tree_is_file = name != NULL;
  boot->tree_name = grub_strdup (name ? name : "the loaded tree");
  if (!boot->tree_name)
    return grub_errno;

  if (name)
    {
      grub_size_t size;
      void *fdt = dom0less_read_text (name, GRUB_FILE_TYPE_DEVICE_TREE_IMAGE,
				      &size);

      if (!fdt)
	return grub_errno;
      dom0less_adopt_tree (boot, fdt, size);
      grub_free (fdt);
    }
  else
    dom0less_gather_loaded (boot);
  if (grub_errno)
    return grub_errno;

  if (need_chosen (boot) || read_overlays (boot))
    return grub_errno;
  for (i = 0; i < boot->n_overlays; i++)
    if (apply_overlay (boot, boot->overlays + i))
      return grub_errno;

  if (boot->tree_is_file)
    return dom0less_fix_up (boot);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_patch_tree (struct dom0less_boot *boot)
{
  grub_size_t size;
  void *fdt;
  int err;

  if (grub_add (fdt_totalsize (boot->tree),
		grub_dom0less_patch_room (boot->plan, boot->xen_args), &size)
      || size > GRUB_INT_MAX)
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  if (dom0less_pages_alloc (&boot->final_tree, DOM0LESS_NO_LIMIT,
			    DOM0LESS_PAGES (size)))
    return grub_errno;

  fdt = dom0less_at (boot->final_tree.address);
  err = fdt_open_into (boot->tree, fdt, (int) size);
  if (!err)
    err = grub_dom0less_patch (fdt, boot->plan, boot->xen_args);
  if (!err)
    err = fdt_pack (fdt);
  if (err)
    return grub_error (GRUB_ERR_BAD_OS, N_("cannot write Xen's tree: %s"),
		       fdt_strerror (err));
  if (fdt_totalsize (fdt) > MAX_TREE_SIZE)
    grub_dom0less_report (&boot->scene, GRUB_DOM0LESS_RULE_TREE_TOO_BIG,
			  GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE, NULL,
			  fdt_totalsize (fdt), MAX_TREE_SIZE);
  return dom0less_judge (boot);
}
