/* xen_dom0less_file.c - from names to GRUB files to EFI pages  */
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

#include <grub/efi/efi.h>
#include <grub/env.h>
#include <grub/file.h>
#include <grub/misc.h>
#include <grub/mm.h>
#include <grub/term.h>

#include "xen_dom0less_boot.h"

/* Where a file begins whose size is not known before its end: HTTP, xz.  */
#define FIRST_SIZE	((grub_size_t) 4 << 20)

char *
dom0less_full_name (const char *name)
{
  const char *root = grub_env_get ("root");

  if (name[0] == '(')
    return grub_strdup (name);
  return grub_xasprintf ("(%s)%s%s", root ? root : "",
			 name[0] == '/' ? "" : "/", name);
}

char *
dom0less_resolve (const struct dom0less_boot *boot, const char *name)
{
  grub_size_t size = grub_dom0less_resolve (boot->xen, name, NULL, 0) + 1;
  char *path = grub_malloc (size);

  if (path)
    grub_dom0less_resolve (boot->xen, name, path, size);
  return path;
}

/* Move the SIZE bytes that PAGES hold into COUNT pages.  */
static grub_err_t
move (struct dom0less_pages *pages, grub_size_t size, grub_efi_uintn_t count,
      grub_efi_physical_address_t limit)
{
  struct dom0less_pages other;

  if (dom0less_pages_alloc (&other, GRUB_EFI_ALLOCATE_MAX_ADDRESS, limit,
			    count))
    return grub_errno;
  grub_memcpy ((void *) (grub_addr_t) other.address,
	       (void *) (grub_addr_t) pages->address, size);
  dom0less_pages_free (pages);
  *pages = other;
  return GRUB_ERR_NONE;
}

grub_err_t
dom0less_read_all (grub_file_t file, grub_efi_physical_address_t limit,
		   struct dom0less_pages *pages, grub_size_t *size)
{
  grub_efi_uintn_t needed;
  grub_size_t room;
  grub_ssize_t got;

  room = grub_file_size (file);
  if (grub_file_size (file) == GRUB_FILE_SIZE_UNKNOWN)
    room = FIRST_SIZE;
  /* One byte more than it says, so that the loop can meet the end.  */
  if (dom0less_pages_alloc (pages, GRUB_EFI_ALLOCATE_MAX_ADDRESS, limit,
			    GRUB_EFI_BYTES_TO_PAGES (room + 1)))
    return grub_errno;

  *size = 0;
  do
    {
      room = (pages->count << DOM0LESS_PAGE_SHIFT) - *size;
      if (room == 0)
	{
	  if (move (pages, *size, pages->count * 2, limit))
	    goto fail;
	  continue;
	}
      got = grub_file_read (file,
			    (char *) (grub_addr_t) pages->address + *size,
			    room);
      if (got < 0)
	goto fail;
      *size += got;
    }
  while (room == 0 || got > 0);

  if (grub_file_size (file) != GRUB_FILE_SIZE_UNKNOWN
      && *size != grub_file_size (file))
    {
      grub_error (GRUB_ERR_READ_ERROR, N_("premature end of file"));
      goto fail;
    }
  /* GRUB keeps account of whole allocations: what is too much of one cannot be
     given back, but all of it can.  */
  needed = GRUB_EFI_BYTES_TO_PAGES (*size + 1);
  if (needed < pages->count && move (pages, *size, needed, limit))
    goto fail;
  return GRUB_ERR_NONE;

 fail:
  dom0less_pages_free (pages);
  return grub_errno;
}

/* Say what is being read, and be seen to before it takes its time.  */
static void
show_file (grub_file_t file, const char *label, const char *path)
{
  if (grub_file_size (file) == GRUB_FILE_SIZE_UNKNOWN)
    grub_printf ("%s %s\n", label, path);
  else
    grub_printf ("%s %s, %" PRIuGRUB_UINT64_T " bytes\n", label, path,
		 (grub_uint64_t) grub_file_size (file));
  grub_refresh ();
}

grub_err_t
dom0less_read_file (const char *path, enum grub_file_type type,
		    grub_efi_physical_address_t limit, const char *label,
		    struct dom0less_pages *pages, grub_size_t *size)
{
  grub_file_t file;

  *size = 0;
  file = grub_file_open (path, type);
  if (!file)
    return grub_errno;
  if (label)
    show_file (file, label, path);
  dom0less_read_all (file, limit, pages, size);
  grub_file_close (file);
  return grub_errno;
}

char *
dom0less_read_text (const char *path, enum grub_file_type type,
		    grub_size_t *size)
{
  struct dom0less_pages pages;
  char *text;

  if (dom0less_read_file (path, type, GRUB_EFI_MAX_USABLE_ADDRESS, NULL,
			  &pages, size))
    return NULL;
  text = grub_malloc (*size + 1);
  if (text)
    {
      grub_memcpy (text, (void *) (grub_addr_t) pages.address, *size);
      text[*size] = '\0';
    }
  dom0less_pages_free (&pages);
  return text;
}
