/* xen_dom0less_intercept.h - direct reads below drivers that read by runs  */
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

#ifndef XEN_DOM0LESS_INTERCEPT_HEADER
#define XEN_DOM0LESS_INTERCEPT_HEADER	1

#include <grub/disk.h>
#include <grub/file.h>

/* The size in bytes of the pieces that GRUB's cache requests.  */
#define DOM0LESS_CACHE_PIECE	((grub_size_t) GRUB_DISK_CACHE_SIZE	\
				 << GRUB_DISK_SECTOR_BITS)

/* A driver's function that reads whole sectors of its own size.  */
typedef grub_err_t (*dom0less_disk_read_t) (struct grub_disk *disk,
					    grub_disk_addr_t sector,
					    grub_size_t size, char *buffer);

/* The read that is to be intercepted below a driver.  */
struct dom0less_intercept
{
  char *buffer;			/* of the driver's caller */
  grub_size_t size;		/* of the buffer in bytes */
  grub_size_t *largest;		/* see dom0less_transfer */
  grub_file_t file;		/* for progress and messages */
  grub_size_t end;		/* how much of the buffer is filled */
  grub_size_t direct;		/* how much of that was intercepted */
};

/* Intercept the first large read into WANTED->buffer by any disk's driver.
   The volume's or file system's driver that is called then must return its
   data as they are on the disk, and fill its buffer from the beginning on.  */
void dom0less_begin_intercept (struct dom0less_intercept *wanted);

/* Stop that.  Return how many bytes of the buffer have been filled if a read
   was intercepted, and clear its error.  Otherwise return 0: the driver has
   done what it was asked for, or failed.  */
grub_size_t dom0less_end_intercept (struct dom0less_intercept *wanted);

/* Read SECTORS sectors of DISK, of its own size, from SECTOR on into BUFFER by
   READ.  A transfer has *LARGEST bytes at most; if one fails, it is repeated
   with half as many, and *LARGEST is 0 when even a piece of GRUB's cache
   failed.  Return the number of bytes that were read; there is no error.  */
grub_size_t dom0less_transfer (grub_disk_t disk, dom0less_disk_read_t read,
			       grub_disk_addr_t sector, grub_size_t sectors,
			       char *buffer, grub_size_t *largest,
			       grub_file_t file);

#endif
