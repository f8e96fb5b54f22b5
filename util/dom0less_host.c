/* dom0less_host.c - the platform on a host, except for files and memory  */
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

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grub/types.h>
#include <grub/emu/misc.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/util/misc.h>

#include "dom0less_host_internal.h"

/* The maximum size of a tree to read, many times what Xen accepts.  */
#define MAX_TREE_SIZE	(64 << 20)

static const char *machine_tree = "/sys/firmware/fdt";
static int is_enforcing;

/* End the program because of errno: NAME may exist on the machine, but this
   host cannot find out.  */
void
dom0less_host_cannot_judge (const char *name)
{
  const char *why = strerror (errno);
  char *plain = xstrdup (name);

  grub_dom0less_make_plain (plain);
  grub_util_error (_("%s: cannot be judged: %s"), plain, why);
}

void
dom0less_host_machine_tree (const char *name)
{
  machine_tree = name;
}

void
dom0less_host_enforce (void)
{
  is_enforcing = 1;
}

/* GRUB's settings on the machine are not known, so an option decides whether
   signatures are enforced.  */
grub_err_t
dom0less_platform_check_trust (struct dom0less_boot *boot)
{
  boot->facts.is_enforcing = is_enforcing;
  return GRUB_ERR_NONE;
}

/* A host has no firmware with such a protocol.  */
grub_size_t
dom0less_platform_read_direct (grub_file_t file __attribute__ ((unused)),
			       void *buffer __attribute__ ((unused)))
{
  return 0;
}

/* The filters are part of this program.  */
grub_err_t
dom0less_platform_load_filter (const char *module __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

void
dom0less_platform_read_processor (struct dom0less_boot *boot
				  __attribute__ ((unused)))
{
}

/* By default, use the tree of the machine that this program runs on.  */
grub_err_t
dom0less_platform_read_tree (struct dom0less_boot *boot)
{
  off_t size;
  FILE *stream = dom0less_host_open (AT_FDCWD, machine_tree, &size);
  char *fdt;

  if (!stream && (errno == ENOENT || errno == ENOTDIR))
    return dom0less_fail_with_hint (boot, GRUB_DOM0LESS_RULE_TREE_MISSING,
				    GRUB_DOM0LESS_NONE, NULL,
				    "name the machine's tree: DTB, or"
				    " --machine-tree FILE");
  if (!stream)
    dom0less_host_cannot_judge (machine_tree);
  if (size > MAX_TREE_SIZE)
    {
      errno = EFBIG;
      dom0less_host_cannot_judge (machine_tree);
    }
  fdt = xmalloc (size + 1);
  size = fread (fdt, 1, size, stream);
  if (ferror (stream))
    dom0less_host_cannot_judge (machine_tree);
  fclose (stream);
  dom0less_adopt_tree (boot, fdt, size);
  free (fdt);
  return grub_errno;
}

grub_err_t
dom0less_platform_fix_up (struct dom0less_boot *boot __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

/* The contents of Xen's image are known, but not where the firmware will place
   it.  */
grub_err_t
dom0less_platform_load_xen (struct dom0less_boot *boot)
{
  dom0less_platform_free (&boot->xen.file);
  return GRUB_ERR_NONE;
}

void
dom0less_platform_unload_xen (struct dom0less_boot *boot __attribute__ ((unused)))
{
}

void
dom0less_platform_restore_tree (struct dom0less_boot *boot __attribute__ ((unused)))
{
}
