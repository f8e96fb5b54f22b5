/* xen_dom0less_bench.c - commands for `make bench' inside GRUB  */
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
#include <grub/i18n.h>
#include <grub/loader.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/efi/api.h>
#include <grub/efi/disk.h>
#include <grub/efi/efi.h>

#include "xen_dom0less_platform.h"
#include "xen_dom0less_compat.h"

GRUB_MOD_LICENSE ("GPLv3+");

/* Read SIZE bytes of DISK from byte START on with the firmware's driver, in
   pieces of LARGEST bytes, to the same kind of pages as files.  */
static grub_err_t
read_raw (grub_disk_t disk, grub_uint64_t start, grub_size_t size,
	  grub_size_t largest)
{
  static dom0less_guid_t guid = GRUB_EFI_BLOCK_IO_GUID;
  grub_efi_handle_t handle = grub_efidisk_get_device_handle (disk);
  struct grub_efi_block_io *io = NULL;
  struct dom0less_pages pages;
  grub_size_t done, step;

  if (handle)
    io = grub_efi_open_protocol (handle, (void *) &guid,
				 GRUB_EFI_OPEN_PROTOCOL_GET_PROTOCOL);
  if (!io)
    return grub_error (GRUB_ERR_BAD_DEVICE, N_("not a disk of the firmware"));
  if (dom0less_platform_alloc (&pages, DOM0LESS_NO_LIMIT, DOM0LESS_PAGES (size)))
    return grub_errno;

  for (done = 0; done < size; done += step)
    {
      step = size - done < largest ? size - done : largest;
      if (io->read_blocks (io, io->media->media_id,
			   (start + done) / io->media->block_size, step,
			   (char *) dom0less_platform_at (pages.address) + done)
	  != GRUB_EFI_SUCCESS)
	{
	  grub_error (GRUB_ERR_READ_ERROR, N_("the firmware cannot read"));
	  break;
	}
    }
  dom0less_platform_free (&pages);
  return grub_errno;
}

static grub_err_t
grub_cmd_raw (grub_command_t command __attribute__ ((unused)),
	      int argc, char **argv)
{
  grub_disk_t disk;
  grub_size_t size, largest;
  grub_uint64_t start;

  if (argc != 4)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, N_("four arguments expected"));
  size = (grub_size_t) grub_strtoul (argv[1], NULL, 0) << 20;
  largest = (grub_size_t) grub_strtoul (argv[2], NULL, 0) << 10;
  start = grub_strtoull (argv[3], NULL, 0);
  disk = grub_errno ? NULL : grub_disk_open (argv[0]);
  if (!disk)
    return grub_errno;
  read_raw (disk, start, size, largest);
  grub_disk_close (disk);
  return grub_errno;
}

/* Allocate memory and never free it.  The firmware allocates the highest free
   memory, so the next file is read to memory that has never been used.  */
static grub_err_t
grub_cmd_hold (grub_command_t command __attribute__ ((unused)),
	       int argc, char **argv)
{
  struct dom0less_pages pages;
  grub_size_t size;

  if (argc != 1)
    return grub_error (GRUB_ERR_BAD_ARGUMENT, N_("one argument expected"));
  size = (grub_size_t) grub_strtoul (argv[0], NULL, 0) << 20;
  if (grub_errno)
    return grub_errno;
  return dom0less_platform_alloc (&pages, DOM0LESS_NO_LIMIT,
				  DOM0LESS_PAGES (size));
}

/* Unload what is loaded, and empty GRUB's disk cache, which would otherwise
   already contain the data.  */
static grub_err_t
grub_cmd_forget (grub_command_t command __attribute__ ((unused)),
		 int argc __attribute__ ((unused)),
		 char **argv __attribute__ ((unused)))
{
  struct grub_disk_cache *cache;

  grub_loader_unset ();
  for (cache = grub_disk_cache_table;
       cache < grub_disk_cache_table + GRUB_DISK_CACHE_NUM; cache++)
    if (!cache->lock)
      {
	grub_free (cache->data);
	cache->data = NULL;
      }
  return GRUB_ERR_NONE;
}

static grub_command_t raw, hold, forget;

GRUB_MOD_INIT (xen_dom0less_bench)
{
  raw = grub_register_command ("bench_raw", grub_cmd_raw, N_("DISK MIB KIB START"),
			       N_("Read a piece of a disk by Block I/O."));
  hold = grub_register_command ("bench_hold", grub_cmd_hold, N_("MIB"),
				N_("Take memory for good."));
  forget = grub_register_command ("bench_forget", grub_cmd_forget, NULL,
				  N_("Unload, and empty the disk cache."));
}

GRUB_MOD_FINI (xen_dom0less_bench)
{
  grub_unregister_command (raw);
  grub_unregister_command (hold);
  grub_unregister_command (forget);
}
