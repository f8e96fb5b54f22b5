/* xen_dom0less_intercept.c - direct reads below drivers that read by runs  */
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
#include <grub/disk.h>
#include <grub/misc.h>

#include "xen_dom0less_intercept.h"
#include "xen_dom0less_compat.h"

/*
 * Some drivers request a whole run of blocks with one grub_disk_read: those of
 * LVM and RAID, and of some file systems.  grub_disk_read then passes the
 * caller's buffer to the disk's driver, and afterwards copies every byte to
 * GRUB's cache, in a loop that moves one byte at a time.  An intercepted read
 * is carried out, but then reported as failed, so that this copy is not made.
 * The driver gives up, and is called again for what is left.
 *
 * The buffer is then correct up to the end of the intercepted read, for the
 * following reasons:
 *
 * - A driver that calls grub_disk_read with a part of its caller's buffer
 *   returns the data as they are on the disk, and fills the buffer from its
 *   beginning on.  The callers make sure that there are only such drivers.
 * - Whatever a driver unpacks or decrypts for a file system is read into a
 *   buffer of the driver's own, and not intercepted.  Encrypted disks decrypt
 *   in place, and are therefore treated as disks: their reads are intercepted,
 *   and not those of the disk below.
 * - Reads into other buffers, such as those of metadata and of the cache's
 *   pieces, are always passed on, even after a read was intercepted.  So a
 *   driver that looks for a second copy of the data finds it, but cannot read
 *   it.
 */

/* More than there are disk drivers in GRUB.  */
#define MAX_DRIVERS	32

static struct
{
  grub_disk_dev_t dev;
  dom0less_disk_read_t read;
} drivers[MAX_DRIVERS];
static unsigned int driver_count;

/* What is being intercepted, or NULL while a driver is reading.  */
static struct dom0less_intercept *current;

static dom0less_disk_read_t
find_driver (grub_disk_dev_t dev)
{
  unsigned int i;

  for (i = 0; i < driver_count; i++)
    if (drivers[i].dev == dev)
      return drivers[i].read;
  return NULL;
}

/* Stands for the disk_read of every driver of disks.  */
static grub_err_t
intercept (struct grub_disk *disk, grub_disk_addr_t sector, grub_size_t size,
	   char *buffer)
{
  struct dom0less_intercept *wanted = current;
  dom0less_disk_read_t read = find_driver (disk->dev);
  grub_addr_t offset = 0;
  grub_size_t done;
  grub_err_t err;

  if (!read)
    return grub_error (GRUB_ERR_BUG, "disk %s has changed its driver",
		       disk->name);
  if (wanted)
    offset = (grub_addr_t) buffer - (grub_addr_t) wanted->buffer;
  if (!wanted || offset >= wanted->size
      || size << disk->log_sector_size > wanted->size - offset)
    {
      /* A disk below this one belongs to this read.  */
      current = NULL;
      err = read (disk, sector, size, buffer);
      current = wanted;
      return err;
    }

  /* Neither LVM nor RAID try to recover from this error.  */
  if (wanted->end)
    return grub_error (GRUB_ERR_EOF, "a read was intercepted");
  current = NULL;
  done = dom0less_transfer (disk, read, sector, size, buffer,
			    wanted->largest, wanted->file);
  current = wanted;
  if (done == 0)
    return grub_error (GRUB_ERR_READ_ERROR, "failure reading from %s",
		       disk->name);
  wanted->end = offset + done;
  wanted->direct = done;
  return grub_error (GRUB_ERR_EOF, "a read was intercepted");
}

void
dom0less_begin_intercept (struct dom0less_intercept *wanted)
{
  grub_disk_dev_t dev;
  unsigned int i;

  wanted->end = 0;
  driver_count = 0;
  for (dev = grub_disk_dev_list; dev; dev = dev->next)
    if (dev->id != GRUB_DISK_DEVICE_DISKFILTER_ID)
      {
	/* None may be left out, it could be the one that decrypts.  */
	if (driver_count == MAX_DRIVERS)
	  {
	    driver_count = 0;
	    return;
	  }
	drivers[driver_count].dev = dev;
	drivers[driver_count++].read = dev->disk_read;
      }
  for (i = 0; i < driver_count; i++)
    drivers[i].dev->disk_read = intercept;
  current = wanted;
}

grub_size_t
dom0less_end_intercept (struct dom0less_intercept *wanted)
{
  current = NULL;
  while (driver_count)
    {
      driver_count--;
      drivers[driver_count].dev->disk_read = drivers[driver_count].read;
    }
  if (wanted->end)
    grub_errno = GRUB_ERR_NONE;
  return wanted->end;
}

grub_size_t
dom0less_transfer (grub_disk_t disk, dom0less_disk_read_t read,
		   grub_disk_addr_t sector, grub_size_t sectors, char *buffer,
		   grub_size_t *largest, grub_file_t file)
{
  grub_size_t size = sectors << disk->log_sector_size, done = 0, step;

  while (done < size && *largest)
    {
      step = size - done < *largest ? size - done : *largest;
      if (read (disk, sector + (done >> disk->log_sector_size),
		step >> disk->log_sector_size, buffer + done))
	{
	  grub_dprintf ("xen_dom0less", "%s: a transfer of 0x%" PRIxGRUB_SIZE
			" bytes failed\n", file->name, step);
	  grub_errno = GRUB_ERR_NONE;
	  *largest = ALIGN_DOWN (*largest / 2, DOM0LESS_CACHE_PIECE);
	  continue;
	}
      if (grub_file_progress_hook)
	dom0less_call_read_hook (grub_file_progress_hook, step, buffer + done,
				 file);
      done += step;
    }
  return done;
}
