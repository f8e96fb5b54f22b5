/* xen_dom0less_firmware.c - the firmware's tree, and GRUB's files  */
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

#include <grub/disk.h>
#include <grub/dl.h>
#include <grub/efi/efi.h>
#include <grub/efi/fdtload.h>
#include <grub/env.h>
#include <grub/lockdown.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/term.h>

#include "xen_dom0less_boot.h"
#include "xen_dom0less_compat.h"

/* Without a slash GRUB would read a block list.  */
char *
dom0less_full_name (const char *name)
{
  const char *root = grub_env_get ("root");

  if (name[0] == '(')
    return grub_strdup (name);
  return grub_xasprintf ("(%s)%s%s", root ? root : "",
			 name[0] == '/' ? "" : "/", name);
}

/* Whether each file needs a signature that GRUB knows: the module pgp sees to
   that, and it alone.  The variable can be set without the module.  */
static int
are_signatures_enforced (void)
{
  const char *value = grub_env_get ("check_signatures");

  return (grub_dl_get ("pgp") && value
	  && (value[0] == '1' || value[0] == 'e'));
}

grub_err_t
dom0less_look_at_trust (struct dom0less_boot *boot)
{
  const char *shim = grub_env_get ("shim_lock");

  boot->machine.is_enforcing = are_signatures_enforced ();
  if (boot->machine.is_enforcing)
    boot->is_forced = 0;
  /* Its verifier would refuse every file, in words that help nobody.  */
  if (grub_is_lockdown () && shim && shim[0] == 'y')
    return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_SHIM, GRUB_DOM0LESS_NONE,
			    NULL);
  /* Lockdown itself asks somebody to verify Xen and trees, but any verifier
     will do for that, the one that measures too; and nobody for modules.  */
  if (grub_is_lockdown () && !boot->machine.is_enforcing)
    return dom0less_refuse (boot, GRUB_DOM0LESS_RULE_SIGNATURES_OFF,
			    GRUB_DOM0LESS_NONE, NULL);
  return GRUB_ERR_NONE;
}

/* GRUB's file filter passes these by: what is built into GRUB's own image, and
   what GRUB itself makes up.  */
static int
is_passed_by (grub_file_t file)
{
  grub_disk_t disk = file->device ? file->device->disk : NULL;

  return (disk && (disk->dev->id == GRUB_DISK_DEVICE_MEMDISK_ID
		   || disk->dev->id == GRUB_DISK_DEVICE_PROCFS_ID));
}

grub_file_t
dom0less_open (const char *path, enum grub_file_type type)
{
  grub_file_t file = grub_file_open (path, type);

  if (!file || !are_signatures_enforced () || !is_passed_by (file))
    return file;
  grub_file_close (file);
  grub_error (GRUB_ERR_ACCESS_DENIED, N_("nobody verifies files there"));
  return NULL;
}

void
dom0less_announce (grub_file_t file, const char *label, const char *path)
{
  dom0less_print (label);
  grub_printf (" ");
  dom0less_print (path);
  if (grub_file_size (file) != GRUB_FILE_SIZE_UNKNOWN)
    grub_printf (", %" PRIuGRUB_UINT64_T " bytes",
		 (grub_uint64_t) grub_file_size (file));
  grub_printf ("\n");
  grub_refresh ();
}

grub_err_t
dom0less_load_filter (const char *module)
{
  grub_dl_load (module);
  return grub_errno;
}

grub_err_t
dom0less_verify (char *line, enum grub_verify_string_type type)
{
  return grub_verify_string (line, type);
}

/* GRUB's fdt module knows.  */
grub_err_t
dom0less_gather_loaded (struct dom0less_boot *boot)
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
  else if (dom0less_adopt_tree (boot, fdt, fdt_totalsize (fdt)) == GRUB_ERR_NONE)
    /* What is not the firmware's came from a file.  Since 2.12 `devicetree'
       has had it fixed up, and a second time does not hurt.  */
    boot->tree_is_file = !firmware
      || grub_memcmp (firmware, fdt, fdt_totalsize (fdt)) != 0;
  grub_fdt_unload ();
  return grub_errno;
}

/* Call the firmware's protocol, if it has it, on *FDT with its FLAGS.  */
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

/* Reservations wait until Xen is started: they cannot be undone.  */
grub_err_t
dom0less_fix_up (struct dom0less_boot *boot)
{
  return fix_up (boot, &boot->tree, DOM0LESS_DT_APPLY_FIXUPS);
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
  void *fdt = dom0less_at (boot->final_tree.address);

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
