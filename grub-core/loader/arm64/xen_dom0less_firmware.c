/* xen_dom0less_firmware.c - open and verify files; the firmware's tree  */
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

#include <grub/dl.h>
#include <grub/efi/efi.h>
#include <grub/efi/fdtload.h>
#include <grub/env.h>
#include <grub/lockdown.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/term.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_compat.h"

/* Without a slash, GRUB would take the name for a block list.  */
char *
dom0less_platform_full_name (const char *name)
{
  const char *root = grub_env_get ("root");

  if (name[0] == '(')
    return grub_strdup (name);
  return grub_xasprintf ("(%s)%s%s", root ? root : "",
			 name[0] == '/' ? "" : "/", name);
}

/* Set while the command runs with signatures enforced.  */
static int must_verify;

/* The file that is being opened, and whether GRUB has shown it to its
   verifiers.  */
static const char *opening;
static int is_shown;

static grub_err_t
witness_init (grub_file_t io,
	      enum grub_file_type type __attribute__ ((unused)),
	      void **context __attribute__ ((unused)),
	      enum grub_verify_flags *flags)
{
  /* Opening a file may load GRUB's modules, which are files as well.  */
  if (io->name && grub_strcmp (io->name, opening) == 0)
    is_shown = 1;
  *flags = GRUB_VERIFY_FLAGS_SKIP_VERIFICATION;
  return GRUB_ERR_NONE;
}

/* A verifier that accepts everything, and only records that it was called.
   GRUB does not show all files to its verifiers, for instance not those of a
   memdisk or of procfs, and the list is not duplicated here.  */
static struct grub_file_verifier witness =
  {
    .name = "xen_dom0less",
    .init = witness_init
  };

static struct grub_file_verifier *
find_verifier (const char *name)
{
  struct grub_file_verifier *verifier;

  FOR_LIST_ELEMENTS (verifier, grub_file_verifiers)
    if (grub_strcmp (verifier->name, name) == 0)
      break;
  return verifier;
}

/* Return whether the verifier pgp would refuse a file without a good
   signature. pgp stores this in a variable of its own, which is updated when
   check_signatures is set, but not when GRUB returns to an outer context,
   where check_signatures has another value.  Therefore ask pgp itself, about a
   file whose name cannot exist.  */
static int
does_pgp_enforce (void)
{
  static char no_name[] = "(";
  struct grub_file_verifier *pgp = find_verifier ("pgp");
  enum grub_verify_flags flags = GRUB_VERIFY_FLAGS_NONE;
  struct grub_file file;
  void *context;

  if (!pgp)
    return 0;
  grub_memset (&file, 0, sizeof (file));
  file.name = no_name;
  pgp->init (&file, GRUB_FILE_TYPE_NONE, &context, &flags);
  grub_errno = GRUB_ERR_NONE;
  return !(flags & GRUB_VERIFY_FLAGS_SKIP_VERIFICATION);
}

/* Return whether check_signatures is on, by the same test as pgp's.  */
static int
is_enforcement_wanted (void)
{
  const char *value = grub_env_get ("check_signatures");

  return value && (value[0] == '1' || value[0] == 'e');
}

grub_err_t
dom0less_platform_check_trust (struct dom0less_boot *boot)
{
  int is_wanted = is_enforcement_wanted ();

  /* If pgp has missed the setting, setting the variable again notifies it.  */
  if (is_wanted && !does_pgp_enforce ())
    grub_env_set ("check_signatures", "enforce");
  must_verify = does_pgp_enforce ();
  boot->facts.is_enforcing = must_verify;

  /* The shim verifier would refuse every file, with a message that does not
     explain why.  */
  if (find_verifier ("shim_lock_verifier"))
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_SHIM, GRUB_DOM0LESS_NONE,
			  NULL);
  /* Lockdown requires a verifier for Xen and for trees, but any verifier
     satisfies it, including one that only measures; and none is required for
     modules.  */
  if (!boot->facts.is_enforcing && (is_wanted || grub_is_lockdown ()))
    return dom0less_fail (boot, GRUB_DOM0LESS_RULE_SIGNATURES_OFF,
			  GRUB_DOM0LESS_NONE,
			  is_wanted ? "check_signatures is on"
			  : "GRUB is locked down");
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_platform_recheck_trust (struct dom0less_boot *boot)
{
  if (boot->facts.is_enforcing
      || !(is_enforcement_wanted () || does_pgp_enforce ()))
    return GRUB_ERR_NONE;
  return dom0less_fail (boot, GRUB_DOM0LESS_RULE_SIGNATURES_OFF,
			GRUB_DOM0LESS_NONE, "check_signatures is on");
}

/* Print a line for the file PATH, and flush the console before the slow
   read.  */
static void
announce (grub_file_t file, const char *label, const char *path)
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

grub_file_t
dom0less_platform_open (const char *path, enum grub_file_type type,
			const char *label)
{
  grub_file_t file;

  opening = path;
  is_shown = 0;
  grub_verifier_register (&witness);
  file = dom0less_open_directly (path, type);
  grub_verifier_unregister (&witness);

  /* The file exists; its signature is missing.  */
  if (!file && is_shown && grub_errno == GRUB_ERR_FILE_NOT_FOUND)
    grub_errno = GRUB_ERR_BAD_SIGNATURE;
  if (file && must_verify && !(is_shown && does_pgp_enforce ()))
    {
      grub_file_close (file);
      grub_error (GRUB_ERR_ACCESS_DENIED, N_("nobody verifies files there"));
      return NULL;
    }
  if (file && label)
    announce (file, label, path);
  return file;
}

grub_err_t
dom0less_platform_load_filter (const char *module)
{
  grub_dl_load (module);
  return grub_errno;
}

grub_err_t
dom0less_platform_verify (char *line, enum grub_verify_string_type type)
{
  return grub_verify_string (line, type);
}

int
dom0less_platform_is_measuring (void)
{
  struct grub_file_verifier *verifier;

  FOR_LIST_ELEMENTS (verifier, grub_file_verifiers)
    if (verifier->verify_string)
      break;
  return verifier != NULL;
}

grub_err_t
dom0less_platform_leave_unmeasured (struct dom0less_boot *boot, int node,
				    grub_uint64_t address)
{
  grub_dom0less_report (&boot->context, GRUB_DOM0LESS_RULE_REG_UNMEASURED, node,
			GRUB_DOM0LESS_NONE, NULL, address, 0);
  return dom0less_set_error_from_findings (boot);
}

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
