/* xen_dom0less_tree.c - from the base tree and overlays to the tree for
   Xen  */
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

#include "xen_dom0less_platform.h"

/* The maximum length of a node's path in a message.  */
#define NODE_SIZE	128

/* Room to add /chosen: the tag, name and end of a node, and padding.  */
#define CHOSEN_ROOM	32

/* The source of a tree begins with this, apart from comments.  */
#define SOURCE		"/dts-v1/"
#define SOURCE_SIZE	4096

/* Return a hint about the SIZE bytes at FDT, which are not a tree; or NULL if the
   rule's hint is right.  */
static const char *
cure_for (const char *fdt, grub_size_t size)
{
  grub_size_t at;

  if (size >= sizeof (fdt32_t) && fdt_magic (fdt) == FDT_MAGIC)
    return NULL;
  for (at = 0; at < SOURCE_SIZE && size - at >= sizeof (SOURCE) - 1
	 && size > at; at++)
    if (grub_memcmp (fdt + at, SOURCE, sizeof (SOURCE) - 1) == 0)
      return "this is its source: compile it with dtc";
  return "is it the right file?";
}

/* Refuse the SIZE bytes at FDT, which are called NAME, unless they are a tree
   that can be edited.  */
static grub_err_t
check_tree (struct dom0less_boot *boot, const void *fdt, grub_size_t size,
	    const char *name)
{
  const char *fault = grub_dom0less_tree_fault (fdt, size);
  char *text;

  if (fault)
    {
      text = grub_xasprintf ("%s: %s", name, fault);
      dom0less_fail_with_hint (boot, GRUB_DOM0LESS_RULE_TREE_MALFORMED,
			       GRUB_DOM0LESS_NONE, text ? text : name,
			       cure_for (fdt, size));
      grub_free (text);
      return grub_errno;
    }
  size = grub_dom0less_tree_size (fdt);
  if (size > GRUB_DOM0LESS_MAX_TREE)
    grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_TREE_TOO_BIG,
			  GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE, name,
			  size, GRUB_DOM0LESS_MAX_TREE);
  return dom0less_set_error_from_findings (boot);
}

/* Report that libfdt has failed with ERR on a tree that had passed the
   check.  */
static grub_err_t
libfdt_error (const char *name, int err)
{
  return grub_error (GRUB_ERR_BAD_OS, N_("%s: libfdt fails: %s"), name,
		     fdt_strerror (err));
}

void
dom0less_set_tree (struct dom0less_boot *boot, void *fdt)
{
  grub_free (boot->tree.fdt);
  boot->tree.fdt = fdt;
  boot->context.fdt = fdt;
}

/* Make BOOT->tree a copy of FDT, whose blocks may be in any order, with ROOM
   bytes for edits.  */
static grub_err_t
copy_tree (struct dom0less_boot *boot, const void *fdt, grub_size_t room)
{
  grub_size_t size;
  void *copy;
  int err;

  /* The header of version 16 is smaller than the current one.  */
  if (grub_add (fdt_totalsize (fdt), sizeof (struct fdt_header), &size)
      || grub_add (size, room, &size) || size > GRUB_INT_MAX)
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  copy = grub_malloc (size);
  if (!copy)
    return grub_errno;
  err = fdt_open_into (fdt, copy, (int) size);
  if (err)
    {
      grub_free (copy);
      return libfdt_error (boot->tree.name, err);
    }
  dom0less_set_tree (boot, copy);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_adopt_tree (struct dom0less_boot *boot, const void *fdt,
		     grub_size_t size)
{
  if (check_tree (boot, fdt, size, boot->tree.name))
    return grub_errno;
  if (grub_dom0less_is_overlay (fdt) && fdt_path_offset (fdt, "/cpus") < 0)
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_TREE_IS_OVERLAY,
			  GRUB_DOM0LESS_NONE, boot->tree.name);
  return copy_tree (boot, fdt, 0);
}

grub_err_t
dom0less_grow_tree (struct dom0less_boot *boot, grub_size_t room)
{
  return copy_tree (boot, boot->tree.fdt, room);
}

/* Add /chosen, where this loader reads and writes, if the tree has none.  Many
   boards' files lack it, and the EFI stubs of Xen and of Linux add it as
   well.  */
static grub_err_t
need_chosen (struct dom0less_boot *boot)
{
  int err;

  if (fdt_path_offset (boot->tree.fdt, "/chosen") != -FDT_ERR_NOTFOUND)
    return GRUB_ERR_NONE;
  if (dom0less_grow_tree (boot, CHOSEN_ROOM))
    return grub_errno;
  err = fdt_add_subnode (boot->tree.fdt, 0, "chosen");
  if (err < 0)
    return grub_error (GRUB_ERR_BAD_OS, N_("cannot add /chosen: %s"),
		       fdt_strerror (err));
  return GRUB_ERR_NONE;
}

static grub_err_t
report_misfit (struct dom0less_boot *boot,
	       const struct dom0less_overlay *overlay,
	       const struct grub_dom0less_misfit *misfit)
{
  char node[NODE_SIZE], *text;

  grub_dom0less_node_path (NULL, overlay->fdt, misfit->node, node,
			   sizeof (node));
  if (misfit->missing)
    text = grub_xasprintf ("%s: %s needs %s", overlay->path, node + 1,
			   misfit->missing);
  else
    text = grub_xasprintf ("%s: %s: %s", overlay->path, node,
			   misfit->fault);
  dom0less_fail_with_hint (boot, misfit->missing
			   ? GRUB_DOM0LESS_RULE_OVERLAY_MISFIT
			   : GRUB_DOM0LESS_RULE_OVERLAY_MALFORMED,
			   GRUB_DOM0LESS_NONE, text ? text : overlay->path,
			   misfit->hint);
  grub_free (text);
  return grub_errno;
}

/* Return whether FDT, which has no fragment, has contents nevertheless.  It is
   then not an overlay that changes nothing on purpose.  */
static int
is_whole_tree (const void *fdt)
{
  return (fdt_path_offset (fdt, "/cpus") >= 0
	  || fdt_path_offset (fdt, "/chosen") >= 0);
}

/* Read the request's overlays, unless this has been done for a previous tree.
   Each file is thus opened, and measured, only once.  */
static grub_err_t
read_overlays (struct dom0less_boot *boot)
{
  struct dom0less_overlay *overlay;
  int n = 0;

  if (boot->tree.overlays)
    return GRUB_ERR_NONE;
  while (boot->request->overlays[n])
    n++;
  boot->tree.overlays = grub_calloc (n + 1, sizeof (*boot->tree.overlays));
  if (!boot->tree.overlays)
    return grub_errno;

  while (boot->tree.n_overlays < n)
    {
      overlay = boot->tree.overlays + boot->tree.n_overlays;
      overlay->path = dom0less_platform_full_name
	(boot->request->overlays[boot->tree.n_overlays++]);
      if (!overlay->path)
	return grub_errno;
      overlay->fdt = dom0less_read_text (overlay->path,
					 GRUB_FILE_TYPE_DEVICE_TREE_IMAGE,
					 &overlay->size);
      if (!overlay->fdt)
	return grub_errno;
      if (check_tree (boot, overlay->fdt, overlay->size, overlay->path))
	return grub_errno;
      if (!grub_dom0less_is_overlay (overlay->fdt)
	  && is_whole_tree (overlay->fdt))
	return dom0less_fail (boot, GRUB_DOM0LESS_RULE_OVERLAY_IS_TREE,
			      GRUB_DOM0LESS_NONE, overlay->path);
    }
  return GRUB_ERR_NONE;
}

/* Apply OVERLAY.  Merging changes an overlay, so a copy of it is used.  */
static grub_err_t
apply_overlay (struct dom0less_boot *boot,
	       const struct dom0less_overlay *overlay)
{
  struct grub_dom0less_misfit misfit;
  void *work, *copy, *merged = NULL;
  grub_size_t size;

  work = grub_malloc (grub_dom0less_merge_size (boot->tree.fdt, overlay->fdt));
  copy = grub_malloc (overlay->size);
  if (!work || !copy)
    goto fail;
  grub_memcpy (copy, overlay->fdt, overlay->size);
  if (grub_dom0less_merge (work, boot->tree.fdt, copy, &misfit))
    {
      report_misfit (boot, overlay, &misfit);
      goto fail;
    }

  /* With symbols, the result can be much larger than the sum of the two.  */
  size = grub_dom0less_write_merged (work, NULL, 0);
  if (size > GRUB_DOM0LESS_MAX_TREE)
    {
      grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_TREE_TOO_BIG,
			    GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE,
			    overlay->path, size, GRUB_DOM0LESS_MAX_TREE);
      dom0less_set_error_from_findings (boot);
      goto fail;
    }
  merged = grub_malloc (size);
  if (!merged)
    goto fail;
  grub_dom0less_write_merged (work, merged, size);
  if (check_tree (boot, merged, size, overlay->path))
    goto fail;
  dom0less_set_tree (boot, merged);
  merged = NULL;

 fail:
  grub_free (merged);
  grub_free (copy);
  grub_free (work);
  return grub_errno;
}

grub_err_t
dom0less_read_tree (struct dom0less_boot *boot, const char *name)
{
  int i;

  dom0less_set_tree (boot, NULL);
  grub_free (boot->tree.name);
  boot->tree.is_file = name != NULL;
  boot->tree.name = grub_strdup (name ? name : "the loaded tree");
  if (!boot->tree.name)
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
    dom0less_platform_read_tree (boot);
  if (grub_errno)
    return grub_errno;

  if (need_chosen (boot) || read_overlays (boot))
    return grub_errno;
  for (i = 0; i < boot->tree.n_overlays; i++)
    if (apply_overlay (boot, boot->tree.overlays + i))
      return grub_errno;

  /* The firmware's result has to be checked as well.  */
  if (boot->tree.is_file && dom0less_platform_fix_up (boot) == GRUB_ERR_NONE)
    check_tree (boot, boot->tree.fdt, fdt_totalsize (boot->tree.fdt),
		boot->tree.name);
  return grub_errno;
}

grub_err_t
dom0less_make_final_tree (struct dom0less_boot *boot)
{
  grub_size_t size;
  void *fdt;
  int err;

  if (grub_add (fdt_totalsize (boot->tree.fdt),
		grub_dom0less_plan_growth (boot->plan, boot->xen.args), &size)
      || size > GRUB_INT_MAX)
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  if (dom0less_platform_alloc (&boot->handover.tree, DOM0LESS_NO_LIMIT,
			       DOM0LESS_PAGES (size)))
    return grub_errno;

  fdt = dom0less_platform_at (boot->handover.tree.address);
  err = fdt_open_into (boot->tree.fdt, fdt, (int) size);
  if (!err)
    err = grub_dom0less_write_plan (fdt, boot->plan, boot->xen.args);
  if (!err)
    err = fdt_pack (fdt);
  if (err)
    return grub_error (GRUB_ERR_BAD_OS, N_("cannot write Xen's tree: %s"),
		       fdt_strerror (err));
  if (fdt_totalsize (fdt) > GRUB_DOM0LESS_MAX_TREE)
    grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_TREE_TOO_BIG,
			  GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE,
			  boot->tree.name, fdt_totalsize (fdt),
			  GRUB_DOM0LESS_MAX_TREE);
  return dom0less_set_error_from_findings (boot);
}
