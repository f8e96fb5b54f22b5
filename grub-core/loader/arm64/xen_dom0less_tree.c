/* xen_dom0less_tree.c - gather the base tree, hand Xen the final one  */
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
#include <grub/efi/fdtload.h>
#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

/* Xen maps this much for its tree, and its EFI stub adds a page to ours
   (MAX_FDT_SIZE and efi_arch_use_config_file).  */
#define MAX_TREE_SIZE	(((grub_size_t) 2 << 20) - 4096)

/* Make BOOT->tree of the SIZE bytes at FDT, if they are a tree.  */
static grub_err_t
adopt_tree (struct dom0less_boot *boot, const void *fdt, grub_size_t size)
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

/* What `devicetree' loaded, else the firmware's: GRUB's fdt module knows.  */
static grub_err_t
gather_loaded (struct dom0less_boot *boot)
{
  void *firmware = grub_efi_get_firmware_fdt ();
  void *fdt = grub_fdt_load (0);

  if (!fdt)
    return grub_errno;

  /* Without any tree GRUB makes an empty one.  */
  if (!firmware && fdt_check_header (fdt) == 0
      && fdt_first_subnode (fdt, 0) < 0)
    dom0less_refuse (boot, GRUB_DOM0LESS_RULE_TREE_MISSING,
		     GRUB_DOM0LESS_NONE, NULL);
  else if (adopt_tree (boot, fdt, fdt_totalsize (fdt)) == GRUB_ERR_NONE)
    /* What is not the firmware's came from a file.  Since 2.12 `devicetree'
       has had it fixed up, and a second time does not hurt.  */
    boot->tree_is_file = !firmware
      || grub_memcmp (firmware, fdt, fdt_totalsize (fdt)) != 0;
  grub_fdt_unload ();
  return grub_errno;
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

static grub_err_t
report_misfit (struct dom0less_boot *boot, const char *path,
	       const void *overlay, int err)
{
  const char *missing, *fragment = "";
  char *text;
  int node;

  node = grub_dom0less_overlay_fault (boot->tree, overlay, &missing);
  if (node < 0)
    missing = fdt_strerror (err);
  else
    fragment = grub_dom0less_node_name (overlay, node);
  text = grub_xasprintf ("%s: %s %s%s", path, fragment,
			 node < 0 ? "" : "wants ", missing);
  dom0less_refuse (boot, GRUB_DOM0LESS_RULE_OVERLAY_MISFIT,
		   GRUB_DOM0LESS_NONE, text ? text : path);
  grub_free (text);
  return grub_errno;
}

/* fdt_overlay_apply spoils both of its trees when it fails, so it works on
   copies.  What it needs is not known before: all of OVERLAY, and longer paths
   for its symbols.  */
static grub_err_t
apply_overlay (struct dom0less_boot *boot, const char *path)
{
  grub_size_t size, room;
  void *overlay, *base, *copy;
  int err = -FDT_ERR_NOSPACE;

  overlay = dom0less_read_text (path, GRUB_FILE_TYPE_DEVICE_TREE_IMAGE, &size);
  if (!overlay)
    return grub_errno;
  if (grub_dom0less_check_tree (overlay, size))
    {
      grub_free (overlay);
      return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_TREE_MALFORMED,
			      GRUB_DOM0LESS_NONE, path);
    }

  for (room = 2 * size; err == -FDT_ERR_NOSPACE && room <= MAX_TREE_SIZE * 4;
       room *= 2)
    {
      base = grub_malloc (fdt_totalsize (boot->tree) + room);
      copy = grub_malloc (size);
      if (!base || !copy)
	err = -FDT_ERR_INTERNAL;
      else
	{
	  grub_memcpy (copy, overlay, size);
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
    report_misfit (boot, path, overlay, err);
  grub_free (overlay);
  return grub_errno;
}

/* Ask the firmware to do to a tree from a file what it has done to its own:
   memory, addresses of network cards, and so on.  FLAGS are the protocol's.  */
static grub_err_t
fix_up (struct dom0less_boot *boot, void **fdt, grub_efi_uint32_t flags)
{
  static dom0less_guid_t guid = DOM0LESS_DT_FIXUP_GUID;
  struct dom0less_dt_fixup *protocol
    = grub_efi_locate_protocol ((void *) &guid, NULL);
  grub_efi_uintn_t size;
  grub_efi_status_t status;

  if (!protocol)
    return GRUB_ERR_NONE;
  size = fdt_totalsize (*fdt);
  status = protocol->fixup (protocol, *fdt, &size, flags);
  if (status == GRUB_EFI_BUFFER_TOO_SMALL
      && size > fdt_totalsize (*fdt) && *fdt == boot->tree)
    {
      if (dom0less_grow_tree (boot, size - fdt_totalsize (*fdt)))
	return grub_errno;
      *fdt = boot->tree;
      size = fdt_totalsize (*fdt);
      status = protocol->fixup (protocol, *fdt, &size, flags);
    }
  grub_dprintf ("xen_dom0less", "the firmware's fixup returned 0x%lx\n",
		(unsigned long) status);
  if (status != GRUB_EFI_SUCCESS)
    return grub_error (GRUB_ERR_BAD_OS,
		       N_("the firmware cannot fix up %s: 0x%lx"),
		       boot->tree_name, (unsigned long) status);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_gather_tree (struct dom0less_boot *boot, const char *name)
{
  char **overlay;

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
      adopt_tree (boot, fdt, size);
      grub_free (fdt);
    }
  else
    gather_loaded (boot);
  if (grub_errno)
    return grub_errno;

  for (overlay = boot->request->overlays; *overlay; overlay++)
    {
      char *path = dom0less_full_name (*overlay);

      if (path)
	apply_overlay (boot, path);
      grub_free (path);
      if (grub_errno)
	return grub_errno;
    }

  /* Reservations wait until Xen is started: they cannot be undone.  */
  if (boot->tree_is_file)
    return fix_up (boot, &boot->tree, DOM0LESS_DT_APPLY_FIXUPS);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_patch_tree (struct dom0less_boot *boot)
{
  grub_size_t size;
  void *fdt;
  int err;

  size = fdt_totalsize (boot->tree)
    + grub_dom0less_patch_room (boot->plan, boot->xen_args);
  if (dom0less_pages_alloc (&boot->final_tree, GRUB_EFI_ALLOCATE_MAX_ADDRESS,
			    GRUB_EFI_MAX_USABLE_ADDRESS,
			    GRUB_EFI_BYTES_TO_PAGES (size)))
    return grub_errno;

  fdt = (void *) (grub_addr_t) boot->final_tree.address;
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

static grub_err_t
set_table (void *fdt)
{
  static dom0less_guid_t guid = GRUB_EFI_DEVICE_TREE_GUID;
  grub_efi_boot_services_t *b = grub_efi_system_table->boot_services;
  grub_efi_status_t status;

  status = b->install_configuration_table ((void *) &guid, fdt);
  if (status != GRUB_EFI_SUCCESS)
    return grub_error (GRUB_ERR_IO, N_("cannot install the tree: 0x%lx"),
		       (unsigned long) status);
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_install_tree (struct dom0less_boot *boot)
{
  void *fdt = (void *) (grub_addr_t) boot->final_tree.address;

  /* Xen's stub deletes the tree's memory reservations and believes the
     firmware's memory map: let that map have them.  */
  if (boot->tree_is_file && fix_up (boot, &fdt, DOM0LESS_DT_RESERVE_MEMORY))
    return grub_errno;

  boot->firmware_tree = grub_efi_get_firmware_fdt ();
  if (set_table (fdt))
    return grub_errno;
  boot->installed = 1;
  return GRUB_ERR_NONE;
}

void
dom0less_restore_tree (struct dom0less_boot *boot)
{
  if (boot->installed)
    set_table (boot->firmware_tree);
  boot->installed = 0;
}
