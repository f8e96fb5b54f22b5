/* xen_dom0less_compare.c - compare direct reads with ordinary ones  */
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

#include <grub/types.h>
#include <grub/command.h>
#include <grub/disk.h>
#include <grub/dl.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/i18n.h>
#include <grub/misc.h>
#include <grub/verify.h>

#include "xen_dom0less_platform.h"

GRUB_MOD_LICENSE ("GPLv3+");

#define FILE_TYPE	(GRUB_FILE_TYPE_XEN_MODULE			\
			 | GRUB_FILE_TYPE_NO_DECOMPRESS)

struct tally
{
  int files;
  int differ;
  grub_uint64_t bytes;
  grub_uint64_t direct;
  grub_uint32_t low;		/* the two halves of an Adler-32 */
  grub_uint32_t high;
};

#define ADLER_MODULUS	65521

/* Two wrong reads could agree, so add SIZE more bytes to the checksum in
   TALLY, which can be compared with one from elsewhere.  */
static void
add_sum (struct tally *tally, const char *bytes, grub_size_t size)
{
  while (size--)
    {
      tally->low += (unsigned char) *bytes++;
      if (tally->low >= ADLER_MODULUS)
	tally->low -= ADLER_MODULUS;
      tally->high += tally->low;
      if (tally->high >= ADLER_MODULUS)
	tally->high -= ADLER_MODULUS;
    }
}

/* A disk on which larger transfers fail, as they do with some firmware above a
   few megabytes.  */
struct weak
{
  struct grub_disk_dev dev;
  grub_disk_dev_t real;
  grub_size_t largest;
};

static grub_err_t
weak_read (struct grub_disk *disk, grub_disk_addr_t sector, grub_size_t size,
	   char *buffer)
{
  struct weak *weak = (struct weak *) disk->dev;

  if (size << disk->log_sector_size > weak->largest)
    return grub_error (GRUB_ERR_READ_ERROR, N_("too much at once"));
  return weak->real->disk_read (disk, sector, size, buffer);
}

/* Read FILE directly to BUFFER, from a disk that is limited to the value of
   the variable xen_dom0less_compare_largest.  */
static grub_size_t
read_direct (grub_file_t file, void *buffer)
{
  const char *largest = grub_env_get ("xen_dom0less_compare_largest");
  struct grub_disk *disk = file->device->disk;
  struct weak weak;
  grub_size_t direct;

  if (!largest || !disk)
    return dom0less_platform_read_direct (file, buffer);
  weak.largest = grub_strtoul (largest, NULL, 0);
  weak.real = disk->dev;
  weak.dev = *disk->dev;
  weak.dev.disk_read = weak_read;
  disk->dev = &weak.dev;
  direct = dom0less_platform_read_direct (file, buffer);
  disk->dev = weak.real;
  return direct;
}

/* The disk of the file that is being verified.  */
static grub_disk_t verified_disk;

/* A verifier that requests every file as a whole, and accepts it.  */
static grub_err_t
glutton_init (grub_file_t file,
	      enum grub_file_type type __attribute__ ((unused)),
	      void **context __attribute__ ((unused)),
	      enum grub_verify_flags *flags)
{
  verified_disk = file->device->disk;
  *flags = GRUB_VERIFY_FLAGS_SINGLE_CHUNK;
  return GRUB_ERR_NONE;
}

/* If the variable xen_dom0less_compare_spoil names a sector, fill that with
   zeros, as somebody would who changes a file once it has been read for its
   verification.  */
static grub_err_t
glutton_write (void *context __attribute__ ((unused)),
	       void *bytes __attribute__ ((unused)),
	       grub_size_t size __attribute__ ((unused)))
{
  static const char zeros[GRUB_DISK_SECTOR_SIZE];
  const char *sector = grub_env_get ("xen_dom0less_compare_spoil");

  if (!sector)
    return GRUB_ERR_NONE;
  return grub_disk_write (verified_disk, grub_strtoull (sector, NULL, 0), 0,
			  sizeof (zeros), zeros);
}

static struct grub_file_verifier glutton =
  {
    .name = "xen_dom0less_compare",
    .init = glutton_init,
    .write = glutton_write
  };

/* Open PATH as xen_dom0less does; if the variable
   xen_dom0less_compare_verified is set, with a verifier.  */
static grub_file_t
open_directly (const char *path)
{
  int is_verified = grub_env_get ("xen_dom0less_compare_verified") != NULL;
  grub_file_t file;

  if (is_verified)
    grub_verifier_register (&glutton);
  file = dom0less_platform_open (path, FILE_TYPE, NULL);
  if (is_verified)
    grub_verifier_unregister (&glutton);
  return file;
}

/* Read the file PATH into PAGES, which has one page more than the file.  If
   DIRECT is NULL, read in the ordinary way; otherwise read directly, and store
   the number of bytes that were read directly in *DIRECT.  */
static grub_err_t
read (const char *path, struct dom0less_pages *pages, grub_size_t *size,
      grub_size_t *direct)
{
  grub_file_t file
    = direct ? open_directly (path) : grub_file_open (path, FILE_TYPE);
  char fill = direct ? 0xd1 : 0x0d;
  grub_size_t room, total, at;
  grub_ssize_t got;
  char *bytes;

  if (!file)
    return grub_errno;
  *size = grub_file_size (file);
  if (dom0less_platform_alloc (pages, DOM0LESS_NO_LIMIT,
			       DOM0LESS_PAGES (*size) + 1))
    goto out;
  total = pages->count << DOM0LESS_PAGE_SHIFT;
  room = total - ((grub_size_t) 1 << DOM0LESS_PAGE_SHIFT);

  bytes = dom0less_platform_at (pages->address);
  /* Bytes that are not written must differ between the two ways.  */
  grub_memset (bytes, fill, total);
  if (direct)
    *direct = read_direct (file, bytes);
  while (!grub_errno && file->offset < *size)
    {
      got = grub_file_read (file, bytes + file->offset, *size - file->offset);
      if (got == 0)
	grub_error (GRUB_ERR_READ_ERROR, N_("premature end of file"));
    }
  for (at = room; !grub_errno && at < total; at++)
    if (bytes[at] != fill)
      grub_error (GRUB_ERR_TEST_FAILURE, N_("%s writes beyond its pages"),
		  path);
  if (grub_errno)
    dom0less_platform_free (pages);

 out:
  grub_file_close (file);
  return grub_errno;
}

static grub_err_t
compare (const char *path, struct tally *tally)
{
  struct dom0less_pages pages[2];
  grub_size_t size[2], direct, at;
  const char *bytes[2];

  if (read (path, &pages[0], &size[0], &direct))
    return grub_errno;
  if (read (path, &pages[1], &size[1], NULL))
    {
      dom0less_platform_free (&pages[0]);
      return grub_errno;
    }
  bytes[0] = dom0less_platform_at (pages[0].address);
  bytes[1] = dom0less_platform_at (pages[1].address);
  for (at = 0; at < size[1] && bytes[0][at] == bytes[1][at]; at++)
    ;
  if (at < size[1])
    {
      grub_printf ("%s differs at 0x%" PRIxGRUB_SIZE "\n", path, at);
      tally->differ++;
    }
  tally->files++;
  tally->bytes += size[1];
  tally->direct += direct;
  add_sum (tally, bytes[0], size[1]);
  dom0less_platform_free (&pages[0]);
  dom0less_platform_free (&pages[1]);
  return GRUB_ERR_NONE;
}

static grub_err_t
grub_cmd_compare (grub_command_t command __attribute__ ((unused)),
		  int argc, char **argv)
{
  struct tally tally = { .low = 1 };
  int i;

  for (i = 0; i < argc; i++)
    if (compare (argv[i], &tally))
      return grub_errno;
  grub_printf ("%d files, %" PRIuGRUB_UINT64_T " bytes, %" PRIuGRUB_UINT64_T
	       " direct, %d differ, Adler-32 %08x\n", tally.files, tally.bytes,
	       tally.direct, tally.differ, tally.high << 16 | tally.low);
  if (tally.differ)
    return grub_error (GRUB_ERR_TEST_FAILURE, N_("files differ"));
  return GRUB_ERR_NONE;
}

static grub_command_t command;

GRUB_MOD_INIT (xen_dom0less_compare)
{
  command = grub_register_command ("xen_dom0less_compare", grub_cmd_compare,
				   N_("FILE..."),
				   N_("Compare what xen_dom0less reads with"
				      " what GRUB reads."));
}

GRUB_MOD_FINI (xen_dom0less_compare)
{
  grub_unregister_command (command);
}
