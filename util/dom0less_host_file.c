/* dom0less_host_file.c - read files of the boot file system on this host  */
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
#include <sys/stat.h>
#include <unistd.h>

#include <grub/types.h>
#include <grub/fs.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/util/misc.h>

#include "dom0less_host_internal.h"

static grub_ssize_t
host_read (struct grub_file *file, char *buf, grub_size_t len)
{
  size_t got;

  if (fseeko (file->data, file->offset, SEEK_SET))
    got = 0;
  else
    got = fread (buf, 1, len, file->data);
  if (got < len && ferror ((FILE *) file->data))
    dom0less_host_cannot_judge (file->name ? file->name : "?");
  return got;
}

static grub_err_t
host_close (struct grub_file *file)
{
  if (file->data)
    fclose (file->data);
  return GRUB_ERR_NONE;
}

static struct grub_fs host_fs =
  {
    .name = "host",
    .fs_read = host_read,
    .fs_close = host_close
  };

/* Only regular files are opened, because opening a device may have side
   effects, and opening a FIFO may block for ever.  */
FILE *
dom0less_host_open (int folder, const char *name, off_t *size)
{
  struct stat status, opened;
  FILE *stream;
  int fd;

  if (fstatat (folder, name, &status, 0))
    return NULL;
  if (!S_ISREG (status.st_mode))
    {
      errno = EINVAL;
      return NULL;
    }
  fd = openat (folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0)
    return NULL;
  if (fstat (fd, &opened) || opened.st_dev != status.st_dev
      || opened.st_ino != status.st_ino)
    {
      close (fd);
      errno = EAGAIN;
      return NULL;
    }
  if (size)
    *size = opened.st_size;
  stream = fdopen (fd, "rb");
  if (!stream)
    close (fd);
  return stream;
}

/* Reading a file that is larger than the memory would fail.  */
static int
is_too_large (off_t size)
{
  return size / sysconf (_SC_PAGESIZE) >= sysconf (_SC_PHYS_PAGES);
}

/* Read the file NAME in FOLDER; messages call it PATH.  */
static grub_file_t
open_host_file (int folder, const char *name, const char *path)
{
  off_t size;
  FILE *stream = dom0less_host_open (folder, name, &size);
  grub_file_t file;

  if (!stream)
    {
      /* Use GRUB's own messages.  */
      if (errno == ENOENT || errno == ENOTDIR)
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found"), path);
      else if (errno == EINVAL)
	grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a regular file"));
      else
	dom0less_host_cannot_judge (path);
      return NULL;
    }
  if (is_too_large (size))
    {
      errno = EFBIG;
      dom0less_host_cannot_judge (path);
    }

  file = grub_zalloc (sizeof (*file));
  if (!file)
    {
      fclose (stream);
      return NULL;
    }
  file->fs = &host_fs;
  file->data = stream;
  file->size = size;
  /* Used in GRUB's messages; GRUB frees it.  */
  file->name = grub_strdup (path);
  return file;
}

/* Open the file NAME below the root.  */
static grub_file_t
open_root_file (const char *name)
{
  struct walk walk;
  grub_file_t file = NULL;

  if (dom0less_host_walk (&walk, name) == GRUB_ERR_NONE)
    {
      if (walk.is_file)
	file = open_host_file (walk.folders[walk.depth - 1].fd, walk.name,
			       name);
      else
	grub_error (GRUB_ERR_BAD_FILE_TYPE, N_("not a regular file"));
    }
  else if (grub_errno == GRUB_ERR_FILE_NOT_FOUND)
    {
      char *why = xstrdup (dom0less_bare_message (grub_errmsg));

      if (strcmp (why, "not found") == 0)
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found below %s"),
		    name, dom0less_host_root ());
      else
	grub_error (GRUB_ERR_FILE_NOT_FOUND, N_("file `%s' not found: %s"),
		    name, why);
      free (why);
    }
  dom0less_host_end_walk (&walk);
  return file;
}

/* A replacement for Xen if no Xen is named.  Nothing is known about it, and
   nothing is read from it.  */
static grub_file_t
open_nothing (void)
{
  grub_file_t file = grub_zalloc (sizeof (*file));

  if (file)
    file->fs = &host_fs;
  return file;
}

grub_file_t
dom0less_platform_open (const char *name, enum grub_file_type type,
			const char *label __attribute__ ((unused)))
{
  grub_file_t file;

  if (name[strlen (name) - 1] == '/'
      && (type & GRUB_FILE_TYPE_MASK) == GRUB_FILE_TYPE_XEN_HYPERVISOR)
    return open_nothing ();
  if (dom0less_host_need (name))
    {
      grub_error (GRUB_ERR_UNKNOWN_DEVICE, N_("%s is on another device"),
		  name);
      return NULL;
    }
  if (name[0] == '/')
    file = open_root_file (name);
  else
    file = open_host_file (AT_FDCWD, name + HOST_LENGTH, name + HOST_LENGTH);
  if (file)
    dom0less_host_measure_file (file, name);
  if (!file || (type & GRUB_FILE_TYPE_NO_DECOMPRESS))
    return file;
  return dom0less_filter (file);
}
