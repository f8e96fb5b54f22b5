/* xen_dom0less_open.c - open files, and show them to GRUB's verifiers  */
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
#include <grub/env.h>
#include <grub/lockdown.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/term.h>

#include "xen_dom0less_platform.h"

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
  file = dom0less_platform_open_directly (path, type);
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
