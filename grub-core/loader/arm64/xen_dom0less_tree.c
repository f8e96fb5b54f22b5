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

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

/* Xen maps this much for its tree, and its EFI stub adds a page to ours
   (MAX_FDT_SIZE and efi_arch_use_config_file).  */
#define MAX_TREE_SIZE	(((grub_size_t) 2 << 20) - 4096)

/* Make BOOT->tree a copy of the SIZE bytes at FDT, which are checked.  */
static grub_err_t
adopt_tree (struct dom0less_boot *boot, const void *fdt, grub_size_t size)
{
  if (fdt_check_full (fdt, size))
    {
      grub_dom0less_report (&boot->scene, GRUB_DOM0LESS_RULE_TREE_MALFORMED,
			    GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE,
			    boot->tree_name, 0, 0);
      return GRUB_ERR_NONE;
    }
  boot->tree = grub_malloc (fdt_totalsize (fdt));
  if (!boot->tree)
    return grub_errno;
  grub_memcpy (boot->tree, fdt, fdt_totalsize (fdt));
  boot->scene.fdt = boot->tree;
  return GRUB_ERR_NONE;
}

static grub_err_t
gather_file (struct dom0less_boot *boot)
{
  struct dom0less_pages pages;
  grub_size_t size;

  if (dom0less_read_file (boot->tree_name, GRUB_FILE_TYPE_DEVICE_TREE_IMAGE,
			  GRUB_EFI_MAX_USABLE_ADDRESS, NULL, &pages, &size))
    return grub_errno;
  adopt_tree (boot, (void *) (grub_addr_t) pages.address, size);
  dom0less_pages_free (&pages);
  return grub_errno;
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
    grub_dom0less_report (&boot->scene, GRUB_DOM0LESS_RULE_TREE_MISSING,
			  GRUB_DOM0LESS_NONE, GRUB_DOM0LESS_NONE, NULL, 0, 0);
  else
    adopt_tree (boot, fdt, fdt_totalsize (fdt));
  grub_fdt_unload ();
  return grub_errno;
}

grub_err_t
dom0less_gather_tree (struct dom0less_boot *boot, const char *name)
{
  if (!name)
    {
      boot->tree_name = "the firmware's or devicetree's";
      return gather_loaded (boot);
    }
  boot->tree_name = name;
  return gather_file (boot);
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
    return grub_error (GRUB_ERR_BAD_OS, N_("the tree is too big for Xen"));
  return GRUB_ERR_NONE;
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
  boot->firmware_tree = grub_efi_get_firmware_fdt ();
  if (set_table ((void *) (grub_addr_t) boot->final_tree.address))
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
