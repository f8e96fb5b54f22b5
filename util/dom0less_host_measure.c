/* dom0less_host_measure.c - predict what GRUB's tpm verifier would measure  */
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

#include <stdlib.h>
#include <string.h>

#include <grub/types.h>
#include <grub/crypto.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/util/misc.h>

#include "dom0less_host_internal.h"

/* The steps open files and show command lines in the same order as in
   GRUB.  */
static struct dom0less_measurement *measured;
static size_t n_measured;
static int are_files_measured;

void
dom0less_host_measure_files (void)
{
  are_files_measured = 1;
}

static struct dom0less_measurement *
add_measurement (int pcr, char *what)
{
  struct dom0less_measurement *measurement;

  measured = xrealloc (measured, (n_measured + 1) * sizeof (*measured));
  measurement = measured + n_measured++;
  measurement->pcr = pcr;
  measurement->what = what;
  measurement->is_known = 1;
  return measurement;
}

static void
measure (int pcr, const void *bytes, size_t size, const char *what)
{
  struct dom0less_measurement *measurement
    = add_measurement (pcr, xstrdup (what));

  grub_crypto_hash (GRUB_MD_SHA256, measurement->digest, bytes, size);
}

void
dom0less_host_measure (const char *line)
{
  measure (DOM0LESS_STRING_PCR, line, strlen (line), line);
}

const struct dom0less_measurement *
dom0less_host_measured (size_t *n)
{
  *n = n_measured;
  return measured;
}

void
dom0less_host_extend (unsigned char *pcr, const unsigned char *digest)
{
  unsigned char both[2 * DOM0LESS_SHA256_SIZE];

  memcpy (both, pcr, DOM0LESS_SHA256_SIZE);
  memcpy (both + DOM0LESS_SHA256_SIZE, digest, DOM0LESS_SHA256_SIZE);
  grub_crypto_hash (GRUB_MD_SHA256, pcr, both, sizeof (both));
}

/* A verifier sees FILE before it is decompressed.  */
void
dom0less_host_measure_file (grub_file_t file, const char *name)
{
  char *bytes;
  grub_ssize_t got;

  if (!are_files_measured)
    return;
  bytes = xmalloc (file->size + 1);
  got = grub_file_read (file, bytes, file->size);
  if (got >= 0)
    measure (DOM0LESS_BINARY_PCR, bytes, got, name);
  free (bytes);
  grub_errno = GRUB_ERR_NONE;
  grub_file_seek (file, 0);
}

grub_err_t
dom0less_platform_verify (char *line,
			  enum grub_verify_string_type type __attribute__ ((unused)))
{
  dom0less_host_measure (line);
  return GRUB_ERR_NONE;
}

int
dom0less_platform_is_measuring (void)
{
  return are_files_measured;
}

grub_err_t
dom0less_platform_leave_unmeasured (struct dom0less_boot *boot __attribute__ ((unused)),
				    int node __attribute__ ((unused)),
				    grub_uint64_t address)
{
  add_measurement (DOM0LESS_STRING_PCR,
		   xasprintf ("what lies at 0x%llx",
			      (unsigned long long) address))->is_known = 0;
  return GRUB_ERR_NONE;
}
