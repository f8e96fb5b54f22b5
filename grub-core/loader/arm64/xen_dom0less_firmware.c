/* xen_dom0less_firmware.c - the firmware's device tree  */
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
#include <grub/misc.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_compat.h"

/* GRUB's fdt module returns the loaded tree, or else the firmware's.  */
grub_err_t
dom0less_platform_read_tree (struct dom0less_boot *boot)
{
  void *firmware = grub_efi_get_firmware_fdt ();
  void *fdt = grub_fdt_load (0);

  if (!fdt)
    return grub_errno;

  /* If there is no tree at all, GRUB creates an empty one.  */
  if (!firmware && fdt_check_header (fdt) == 0
      && fdt_first_subnode (fdt, 0) < 0)
    dom0less_fail (boot, GRUB_DOM0LESS_RULE_TREE_MISSING,
		   GRUB_DOM0LESS_NONE, NULL);
  else if (dom0less_adopt_tree (boot, fdt, fdt_totalsize (fdt)) == GRUB_ERR_NONE)
    /* A tree other than the firmware's came from a file.  Since 2.12
       `devicetree' has already had it fixed up; doing it again does no
       harm.  */
    boot->tree.is_file = !firmware
      || grub_memcmp (firmware, fdt, fdt_totalsize (fdt)) != 0;
  grub_fdt_unload ();
  return grub_errno;
}

/* Call the firmware's fixup protocol, if there is one, on *FDT with FLAGS.  */
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
      && size > fdt_totalsize (*fdt) && *fdt == boot->tree.fdt)
    {
      if (dom0less_grow_tree (boot, size - fdt_totalsize (*fdt)))
	return grub_errno;
      *fdt = boot->tree.fdt;
      size = fdt_totalsize (*fdt);
      status = protocol->fixup (protocol, *fdt, &size, flags);
    }
  grub_dprintf ("xen_dom0less", "the firmware's fixup returned 0x%lx\n",
		(unsigned long) status);
  if (status != GRUB_EFI_SUCCESS)
    return grub_error (GRUB_ERR_BAD_OS,
		       N_("the firmware cannot fix up %s: 0x%lx"),
		       boot->tree.name, (unsigned long) status);
  return GRUB_ERR_NONE;
}

/* Reservations are not made before Xen is started, because they cannot be
   undone.  */
grub_err_t
dom0less_platform_fix_up (struct dom0less_boot *boot)
{
  return fix_up (boot, &boot->tree.fdt, DOM0LESS_DT_APPLY_FIXUPS);
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
dom0less_platform_install_tree (struct dom0less_boot *boot)
{
  void *fdt = dom0less_platform_at (boot->handover.tree.address);

  /* Xen's stub deletes the tree's memory reservations and relies on the
     firmware's memory map, so they have to be added to that map.  */
  if (boot->tree.is_file && fix_up (boot, &fdt, DOM0LESS_DT_RESERVE_MEMORY))
    return grub_errno;

  boot->handover.firmware_tree = grub_efi_get_firmware_fdt ();
  if (set_table (fdt))
    return grub_errno;
  boot->handover.is_installed = 1;
  return GRUB_ERR_NONE;
}

void
dom0less_platform_restore_tree (struct dom0less_boot *boot)
{
  if (boot->handover.is_installed && set_table (boot->handover.firmware_tree))
    boot->handover.tree.count = 0;
  boot->handover.is_installed = 0;
}
