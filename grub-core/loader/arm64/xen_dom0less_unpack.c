/* xen_dom0less_unpack.c - use GRUB's decompressors on data in memory  */
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
#include <grub/crypto.h>
#include <grub/deflate.h>
#include <grub/file.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/mm.h>

#include <zstd.h>

#include "xen_dom0less_platform.h"

/* Xen's .config has about 3 KiB, and few other parts of its image look like
   gzip members.  */
#define MAX_CONFIG		((grub_size_t) 256 << 10)
#define MAX_TRIES		16

static grub_ssize_t
memory_read (struct grub_file *file, char *buf, grub_size_t len)
{
  grub_memcpy (buf, (char *) file->data + file->offset, len);
  return len;
}

static grub_err_t
memory_close (struct grub_file *file __attribute__ ((unused)))
{
  return GRUB_ERR_NONE;
}

/* A file in memory, so that GRUB's file filters can be put on top.  */
static struct grub_fs memory_fs =
  {
    .name = "memory",
    .fs_read = memory_read,
    .fs_close = memory_close
  };

grub_file_t
dom0less_filter (grub_file_t below)
{
  grub_file_t file = below;
  int filter;

  for (filter = GRUB_FILE_FILTER_COMPRESSION_FIRST;
       filter <= GRUB_FILE_FILTER_COMPRESSION_LAST && file == below; filter++)
    if (grub_file_filters[filter])
      file = grub_file_filters[filter] (below, GRUB_FILE_TYPE_XEN_MODULE);
  if (!file)
    grub_file_close (below);
  return file;
}

static grub_err_t
unpack_by_filter (const void *packed, grub_size_t size, const char *module,
		  grub_uint64_t limit,
		  struct dom0less_pages *pages, grub_size_t *unpacked)
{
  grub_file_t file, below;

  if (dom0less_platform_load_filter (module))
    return grub_errno;

  below = grub_zalloc (sizeof (*below));
  if (!below)
    return grub_errno;
  below->fs = &memory_fs;
  below->data = (void *) (grub_addr_t) packed;
  below->size = size;

  file = dom0less_filter (below);
  if (!file)
    return grub_errno;
  if (file == below)
    grub_error (GRUB_ERR_BAD_COMPRESSED_DATA, N_("no known compression"));
  else
    dom0less_read_all (file, limit, pages, unpacked);
  grub_file_close (file);
  return grub_errno;
}

/* Unpack gzip data.  GRUB's gzip filter is not used, because it reads the data
   twice for the checksum, and compares the checksum only if the data end where
   the trailer indicates.  */
static grub_err_t
unpack_gzip (const void *packed, grub_size_t size, grub_uint64_t limit,
	     struct dom0less_pages *pages, grub_size_t *unpacked)
{
  struct grub_dom0less_gzip gzip;
  grub_uint32_t crc;
  grub_ssize_t got;
  char *bytes;

  if (grub_dom0less_read_gzip (&gzip, packed, size))
    return grub_error (GRUB_ERR_BAD_COMPRESSED_DATA, N_("broken gzip data"));
  *unpacked = gzip.unpacked;
  if (dom0less_platform_alloc (pages, limit, DOM0LESS_PAGES (*unpacked + 1)))
    return grub_errno;

  bytes = dom0less_platform_at (pages->address);
  got = grub_deflate_decompress ((char *) packed + gzip.offset, gzip.size, 0,
				 bytes, *unpacked);
  if (got >= 0 && (grub_size_t) got == *unpacked)
    {
      grub_crypto_hash (GRUB_MD_CRC32, &crc, bytes, *unpacked);
      if (grub_be_to_cpu32 (crc) == gzip.crc)
	return GRUB_ERR_NONE;
      grub_error (GRUB_ERR_BAD_COMPRESSED_DATA, N_("wrong checksum"));
    }
  dom0less_platform_free (pages);
  if (grub_errno)
    return grub_errno;
  return grub_error (GRUB_ERR_BAD_COMPRESSED_DATA, N_("broken gzip data"));
}

static grub_err_t
unpack_zstd (const void *packed, grub_size_t size,
	     grub_uint64_t limit,
	     struct dom0less_pages *pages, grub_size_t *unpacked)
{
  grub_size_t got;

  if (dom0less_platform_alloc (pages, limit, DOM0LESS_PAGES (*unpacked)))
    return grub_errno;
  got = ZSTD_decompress (dom0less_platform_at (pages->address), *unpacked,
			 packed, size);
  if (!ZSTD_isError (got) && got == *unpacked)
    return GRUB_ERR_NONE;

  dom0less_platform_free (pages);
  if (grub_errno)
    return grub_errno;
  return grub_error (GRUB_ERR_BAD_COMPRESSED_DATA, N_("broken zstd data"));
}

grub_err_t
dom0less_unpack (const void *packed, grub_size_t size,
		 const char *compression, grub_uint64_t limit,
		 struct dom0less_pages *pages, grub_size_t *unpacked)
{
  pages->count = 0;
  if (grub_strcmp (compression, "gzip") == 0)
    return unpack_gzip (packed, size, limit, pages, unpacked);
  /* Linux uses the names xzkern and zstd22.  */
  if (grub_strncmp (compression, "xz", 2) == 0)
    return unpack_by_filter (packed, size, "xzio", limit, pages, unpacked);
  if (grub_strncmp (compression, "zstd", 4) == 0)
    return unpack_zstd (packed, size, limit, pages, unpacked);
  return grub_error (GRUB_ERR_NOT_IMPLEMENTED_YET,
		     N_("GRUB has no decompressor for %s"), compression);
}

/* Try the gzip member at AT, of at most SIZE bytes.  Its end is not known, so
   only raw deflate data can be unpacked.  */
static int
try_config (struct grub_dom0less_xen *xen, char *at, grub_size_t size,
	    char *text)
{
  struct grub_dom0less_gzip gzip;
  grub_ssize_t len;

  if (grub_dom0less_read_gzip (&gzip, at, size))
    return 0;
  len = grub_deflate_decompress (at + gzip.offset, gzip.size, 0, text,
				 MAX_CONFIG);
  grub_errno = GRUB_ERR_NONE;
  return len > 0 && grub_dom0less_xen_config (xen, text, len);
}

grub_err_t
dom0less_read_xen_facts (struct dom0less_boot *boot)
{
  struct grub_dom0less_xen *xen = &boot->facts.xen;
  char *image = dom0less_platform_at (boot->xen.file.address);
  grub_size_t at = 0;
  char *text;
  int tries;

  grub_dom0less_xen_version (xen, image, boot->xen.size);
  text = grub_malloc (MAX_CONFIG);
  if (!text)
    return grub_errno;
  for (tries = 0; tries < MAX_TRIES; tries++, at++)
    {
      at = grub_dom0less_xen_gzip (image, boot->xen.size, at);
      if (at == boot->xen.size
	  || try_config (xen, image + at, boot->xen.size - at, text))
	break;
    }
  grub_free (text);
  grub_dprintf ("xen_dom0less", "Xen %d.%d, options %s0x%x\n", xen->major,
		xen->minor, xen->has_config ? "" : "not known: ",
		xen->options);
  return GRUB_ERR_NONE;
}
