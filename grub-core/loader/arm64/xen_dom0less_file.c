/* xen_dom0less_file.c - from names to files to pages  */
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

#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/safemath.h>

#include "xen_dom0less_platform.h"

/* The initial buffer for a file whose size is not known in advance (HTTP,
   xz).  */
#define FIRST_SIZE	((grub_size_t) 4 << 20)

char *
dom0less_resolve_name (const struct dom0less_boot *boot, const char *name)
{
  grub_size_t size
    = grub_dom0less_format_path (boot->xen.path, name, NULL, 0) + 1;
  char *path = grub_malloc (size);

  if (path)
    grub_dom0less_format_path (boot->xen.path, name, path, size);
  return path;
}

/* Move the SIZE bytes in PAGES to a new allocation of COUNT pages.  */
static grub_err_t
move (struct dom0less_pages *pages, grub_size_t size, grub_size_t count,
      grub_uint64_t limit)
{
  struct dom0less_pages other;

  if (dom0less_platform_alloc (&other, limit, count))
    return grub_errno;
  grub_memcpy (dom0less_platform_at (other.address),
	       dom0less_platform_at (pages->address), size);
  dom0less_platform_free (pages);
  *pages = other;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_read_all (grub_file_t file, grub_uint64_t limit,
		   struct dom0less_pages *pages, grub_size_t *size)
{
  grub_size_t needed;
  grub_size_t room;
  grub_ssize_t got;

  room = grub_file_size (file);
  if (grub_file_size (file) == GRUB_FILE_SIZE_UNKNOWN)
    room = FIRST_SIZE;
  /* Allocate one byte more than the stated size, so that the loop reaches the
     end of the file.  */
  if (grub_add (room, 1, &room))
    return grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
  if (dom0less_platform_alloc (pages, limit, DOM0LESS_PAGES (room)))
    return grub_errno;

  dom0less_platform_read_direct (file, dom0less_platform_at (pages->address));
  if (grub_errno)
    goto fail;
  *size = file->offset;
  do
    {
      room = (pages->count << DOM0LESS_PAGE_SHIFT) - *size;
      if (room == 0)
	{
	  if (grub_mul (pages->count, 2, &needed))
	    {
	      grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
	      goto fail;
	    }
	  if (move (pages, *size, needed, limit))
	    goto fail;
	  continue;
	}
      got = grub_file_read (file,
			    (char *) dom0less_platform_at (pages->address) + *size,
			    room);
      if (got < 0)
	goto fail;
      if (grub_add (*size, got, size))
	{
	  grub_error (GRUB_ERR_OUT_OF_RANGE, N_("overflow is detected"));
	  goto fail;
	}
    }
  while (room == 0 || got > 0);

  if (grub_file_size (file) != GRUB_FILE_SIZE_UNKNOWN
      && *size != grub_file_size (file))
    {
      grub_error (GRUB_ERR_READ_ERROR, N_("premature end of file"));
      goto fail;
    }
  /* GRUB keeps a list of whole allocations, so a part of one cannot be freed.
     Move the file to a smaller allocation instead.  */
  needed = DOM0LESS_PAGES (*size + 1);
  if (needed < pages->count && move (pages, *size, needed, limit))
    goto fail;
  return GRUB_ERR_NONE;

 fail:
  dom0less_platform_free (pages);
  return grub_errno;
}

/* Put PATH in front of GRUB's message, because "bad signature" alone does not
   say which file is meant.  */
static void
name_file (const char *path)
{
  grub_err_t err = grub_errno;
  char *message = grub_xasprintf ("%s: %s", path,
				  dom0less_bare_message (grub_errmsg));

  if (message)
    {
      grub_dom0less_make_plain (message);
      grub_error (err, "%s", message);
    }
  grub_free (message);
}

grub_err_t
dom0less_read_file (const char *path, enum grub_file_type type,
		    grub_uint64_t limit, const char *label,
		    struct dom0less_pages *pages, grub_size_t *size)
{
  grub_file_t file;

  pages->count = 0;
  *size = 0;
  file = dom0less_platform_open (path, type, label);
  if (file)
    {
      if (!grub_errno)
	dom0less_read_all (file, limit, pages, size);
      grub_file_close (file);
    }
  if (grub_errno)
    name_file (path);
  return grub_errno;
}

void *
dom0less_buffer_bytes (const struct dom0less_buffer *buffer)
{
  return dom0less_platform_at (buffer->pages.address);
}

char *
dom0less_read_text (const char *path, enum grub_file_type type,
		    grub_size_t *size)
{
  struct dom0less_pages pages;
  char *text;

  if (dom0less_read_file (path, type, DOM0LESS_NO_LIMIT, NULL, &pages, size))
    return NULL;
  text = grub_malloc (*size + 1);
  if (text)
    {
      grub_memcpy (text, dom0less_platform_at (pages.address), *size);
      text[*size] = '\0';
    }
  dom0less_platform_free (&pages);
  return text;
}
